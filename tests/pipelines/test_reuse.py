"""One repository more, or less, costs its own shard in every map stage, and the result is that of a build from nothing."""

import json
import sys
from pathlib import Path

import pytest

from pipelines import code_qwen
from tests.conftest import Workplace
from tests.pipelines.sources import ROOT, repository

SCRIPT = Path(__file__).with_name("build_corpus.py")
GOAL = "ApplyFim"
MAPS = ("CollectCode", "FilterCode", "RedactSecrets", "GateSyntax", "OrderRepositories", "ApplyFim")
GLOBAL = ("DropExactDuplicates", "DropNearDuplicates", "DecontaminateCorpus")
NAMES = ("one", "two", "three", "four", "five")


def build(place: Workplace, folders: list[Path]) -> dict[str, dict]:
    """Build with these sources; give the manifests that this added, by stage."""
    before = set(place.store.glob("*/*/manifest.json"))
    lines = "".join(f"{folder.name} = {folder}\n" for folder in folders)
    (place.folder / "luigi.cfg").write_text(f"[store]\nroot = runs\n[engine]\nworkers = 1\n[sources]\n{lines}")
    place.log = place.run(sys.executable, str(SCRIPT), GOAL).stdout
    added = set(place.store.glob("*/*/manifest.json")) - before
    return {path.parent.parent.name: json.loads(path.read_text()) for path in added}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = tmp_path_factory.mktemp("reuse")
    folders = [repository(root / "sources" / name, name) for name in NAMES]
    place = Workplace(root / "place")
    first = build(place, folders[:-1])
    return root, place, folders, first


@pytest.mark.parametrize(
    "change", ["added", *(pytest.param(name, marks=pytest.mark.slow) for name in ("removed", "touched"))]
)
def test_one_repository_costs_one_shard_of_each_map_stage(built, change, monkeypatch):
    root, place, folders, _ = built
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    now = {"added": folders, "removed": folders[1:-1], "touched": folders[:-1]}[change]
    if change == "touched":
        (folders[0] / "more.py").write_text("import tools\n\nprint(tools.one_2(3))\n")
    second = build(place, now)
    alone = build(Workplace(root / f"alone {change}"), now)
    assert {name: stage["files"] for name, stage in second.items()} == {n: s["files"] for n, s in alone.items()}
    assert {name: stage["metrics"] for name, stage in second.items()} == {n: s["metrics"] for n, s in alone.items()}
    made = {name: [n for n, note in second[name]["shards"].items() if "reused" not in note] for name in MAPS}
    assert [len(shards) for shards in made.values()] == [1] * len(MAPS), made
    assert len({shards[0] for shards in made.values()}) == 1
    assert place.log.count("5 of 6 shards reused, 0 resumed") == len(MAPS)
    assert all(not second[name]["shards"] for name in GLOBAL)
    assert all("reused" not in note for name in MAPS for note in alone[name]["shards"].values())


def test_every_map_stage_of_the_recipe_declares_how_it_is_brought():
    declared = {name for name in dir(code_qwen) if getattr(getattr(code_qwen, name), "by_shard", None)}
    assert declared == {*MAPS, "CollectText", "RedactText", "TokenizeCode", "TokenizeText"}
