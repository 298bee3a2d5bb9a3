"""Ranks start together, end together, and a failure says what happened."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from specialize import TrainingFailed
from specialize.launch import Local


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Make a module that ranks can run."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")

    def write(source):
        (tmp_path / "rank_module.py").write_text(textwrap.dedent(source))
        return "rank_module"

    return write


def test_ranks_know_their_number(tmp_path, module):
    name = module("""
        import os, pathlib, sys
        values = [os.environ[key] for key in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "OMP_NUM_THREADS")]
        pathlib.Path(sys.argv[1], os.environ["RANK"]).write_text(" ".join(values))
    """)
    Local(threads=3).run(name, [str(tmp_path)], ranks=2, log=tmp_path / "train.log")
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == ["0 0 2 3", "1 1 2 3"]


def test_a_crash_ends_with_the_last_lines_of_its_log(tmp_path, module):
    name = module("""
        print("\\n".join(f"line {number}" for number in range(50)), flush=True)
        raise RuntimeError("out of luck")
    """)
    with pytest.raises(TrainingFailed) as failure:
        Local().run(name, [], ranks=1, log=tmp_path / "train.log")
    message = str(failure.value)
    assert message.startswith(f"training rank 0 exited with 1; see {tmp_path}/train.log, which ends:")
    assert "line 49" in message
    assert "line 5\n" not in message
    assert message.endswith("RuntimeError: out of luck")


def test_one_failed_rank_ends_the_others(tmp_path, module):
    name = module("""
        import os, sys, time
        if os.environ["RANK"] == "1":
            sys.exit("rank one is unwell")
        time.sleep(60)
    """)
    started = time.monotonic()
    with pytest.raises(TrainingFailed, match=r"(?s)rank 1 exited with 1; see .*train\.1\.log.*rank one is unwell"):
        Local().run(name, [], ranks=2, log=tmp_path / "train.log")
    assert time.monotonic() - started < 10


def test_a_killed_rank_is_named_by_its_signal(tmp_path, module):
    name = module("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(TrainingFailed, match="was killed by SIGKILL"):
        Local().run(name, [], ranks=1, log=tmp_path / "train.log")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stopped_launcher_leaves_no_rank_behind(tmp_path, module, name):
    rank = module("""
        import os, pathlib, sys, time
        target = pathlib.Path(sys.argv[1], f"pid.{os.environ['RANK']}")
        target.with_suffix(".tmp" + os.environ["RANK"]).write_text(str(os.getpid()))
        target.with_suffix(".tmp" + os.environ["RANK"]).rename(target)
        time.sleep(60)
    """)
    launcher = f"""
        import pathlib, signal, sys
        from specialize.launch import Local
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        Local().run("{rank}", [{str(tmp_path)!r}], ranks=2, log=pathlib.Path({str(tmp_path)!r}, "train.log"))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(launcher)], stderr=subprocess.DEVNULL)
    pids = [_read(tmp_path / f"pid.{number}") for number in range(2)]
    process.send_signal(getattr(__import__("signal"), name))
    process.wait(15)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _read(path):
    for _ in range(400):
        with contextlib.suppress(FileNotFoundError):
            return int(path.read_text())
        time.sleep(0.05)
    raise TimeoutError(path)
