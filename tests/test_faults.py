"""What may happen to a run that builds a corpus: a killed driver, a full disk, damaged files. It ends with the same bytes."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import Workplace

GOAL = "DropNearDuplicates"


def build(place: Workplace, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return place.luigi(GOAL, "--recipe", "tiny", check=check)


def digests(store: Path) -> dict[str, str]:
    """SHA-256 of every file, and of its manifest's claim: both must hold."""
    found = {}
    for path in store.glob("*/*/manifest.json"):
        for name, entry in json.loads(path.read_text())["files"].items():
            found[f"{path.parent.parent.name}/{name}"] = entry["sha256"]
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    place = Workplace(tmp_path_factory.mktemp("unbroken") / "a workplace")
    build(place)
    return digests(place.store)


def kill_when(place: Workplace, pattern: str, *, group: bool) -> None:
    """Start the build, and kill it -9 as soon as the store holds such a file: Luigi's process, or all of the run's."""
    process = subprocess.Popen(
        place.command(GOAL, "--recipe", "tiny"),
        cwd=place.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(place.store.glob(pattern)):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    while not group and _members(process.pid):
        assert time.monotonic() < deadline, "a process of the killed run goes on"
        time.sleep(0.05)


def _members(group: int) -> list[int]:
    """Processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        found += [int(path.parent.name)] if int(its_group) == group and state != "Z" else []
    return found


@pytest.mark.parametrize("group", [True, False], ids=["the run", "the driver alone"])
def test_a_killed_run_ends_with_the_same_bytes(group, workplace, unbroken):
    kill_when(workplace, "FilterCode/*.partial/kept/*.parquet", group=group)
    build(workplace)
    assert digests(workplace.store) == unbroken
    assert not list(workplace.store.glob("*/*.partial"))


@pytest.mark.parametrize(
    "what",
    [
        "kept/*.parquet",
        pytest.param("rejected/*.parquet", marks=pytest.mark.slow),
        pytest.param("shards/*.json", marks=pytest.mark.slow),
    ],
)
def test_files_that_a_kill_left_damaged_are_made_again(what, workplace, unbroken):
    """As after a power cut on a file system that keeps names before contents."""
    kill_when(workplace, f"FilterCode/*.partial/{what}", group=True)
    for path in workplace.store.glob("FilterCode/*.partial/*/*.*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    build(workplace)
    assert digests(workplace.store) == unbroken


def test_a_damaged_input_is_named_and_its_cure_cures(workplace, unbroken):
    workplace.luigi("CollectCode", "--recipe", "tiny")
    shard = sorted(workplace.store.glob("CollectCode/*/kept/*.parquet"))[1]
    shard.write_bytes(shard.read_bytes()[:-20])
    failed = build(workplace, check=False)
    assert failed.returncode
    named = re.search(
        rf"{re.escape(str(shard))} is not a readable .*; delete (.+) and run the stage again", failed.stderr
    )
    assert named, failed.stderr
    assert Path(named[1]) == shard.parent.parent
    shutil.rmtree(named[1])
    build(workplace)
    assert digests(workplace.store) == unbroken


@pytest.mark.slow
def test_a_full_disk_costs_nothing_that_was_finished(workplace, unbroken):
    """The store is a file system of its own with 300 KB left, in a mount namespace of the test's own."""
    workplace.store.mkdir()
    command = shlex.join(workplace.command(GOAL, "--recipe", "tiny"))
    script = f"""
mount -t tmpfs -o size=20m tmpfs runs && head -c {(20 << 20) - (300 << 10)} /dev/zero > runs/filler && {command} 2> first
echo "first $?"; rm runs/filler && {command}
echo "second $?"; cp -r runs copy
"""
    done = workplace.run("unshare", "--user", "--map-root-user", "--mount", "bash", "-c", script, check=False)
    if "first" not in done.stdout:
        pytest.skip(f"no mount namespace of one's own: {done.stderr.strip()}")
    assert "first 30" in done.stdout
    assert "is full: free some space" in (workplace.folder / "first").read_text()
    assert "second 0" in done.stdout
    assert digests(workplace.folder / "copy") == unbroken
