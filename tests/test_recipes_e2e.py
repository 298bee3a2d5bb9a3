"""Both `tiny` recipes from an empty store to a released checkpoint; and again; and killed; and with more workers."""

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import luigi
import pyarrow.parquet as pq
import pytest

from pipelines import BuildCodeQwen, BuildMathQwen
from pipelines.stage import Stage
from tests.conftest import Workplace

pytestmark = pytest.mark.jail

GOLDEN = Path(__file__).parent / "golden" / "stages-tiny.json"
BYTES_MUST_AGREE = {".parquet", ".bin", ".idx", ".safetensors"}


def manifests(store: Path) -> dict[str, dict]:
    return {
        str(path.parent.relative_to(store)): json.loads(path.read_text()) for path in store.glob("*/*/manifest.json")
    }


def digests(store: Path) -> dict[str, str]:
    """SHA-256 of every file whose bytes the product promises, by its path in the store."""
    return {
        f"{folder}/{name}": entry["sha256"]
        for folder, manifest in manifests(store).items()
        for name, entry in manifest["files"].items()
        if Path(name).suffix in BYTES_MUST_AGREE and not folder.startswith("Evaluate")
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """One workplace in which both tiny recipes were built."""
    place = Workplace(tmp_path_factory.mktemp("built") / "a workplace")
    place.code = place.luigi("BuildCodeQwen", "--recipe", "tiny")
    place.math = place.luigi("BuildMathQwen", "--recipe", "tiny")
    return place


def test_both_recipes_end_in_a_released_checkpoint_and_a_page(built):
    assert list(built.store.glob("ReleaseCode/*/README.md"))
    assert list(built.store.glob("ReleaseMath/*/README.md"))
    for root in ("BuildCodeQwen", "BuildMathQwen"):
        (page,) = built.store.glob(f"{root}/tiny-*/report.html")
        assert "<svg" in page.read_text()
    assert "HumanEval" in built.code.stdout + built.code.stderr


def test_the_same_command_again_runs_nothing(built):
    before = {path: path.stat().st_mtime_ns for path in built.store.rglob("*") if path.is_file()}
    again = built.luigi("BuildCodeQwen", "--recipe", "tiny")
    assert before == {path: path.stat().st_mtime_ns for path in built.store.rglob("*") if path.is_file()}
    assert "started" not in again.stderr


def test_status_says_that_all_is_complete(built):
    assert "missing" not in built.pipelines("status", "BuildCodeQwen", "--recipe", "tiny").stdout


def test_a_killed_run_ends_with_the_same_bytes(built, tmp_path):
    place = Workplace(tmp_path / "killed")
    for condition in (
        lambda: list(place.store.glob("CollectCode/*.partial/kept/*.parquet")),
        lambda: list(place.store.glob("DropNearDuplicates/*.partial/**/*.parquet")),
        lambda: _steps(place.store, "ContinuePretraining") >= 3,
        lambda: _steps(place.store, "FineTune") >= 2,
    ):
        _kill_when(place, condition)
    place.luigi("BuildCodeQwen", "--recipe", "tiny")
    ours, theirs = digests(place.store), digests(built.store)
    assert {name: ours[name] for name in ours if name in theirs} == {name: theirs[name] for name in ours}
    assert any(name.endswith(".safetensors") for name in ours)


def test_two_workers_give_the_bytes_of_one(built, tmp_path):
    place = Workplace(tmp_path / "two workers", workers=2)
    place.luigi("BuildCodeCorpus", "--recipe", "tiny")
    place.luigi("BuildMathData", "--recipe", "tiny")
    ours, theirs = digests(place.store), digests(built.store)
    assert len(ours) > 20
    assert ours == {name: theirs[name] for name in ours}


def test_the_math_data_loads_as_a_dataset(built):
    import datasets

    (folder,) = (path for path in built.store.glob("WriteMathData/*") if path.is_dir() and not path.suffix)
    rows = datasets.load_dataset(str(folder), split="train", cache_dir=str(built.folder / "cache"))
    assert rows[0]["messages"][0]["role"] in ("system", "user")


def test_the_bytes_of_a_data_stage_move_with_its_version_only(built):
    """Rows rather than files: another pyarrow writes other Parquet. A stage with new bytes needs a new `version`."""
    made = {
        name: {"version": stage.version, "sha256": rows_digest(built.store, name)}
        for name, stage in sorted(stages_of("tiny").items())
        if stage.build.startswith("corpora.")
    }
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(made, indent=1) + "\n")
    golden = json.loads(GOLDEN.read_text())
    moved = [name for name in made if golden.get(name) != made[name]]
    still = [name for name in moved if name in golden and golden[name]["version"] == made[name]["version"]]
    faulty = [name for name in still if not inputs_of(built.store, name).intersection(moved)]
    assert not faulty, f"the rows of {faulty} moved: raise their version, or undo what moved them"
    assert made == golden, f"{moved or set(golden) - set(made)} changed; look at it, then UPDATE_GOLDEN=1"


def stages_of(recipe: str) -> dict[str, type[Stage]]:
    """Every stage of both pipelines, by name."""
    found: dict[str, type[Stage]] = {}
    todo = [BuildCodeQwen(recipe=recipe), BuildMathQwen(recipe=recipe)]
    while todo:
        task = todo.pop()
        if isinstance(task, Stage):
            found[type(task).__name__] = type(task)
        todo.extend(luigi.task.flatten(task.requires()))
    return found


def inputs_of(store: Path, stage: str) -> set[str]:
    """Names of the stages whose output a stage read."""
    (manifest,) = (m for m in manifests(store).values() if m["stage"] == stage)
    return {value.partition("/")[0] for value in manifest["inputs"].values()}


def rows_digest(store: Path, stage: str) -> str:
    """SHA-256 over the rows of a stage's Parquet files and the bytes of its other files."""
    ((folder, manifest),) = ((f, m) for f, m in manifests(store).items() if m["stage"] == stage)
    digest = hashlib.sha256()
    for name in sorted(manifest["files"]):
        path = store / folder / name
        if path.suffix == ".parquet":
            content = json.dumps(pq.read_table(path).to_pylist(), sort_keys=True, default=str).encode()
        else:
            content = path.read_bytes()
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _steps(store: Path, stage: str) -> int:
    return sum(len(path.read_text().splitlines()) for path in store.glob(f"{stage}/*.partial/progress.jsonl"))


def _kill_when(place: Workplace, condition) -> None:
    """Start the build, `kill -9` it and all its processes as soon as the condition holds."""
    process = subprocess.Popen(
        place.command("BuildCodeQwen", "--recipe", "tiny"),
        cwd=place.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not condition():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
