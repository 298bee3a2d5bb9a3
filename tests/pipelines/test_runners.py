"""The same bytes for any number of workers, in processes of this machine and on Ray."""

import json
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import Workplace
from tests.pipelines.sources import ROOT, repository

SCRIPT = Path(__file__).with_name("build_corpus.py")
GOAL = "TokenizeCode"


def build(place: Workplace, sources: dict[str, Path], engine: str) -> dict[str, str]:
    """Build up to the tokens; give the digest of every file of every stage."""
    lines = "".join(f"{name} = {folder}\n" for name, folder in sources.items())
    (place.folder / "luigi.cfg").write_text(f"[store]\nroot = runs\n[engine]\n{engine}\n[sources]\n{lines}")
    place.run(sys.executable, str(SCRIPT), GOAL, timeout=300)
    return {
        f"{path.parent.parent.name}/{name}": entry["sha256"]
        for path in place.store.glob("*/*/manifest.json")
        for name, entry in json.loads(path.read_text())["files"].items()
        if "Base" not in str(path)
    }


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    root = tmp_path_factory.mktemp("sources")
    names = ("one", "two", "three", "four", "five", "six", "seven")
    return {name: repository(root / name, name) for name in names}


@pytest.fixture(scope="module")
def with_one_worker(sources, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        return build(Workplace(tmp_path_factory.mktemp("one") / "a workplace"), sources, "workers = 1")


@pytest.fixture
def short_folder():
    """A folder for temporary files whose name leaves room for those of sockets."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine",
    [
        "workers = 2",
        "workers = 4",
        "runner = ray\nworkers = 2",
        "runner = ray\nworkers = 4",
    ],
)
def test_workers_and_runner_change_no_byte(engine, with_one_worker, sources, tmp_path, short_folder, monkeypatch):
    """Two minutes with Ray, most of it the start of processes; half a minute without."""
    if "ray" in engine:
        pytest.importorskip("ray", reason="Ray is not installed: pip install 'qwen-specialize[ray]'")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(short_folder))
    found = build(Workplace(tmp_path / "a workplace"), sources, engine)
    assert {"ApplyFim/kept/part-00005-of-00006.parquet", "TokenizeCode/code_python_train.bin"} <= found.keys()
    assert found == with_one_worker
    assert not [path for name in ("ray-*", "shards-*") for path in short_folder.glob(name)]
    assert not ray_processes(str(short_folder))


def ray_processes(folder: str) -> list[str]:
    """Command lines of processes that were started with a folder of this test."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [command] if folder in command else []
    return found
