"""The engine: results in the order of the shards, the same for one worker and two, and errors that keep their message."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpora import SchemaError, progress, shards
from corpora.engine import Engine, ShardFailed
from corpora.reuse import Linked


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    values = [{"shard": 0}, [1, None, 0.1], "é", [], 4]
    for index, value in enumerate(values):
        shards.write_json(folder / f"{index}.json", value)
    return values, [folder / f"{index}.json" for index in range(len(values))]


def test_two_workers_give_what_one_gives(lists):
    values, paths = lists
    assert Engine().map_shards(shards.read_json, paths) == values
    assert Engine(workers=2).map_shards(shards.read_json, paths) == values


def test_results_are_plain_json_for_any_number_of_workers(lists):
    _, paths = lists
    names = [Engine(workers=workers).map_shards(_list_shards, paths[:1]) for workers in (1, 2)]
    assert names == [[[["0.json"]]]] * 2


def _list_shards(path):
    return ((path.name,),)


def test_an_error_in_a_shard_names_it(lists, tmp_path):
    _, paths = lists
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(SchemaError, match=r"broken\.json is not readable"):
        Engine().map_shards(shards.read_json, [paths[0], broken])
    with pytest.raises(SchemaError, match=r"broken\.json is not readable"):
        Engine(workers=2).map_shards(shards.read_json, [paths[0], broken])


def test_a_fault_in_a_worker_ends_the_call_with_its_text(lists):
    _, paths = lists
    with pytest.raises(
        ShardFailed, match=rf"a worker failed on {paths[0].parent}(.|\n)*Traceback(.|\n)*FileExistsError"
    ):
        Engine(workers=2).map_shards(shards.write_json, [path / "below" for path in paths[:2]], 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_told_while_shards_finish(lists, workers, tmp_path, monkeypatch):
    _, paths = lists
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, str(tmp_path / "progress.json"))
    Engine(workers=workers).map_shards(shards.read_json, paths)
    assert shards.read_json(tmp_path / "progress.json") == {"done": 5, "total": 5, "unit": "shards"}


def test_what_cannot_travel_is_refused_for_one_worker_too(lists):
    _, paths = lists
    with pytest.raises(ValueError, match="module-level"):
        Engine().map_shards(lambda path: path.name, paths)


def test_settings_are_checked():
    with pytest.raises(ValueError, match="native or ray, got 'spark'"):
        Engine(runner="spark")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Engine(workers=0)
    assert Engine(workers=4).map_shards(shards.read_json, []) == []


def _say(path, out, killer):
    """Write the output of a shard; the process that comes to the killer's ends as if the kernel had wanted its memory."""
    if path.name == killer:
        os.kill(os.getpid(), signal.SIGKILL)
    shards.write_json(out / "kept" / path.name, [path.name, os.getpid()])
    return path.name


def test_the_end_of_a_worker_names_its_shard_and_costs_only_that(lists, tmp_path):
    _, paths = lists
    engine = Engine(workers=2, reuse=Linked(out=tmp_path, inputs={str(path): path.name for path in paths}))
    with pytest.raises(RuntimeError, match=rf"ended in the middle of {paths[3]}: .* set \[engine\] workers"):
        engine.map_shards(_say, paths, tmp_path, paths[3].name)
    finished = {path.name: shards.read_json(path) for path in (tmp_path / "kept").glob("*.json")}
    assert paths[3].name not in finished
    assert engine.map_shards(_say, paths, tmp_path, None) == [path.name for path in paths]
    assert {name: shards.read_json(tmp_path / "kept" / name) for name in finished} == finished


def _linger(path, out):
    (out / f"{path.name}.{os.getpid()}").touch()
    time.sleep(60)


def test_workers_end_with_a_killed_driver(lists, tmp_path):
    """Else they would write on into a folder that the next run has given its name."""
    _, paths = lists
    code = (
        "import sys; from pathlib import Path; from corpora.engine import Engine; from tests.corpora import test_engine;"
        "Engine(workers=2).map_shards(test_engine._linger, [*map(Path, sys.argv[2:])], Path(sys.argv[1]))"
    )
    driver = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), *map(str, paths)])
    workers = _wait_for(lambda: [int(path.suffix[1:]) for path in tmp_path.iterdir()], 2)
    driver.kill()
    driver.wait()
    _wait_for(lambda: [pid for pid in workers if not Path(f"/proc/{pid}").exists()], 2, seconds=5)


def _wait_for(look, count, seconds=30.0):
    deadline = time.monotonic() + seconds
    while len(found := look()) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found
