"""run and run_many: every way a program can end, the order, the retry, and the refusal."""

import json
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

import sandbox
from sandbox import Limits, Program, SandboxUnavailable, Status, pool, program, worker

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
TIGHT = Limits(wall_seconds=2, cpu_seconds=1, memory_bytes=128 << 20)
ADDS = "def f(x):\n    return x + 1\n"


def status(source, **fields):
    return sandbox.run(Program(source=source, **fields), limits=TIGHT).status


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print('hello')", Status.FINISHED),
        ("raise SystemExit", Status.FINISHED),
        ("1 / 0", Status.CRASHED),
        ("import os; os._exit(3)", Status.CRASHED),
        ("import os; os.abort()", Status.CRASHED),
        ("def f(:", Status.COMPILE_ERROR),
        ("x = '\ud800'", Status.COMPILE_ERROR),
        ("a" + "+a" * 200_000, Status.COMPILE_ERROR),
        ("while True: pass", Status.TIMEOUT),
        ("import time; time.sleep(60)", Status.TIMEOUT),
        ("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", Status.TIMEOUT),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", Status.MEMORY),
        ("while True: print('x' * 1000)", Status.OUTPUT),
        ("#" * (5 << 20), Status.COMPILE_ERROR),
    ],
)
def test_how_a_script_ends(source, expected):
    assert status(source) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ADDS, Status.PASSED),
        ("def f(x):\n    return x", Status.FAILED),
        ("def f(x):\n    return [0] * 10 ** 6", Status.FAILED),
        ("def f(x):\n    return object()", Status.NOT_COMPARABLE),
        ("def f(x):\n    1 / 0", Status.CRASHED),
        ("def g(x):\n    return x", Status.CRASHED),
        ("def f(x", Status.COMPILE_ERROR),
        ("def f(x):\n    while True: pass", Status.TIMEOUT),
        ("import time\ndef f(x):\n    time.sleep(60)", Status.TIMEOUT),
        ("def f(x):\n    return bytearray(1 << 30)", Status.MEMORY),
        ("def f(x):\n    print('x' * 10 ** 7)\n    return x + 1", Status.PASSED),
        ("if __name__ == '__main__':\n    input()\n" + ADDS, Status.PASSED),
    ],
)
def test_how_a_candidate_ends(source, expected):
    assert status(source, tests="assert f(1) == 2\nassert f(2) == 3") is expected


def test_arguments_are_fresh_for_every_call():
    source = "def f(x):\n    x.append(1)\n    return x"
    assert status(source, tests="assert f([]) == [1]\nassert f([]) == [1]") is Status.PASSED


def test_tests_that_are_not_literal_are_not_scored():
    outcome = sandbox.run(Program(source=ADDS, tests="for i in range(3):\n    assert f(i) == i + 1"))
    assert (outcome.status, outcome.detail) == (Status.NOT_SCORED, "line 1: For")


def test_streams_and_times():
    source = "import sys\nprint(input().upper(), *sys.stdin)\nprint('é', file=sys.stderr)\nsum(range(2_000_000))"
    outcome = sandbox.run(Program(source=source, stdin="grün\nzwei\n"))
    assert (outcome.status, outcome.stdout, outcome.stderr) == (Status.FINISHED, "GRÜN zwei\n\n", "é\n")
    assert 0.005 < outcome.cpu_seconds <= outcome.wall_seconds + 0.01


def test_a_traceback_names_the_program_only():
    outcome = sandbox.run(Program(source="def f():\n    1 / 0\nf()"))
    assert outcome.detail == "ZeroDivisionError: division by zero"
    assert "zygote" not in outcome.stderr
    assert "1 / 0" in outcome.stderr


def test_numpy_is_importable_where_it_is_installed():
    pytest.importorskip("numpy")
    source = "import numpy as np\ndef f(x):\n    return np.arange(x).sum()"
    assert status(source, tests="assert f(4) == 6") is Status.PASSED


def test_outcomes_keep_the_order_for_any_number_of_workers():
    programs = [Program(source=f"import time; time.sleep({0.02 * (i % 3)}); print({i})") for i in range(9)]
    assert [outcome.stdout for outcome in sandbox.run_many(programs, workers=3)] == [f"{i}\n" for i in range(9)]


def test_sets_have_one_order_in_every_worker():
    programs = [Program(source="print(set('abcdefgh'))")] * 6
    assert len({outcome.stdout for outcome in sandbox.run_many(programs, workers=3)}) == 1


def test_a_dead_idle_worker_is_replaced():
    sandbox.run(Program(source=""))
    for idle in pool._POOL._idle:
        idle._process.kill()
        idle._process.wait()
    time.sleep(0.1)
    assert status(ADDS) is Status.FINISHED


def test_a_fault_is_tried_again_and_then_raised(monkeypatch):
    attempts = []

    def faulty(*_):
        attempts.append(1)
        raise worker.WorkerFault("no more processes")

    monkeypatch.setattr(worker.Worker, "launch", faulty)
    with pytest.raises(SandboxUnavailable, match="twice: no more processes"):
        sandbox.run(Program(source=ADDS, tests="assert f(1) == 2"))
    assert len(attempts) == 2


def test_a_program_that_cannot_be_set_up_is_a_fault_not_a_verdict():
    with pytest.raises(SandboxUnavailable, match="could not be set up"):
        sandbox.run(Program(source=ADDS), limits=Limits(disk_bytes=1 << 70))


def test_a_forked_copy_makes_its_own_workers():
    sandbox.run(Program(source=""))
    child = os.fork()
    if child == 0:
        os._exit(0 if sandbox.run(Program(source=ADDS, tests="assert f(1) == 2")).status is Status.PASSED else 1)
    mine = [status(ADDS, tests=f"assert f({i}) == {i + 1}") for i in range(20)]
    assert os.waitpid(child, 0)[1] == 0
    assert set(mine) == {Status.PASSED}


NO_NAMESPACES = """
import os
from sandbox import Program, SandboxUnavailable, run, seccomp
machine = os.uname().machine
number = seccomp.numbers("unshare 272 97", machine)["unshare"]
seccomp.Installer(seccomp.assemble(machine, {number: [seccomp.fail(1)]})).install()
try:
    run(Program(source="print(1)"))
except SandboxUnavailable as refusal:
    print(refusal.step, "|", refusal.cure)
"""


def test_without_namespaces_nothing_runs():
    root = Path(sandbox.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", NO_NAMESPACES], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    step, _, cure = done.stdout.partition("|")
    assert step.startswith("cannot make a")
    assert "Operation not permitted" in step
    assert "container" in cure


def test_bad_requests_are_refused():
    for make in (
        lambda: Program(source="", language="cobol"),
        lambda: Program(source="", stdin="x", tests="assert f(1)"),
        lambda: Limits(wall_seconds=0),
        lambda: Limits(cpu_seconds=1.5),
        lambda: sandbox.run_many([], workers=0),
    ):
        with pytest.raises(ValueError, match="must be"):
            make()


def test_importing_the_package_is_light():
    code = "import sandbox, sys, json; print(json.dumps([m for m in sys.modules if m.startswith('sandbox')]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == ["sandbox"]
    assert program.Status is sandbox.Status


def test_an_interpreter_behind_a_symbolic_link(tmp_path):
    """As /home is on many clusters: the links of the path lead nowhere inside the jail."""
    (tmp_path / "link").symlink_to(sys.prefix, target_is_directory=True)
    (tmp_path / "packages").symlink_to(sysconfig.get_paths()["purelib"], target_is_directory=True)
    code = "import sandbox\nprint(sandbox.run(sandbox.Program(source='import numpy; print(numpy.array([1]))')).stdout)"
    environment = {"PYTHONPATH": f"{tmp_path / 'packages'}:{Path(sandbox.__file__).parent.parent}"}
    command = [str(tmp_path / "link/bin/python"), "-c", code]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout == "[1]\n\n", found.stderr
