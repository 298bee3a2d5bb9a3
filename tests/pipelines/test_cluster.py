"""A run whose stages are jobs of a real Slurm: the driver is killed on the way, and the bytes are those of a run without it."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from pipelines.machine import CPU, GPU, TRAINING, Machine
from tests.conftest import Workplace
from tests.specialize import cluster as clusters
from tests.test_faults import digests

SETTINGS = """
[launcher]
kind = slurm
[slurm]
poll_seconds = 0.2
gpu =
cpus_per_task = 1
setup = export GLOO_SOCKET_IFNAME=lo
"""


def test_a_training_waits_for_its_ranks_and_all_else_is_a_job():
    values = {
        "root": Path(),
        "workers": 1,
        "runner": "native",
        "address": None,
        "sources": (),
        "opt_out": None,
        "bases": (),
    }
    places = (TRAINING, GPU, CPU)
    assert [Machine(launcher="slurm", **values).submits(place) for place in places] == [False, True, True]
    assert not any(Machine(launcher="local", **values).submits(place) for place in places)


@pytest.mark.slow
def test_a_killed_driver_finds_its_stages(tmp_path, monkeypatch):
    if clusters.missing():
        pytest.skip(clusters.missing())
    plain = Workplace(tmp_path / "plain")
    plain.luigi("BuildMathData", "--recipe", "tiny")
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, clusters.Cluster(Path(folder)) as cluster:
        for name, value in cluster.environment.items():
            monkeypatch.setenv(name, value)
        place = Workplace(tmp_path / "cluster", extra=SETTINGS)
        command = place.command("BuildMathData", "--recipe", "tiny")
        driver = subprocess.Popen(command, cwd=place.folder, stderr=subprocess.DEVNULL, start_new_session=True)
        while not list(place.store.glob("VerifyAnswers/*.slurm/job.json")):
            time.sleep(0.05)
            assert driver.poll() is None
        os.kill(driver.pid, 9)
        driver.wait()
        place.luigi("BuildMathData", "--recipe", "tiny")
        log = next(place.store.glob("VerifyAnswers/*/stage.log")).read_text()
    assert "attached to Slurm job" in log
    assert log.count("submitted Slurm job") == 1
    assert not list(place.store.glob("*/*.slurm"))
    assert digests(place.store) == digests(plain.store)
