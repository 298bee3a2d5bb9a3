"""Every recipe resolves, and its every number and edge stands in a golden file, so that a review sees what changes."""

import json
import os
from pathlib import Path

import pytest

from pipelines import code_qwen, math_qwen
from pipelines.fingerprint import canonical
from pipelines.recipes.code import CODE
from pipelines.recipes.math import MATH
from pipelines.stage import ancestry

GOLDEN = Path(__file__).parent.parent / "golden"
"""Made anew with UPDATE_GOLDEN=1."""
RECIPES = [("code", name, make) for name, make in CODE.items()] + [("math", name, make) for name, make in MATH.items()]


def check(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text, f"{path} differs; look at it, then UPDATE_GOLDEN=1"


@pytest.mark.parametrize(
    ("pipeline", "name", "make"), RECIPES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_resolved_recipe_is_the_golden_one(pipeline, name, make):
    text = json.dumps(canonical(make()), indent=1, sort_keys=True) + "\n"
    check(GOLDEN / "recipes" / f"{pipeline}-{name}.json", text)


@pytest.mark.parametrize("root", [code_qwen.BuildCodeQwen, math_qwen.BuildMathQwen], ids=lambda root: root.__name__)
@pytest.mark.parametrize("recipe", ["tiny", "laptop"])
def test_the_graph_is_the_golden_one(root, recipe):
    lines = [
        f"{type(stage).__name__} <- "
        + ", ".join(f"{name}={type(need).__name__}" for name, need in stage.inputs.items())
        for stage in ancestry(*root(recipe=recipe).requires())
    ]
    check(GOLDEN / "graph" / f"{root.__name__}-{recipe}.txt", "".join(f"{line.rstrip(' <-')}\n" for line in lines))


def test_both_pipelines_have_the_same_recipes():
    assert list(CODE) == list(MATH)
