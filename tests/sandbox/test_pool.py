"""run and run_many: every way a program can end, the order, the retry, and the refusal."""

import dataclasses
import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import sandbox
from sandbox import Limits, Program, SandboxUnavailable, Status, pool, program, worker

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
TIGHT = Limits(wall_seconds=2, cpu_seconds=1, memory_bytes=128 << 20)
ROOT = Path(sandbox.__file__).parent.parent
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


def test_tests_that_are_not_literal_run_in_a_jail_of_their_own():
    tests = "for i in range(3):\n    assert f(i) == i + 1"
    assert sandbox.run(Program(source=ADDS, tests=tests)).status is Status.PASSED
    assert sandbox.run(Program(source=ADDS, tests=tests + " + i")).status is Status.FAILED


def test_text_that_is_no_test_is_not_scored():
    outcome = sandbox.run(Program(source=ADDS, tests="assert f("))
    assert outcome.status is Status.NOT_SCORED
    assert "do not parse" in outcome.detail


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


@pytest.mark.parametrize("workers", [1, 3])
def test_the_source_is_read_no_further_ahead_than_needed(workers):
    taken, ahead = [], []

    def source():
        for i in range(30):
            taken.append(i)
            yield Program(source=f"print({i})")

    outcomes = sandbox.run_many(source(), workers=workers, progress=lambda done: ahead.append(len(taken) - done))
    assert [outcome.stdout for outcome in outcomes] == [f"{i}\n" for i in range(30)]
    assert len(ahead) == 30
    assert max(ahead) <= pool.AHEAD * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_in_the_thread_of_the_caller(workers):
    calls = []
    programs = [Program(source="")] * 5
    sandbox.run_many(programs, workers=workers, progress=lambda done: calls.append((done, threading.get_ident())))
    assert calls == [(done, threading.get_ident()) for done in range(1, 6)]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_source_ends_the_call_at_once(workers):
    def source():
        yield Program(source="")
        if workers > 1:
            yield Program(source="import time; time.sleep(100)")
        raise LookupError("no more rows")

    started = time.monotonic()
    with pytest.raises(LookupError, match="no more rows"):
        sandbox.run_many(source(), limits=Limits(wall_seconds=100), workers=workers)
    assert time.monotonic() - started < 50
    assert status(ADDS) is Status.FINISHED


def test_no_programs_give_no_outcomes():
    assert sandbox.run_many(iter(()), workers=4) == []


def test_sets_have_one_order_in_every_worker():
    programs = [Program(source="print(set('abcdefgh'))")] * 6
    assert len({outcome.stdout for outcome in sandbox.run_many(programs, workers=3)}) == 1


def idle_workers():
    return [idle for workers in pool.IDLE._idle.values() for idle in workers]


def test_a_jail_that_died_while_idle_costs_no_retry(monkeypatch):
    sandbox.run_many([Program(source="import time; time.sleep(0.1)")] * 6, workers=3)
    for idle in idle_workers():
        idle._process.kill()
        idle._process.wait()
    launch, attempts = worker.Worker.launch, []

    def faulty_once(*arguments, **keywords):
        attempts.append(1)
        if len(attempts) == 1:
            raise worker.WorkerFault("no more processes")
        return launch(*arguments, **keywords)

    monkeypatch.setattr(worker.Worker, "launch", faulty_once)
    assert status(ADDS) is Status.FINISHED
    assert len(attempts) == 2


def test_a_jail_that_dies_under_a_batch_loses_nothing():
    """One death a batch: a program that two of them hit would rightly be given up."""
    programs = [Program(source=f"import time; time.sleep(0.05); print({i})") for i in range(40)]
    deaths = []

    def kill_one(done):
        if done == 10:
            busy = [each for each in pool.IDLE._all if each._process.poll() is None]
            busy[0].kill()
            deaths.append(done)

    for _ in range(2):
        outcomes = sandbox.run_many(programs, workers=3, progress=kill_one)
        assert [outcome.stdout for outcome in outcomes] == [f"{i}\n" for i in range(40)]
    assert deaths == [10, 10]


def test_a_fault_is_tried_again_and_then_raised(monkeypatch):
    attempts = []

    def faulty(*_):
        attempts.append(1)
        raise worker.WorkerFault("no more processes")

    monkeypatch.setattr(worker.Worker, "launch", faulty)
    with pytest.raises(SandboxUnavailable, match="twice: no more processes"):
        sandbox.run(Program(source=ADDS, tests="assert f(1) == 2"))
    assert len(attempts) == 2


def test_a_program_that_cannot_be_set_up_is_a_fault_not_a_verdict(monkeypatch):
    monkeypatch.setattr(worker, "memory_file", lambda _: os.open("/", os.O_RDONLY))  # a source that cannot be read
    with pytest.raises(SandboxUnavailable, match=r"could not be set up: \w+Error"):
        sandbox.run(Program(source=ADDS))


def test_a_program_that_had_no_core_is_run_again_after_the_others(monkeypatch):
    order, execute = [], pool.execute

    def starved_once(idle, program, limits):
        order.append(program.source)
        outcome = execute(idle, program, limits)
        if order.count("print('b')") == 1 and program.source == "print('b')":
            return dataclasses.replace(outcome, status=Status.TIMEOUT, cpu_seconds=1.0, waited_seconds=19.0)
        return outcome

    monkeypatch.setattr(pool, "execute", starved_once)
    done = []
    programs = [Program(source=f"print('{letter}')") for letter in "abc"]
    outcomes = sandbox.run_many(programs, progress=done.append)
    assert [outcome.stdout for outcome in outcomes] == ["a\n", "b\n", "c\n"]
    assert order == ["print('a')", "print('b')", "print('c')", "print('b')"]
    assert done == [1, 2, 3]


def test_a_sleeper_is_not_taken_for_one_that_had_no_core():
    outcome = sandbox.run(Program(source="import time; time.sleep(60)"), limits=TIGHT)
    assert outcome.status is Status.TIMEOUT
    assert outcome.wall_seconds < 3  # it was run once


def test_a_kill_by_the_kernel_for_want_of_memory_is_a_fault(monkeypatch):
    suicide = Program(source="import os; os.kill(os.getpid(), 9)")
    assert sandbox.run(suicide).status is Status.CRASHED
    kills = itertools.count(10**9)
    monkeypatch.setattr(worker, "_count_oom_kills", lambda: next(kills))
    with pytest.raises(SandboxUnavailable, match="want of memory"):
        sandbox.run(suicide)


def test_what_a_package_costs_is_paid_by_the_jail_not_by_the_program():
    pytest.importorskip("numpy")
    times = [sandbox.run(Program(source="import numpy")).cpu_seconds for _ in range(6)]
    assert min(times[1:]) < 0.03  # the import takes 0.1


@pytest.mark.parametrize("module", ["random", "numpy.random"])
def test_random_numbers_are_the_same_for_every_program_on_every_worker(module):
    """So that a program ends the same way again, whatever ran before it."""
    pytest.importorskip(module)
    programs = [Program(source=f"import {module}; print({module}.random())")] * 4
    (numbers,) = {outcome.stdout for outcome in sandbox.run_many(programs, workers=2)}
    assert 0 < float(numbers) < 1


def test_a_forked_copy_makes_its_own_workers():
    sandbox.run(Program(source=""))
    child = os.fork()
    if child == 0:
        os._exit(0 if sandbox.run(Program(source=ADDS, tests="assert f(1) == 2")).status is Status.PASSED else 1)
    mine = [status(ADDS, tests=f"assert f({i}) == {i + 1}") for i in range(20)]
    assert os.waitpid(child, 0)[1] == 0
    assert set(mine) == {Status.PASSED}


def judged_in_a_process(numbers):
    programs = [Program(source=ADDS, tests=f"assert f({i}) == {i + 1}") for i in numbers]
    return [outcome.status.value for outcome in sandbox.run_many(programs, workers=2)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_processes_of_a_data_engine_use_it(method):
    sandbox.run(Program(source=""))
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as processes:
        results = list(processes.map(judged_in_a_process, [range(5), range(5)]))
    assert results == [["passed"] * 5] * 2


SLEEPERS = """
import sandbox, sys
programs = (sandbox.Program(source="import time; print(1); time.sleep(600)") for _ in range(9))
limits = sandbox.Limits(wall_seconds=600)
try:
    sandbox.run_many(programs, workers=int(sys.argv[1]), limits=limits)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sandbox.run(sandbox.Program(source=""))  # it goes on to work
"""


def below(pid):
    """Every process that descends from one."""
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _words(task / "children")]
    return children + [far for near in children for far in below(near)]


def _words(path):
    try:
        return path.read_text().split()
    except OSError:
        return []


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_whatever_ends_the_caller_ends_the_programs(number, workers):
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPERS, str(workers)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while len(found := below(process.pid)) < 3 * workers and time.monotonic() < deadline:  # outside, pid 1, program
        time.sleep(0.1)
    assert len(found) >= 3 * workers
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert output == ("interrupted\n" if number == signal.SIGINT else "")
    while alive := [pid for pid in found if _is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


NO_NAMESPACES = """
import ctypes, os
from sandbox import Program, SandboxUnavailable, run, seccomp
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # no new privileges: an ordinary user may install a filter only then
machine = os.uname().machine
number = seccomp.numbers("unshare 272 97", machine)["unshare"]
seccomp.Installer(seccomp.assemble(machine, {number: [seccomp.fail(1)]})).install()
try:
    run(Program(source="print(1)"))
except SandboxUnavailable as refusal:
    print(refusal.step, "|", refusal.cure)
"""


def test_without_namespaces_nothing_runs():
    done = subprocess.run(
        [sys.executable, "-c", NO_NAMESPACES], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
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
