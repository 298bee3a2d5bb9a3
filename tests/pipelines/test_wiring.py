"""Every stage's function asks for exactly what the stage declares; the files read in dependency order."""

import inspect
import sys

import pytest

from pipelines import code_qwen, math_qwen
from pipelines.machine import PROVIDED
from pipelines.recipes.code import CODE
from pipelines.recipes.math import MATH
from pipelines.stage import Stage, ancestry, resolve

RECIPE_FILES = {code_qwen: CODE, math_qwen: MATH}
STAGES = [
    (module, kind)
    for module in RECIPE_FILES
    for kind in vars(module).values()
    if isinstance(kind, type)
    and issubclass(kind, Stage)
    and hasattr(kind, "build")
    and kind.__module__ == module.__name__
]


@pytest.mark.parametrize(("module", "kind"), STAGES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_function_asks_for_what_the_stage_declares(module, kind):
    function = resolve(kind.build)
    asked = list(inspect.signature(function).parameters)
    declared = {*kind.needs, *(["config"] if kind.config else [])}
    assert asked[0] == "out"
    assert {name for name in asked[1:] if name not in PROVIDED} == declared
    assert kind.__doc__


@pytest.mark.parametrize(("module", "kind"), STAGES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_config_has_the_type_that_the_function_wants(module, kind):
    if kind.config is None:
        return
    function = resolve(kind.build)
    annotation = function.__annotations__["config"]
    wanted = vars(sys.modules[function.__module__])[annotation] if isinstance(annotation, str) else annotation
    for recipe in RECIPE_FILES[module]:
        value = kind(recipe=recipe).config_value()
        used = kind in {type(stage) for stage in ancestry(*_goals(module, recipe))}
        assert isinstance(value, wanted) or not used


@pytest.mark.parametrize("module", RECIPE_FILES, ids=lambda module: module.__name__)
def test_stages_stand_in_dependency_order(module):
    order = [kind for where, kind in STAGES if where is module]
    for index, kind in enumerate(order):
        needed = [need for need in kind.needs.values() if isinstance(need, type) and need.__module__ == module.__name__]
        assert all(order.index(need) < index for need in needed), kind


def test_a_changed_number_makes_exactly_the_stages_downstream_of_it_new(monkeypatch):
    import dataclasses

    recipe = CODE["tiny"]()
    changed = dataclasses.replace(recipe, near_duplicates=dataclasses.replace(recipe.near_duplicates, jaccard=0.9))
    monkeypatch.setitem(code_qwen.CODE, "changed", lambda: changed)
    before = {type(s).__name__: s for s in ancestry(code_qwen.ReleaseCode(recipe="tiny"))}
    after = {type(s).__name__: s for s in ancestry(code_qwen.ReleaseCode(recipe="changed"))}
    new = {name for name in before if before[name].fingerprint != after[name].fingerprint}
    assert new == {name for name, stage in before.items() if "DropNearDuplicates" in _ancestors(stage)}


def _ancestors(stage):
    return {type(one).__name__ for one in ancestry(stage)}


def _goals(module, recipe):
    root = module.BuildCodeQwen if module is code_qwen else module.BuildMathQwen
    return root(recipe=recipe).requires()
