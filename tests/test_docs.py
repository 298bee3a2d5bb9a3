"""What the documents name exists: folders, roots, commands, recipes, make targets, links."""

import re
import shlex
from pathlib import Path

import luigi.task_register
import pytest

import pipelines
from pipelines.__main__ import _is_stage, _parser
from pipelines.recipes.code import CODE
from pipelines.recipes.math import MATH

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LUIGI = re.compile(r"luigi --module pipelines (\w+)(?: --recipe ([\w.-]+))?")
_COMMAND = re.compile(r"python -m pipelines ([a-z][^`#\n]*)")
_MODULE = re.compile(r"python -m ((?:corpora|sandbox|specialize)[\w.]*)")
_MAKE = re.compile(r"(?:^ {4}|`)make ([a-z-]+)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TREE_LINE = re.compile(r"^ {4}(\w+)/ ", re.MULTILINE)
_NOT_IN_TREE = {"build", "dist", "runs"}


def _found(pattern):
    return [
        pytest.param(match, id=f"{document.name}: {match.group(0)[:60]}")
        for document in DOCUMENTS
        for match in pattern.finditer(document.read_text(encoding="utf-8"))
    ]


def test_tree_of_readme_is_that_of_the_repository():
    """README's tree names every top-level folder and no other."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"}
    made = {name for name in folders if name.endswith(".egg-info")} | _NOT_IN_TREE
    tree = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The tree")[2].partition("\n## ")[0]
    assert set(_TREE_LINE.findall(tree)) == folders - made


@pytest.mark.parametrize("match", _found(_LUIGI))
def test_luigi_commands_name_roots_and_recipes(match):
    """What is said to be typed after `luigi --module pipelines` is a root, with a recipe of its pipeline."""
    name, recipe = match.groups()
    assert name in pipelines.__all__
    assert recipe is None or recipe in (MATH if "Math" in name else CODE)


@pytest.mark.parametrize("match", _found(_COMMAND))
def test_commands_parse(match):
    """What is said to be typed after `python -m pipelines` is a command with arguments that it takes."""
    options = _parser().parse_args(shlex.split(match.group(1)))
    assert getattr(options, "recipe", "laptop") in CODE
    assert options.command != "why" or _is_stage(options.stage)


@pytest.mark.parametrize("match", _found(_MODULE))
def test_modules_that_are_run_exist(match):
    """What is said to be run as a module is one."""
    path = ROOT.joinpath(*match.group(1).split("."))
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("match", _found(_MAKE))
def test_make_targets_exist(match):
    """What is said to be made is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{match.group(1)}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_resolve(document):
    """A link that is no address leads to a file."""
    targets = [link.partition("#")[0] for link in _LINK.findall(document.read_text(encoding="utf-8"))]
    missing = [
        target for target in targets if target and "://" not in target and not (document.parent / target).exists()
    ]
    assert missing == []


def test_stages_in_the_documents_exist():
    """Names in code marks that read like a stage's verb and object are stages."""
    verbs = "Collect|Drop|Filter|Gate|Decontaminate|Tokenize|Verify|Augment|Evaluate|Release|Export|Import|Continue"
    pattern = re.compile(rf"`((?:{verbs})[A-Z]\w+)`")
    names = {name for path in DOCUMENTS for name in pattern.findall(path.read_text(encoding="utf-8"))}
    known = {name for name in luigi.task_register.Register.task_names() if _is_stage(name)}
    assert {name for name in names - known if not name.endswith("Config")} == set()
