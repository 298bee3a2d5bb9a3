"""The machine fails under a program: no wrong verdict, nothing lost, one clear error when it fails again."""

import errno
import marshal
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

import sandbox
from sandbox import Limits, Program, SandboxUnavailable, Status, pool, worker
from tests.sandbox.hostile import corpus

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
ROOT = Path(sandbox.__file__).parent.parent
SCRIPT = Program(source="import time; time.sleep(0.3); print('done')")
SLOW = "import time; time.sleep(0.3)\n" + corpus.SOLUTION
LITERAL = Program(source=SLOW, tests=corpus.LITERAL)
GENERAL = Program(source=SLOW, tests=corpus.GENERAL, entry_point="f")
EVERY_PATH = pytest.mark.parametrize("program", [SCRIPT, LITERAL, GENERAL], ids=["script", "literal", "general"])


def pid_1(of):
    """The zygote of a worker, as seen from outside its jail."""
    outside = of._process.pid
    return int(Path(f"/proc/{outside}/task/{outside}/children").read_text(encoding="ascii").split()[0])


def is_right(outcome):
    return outcome.status is Status.PASSED or (outcome.status, outcome.stdout) == (Status.FINISHED, "done\n")


@pytest.fixture
def after_launch(monkeypatch):
    """Have something done to the worker of each launch that is named, counted from 0."""
    launch = worker.Worker.launch
    count = []

    def install(do, launches):
        def launched(self, *arguments, **keywords):
            launch(self, *arguments, **keywords)
            count.append(self)
            if launches is None or len(count) - 1 in launches:
                do(self)

        monkeypatch.setattr(worker.Worker, "launch", launched)
        return count

    return install


def send(number):
    return lambda of: os.kill(pid_1(of), number)


@EVERY_PATH
def test_pid_1_killed_while_a_program_runs_in_it(program, after_launch):
    count = after_launch(send(signal.SIGKILL), {0})
    assert is_right(sandbox.run(program))
    assert count[1] is not count[0]


def test_the_jail_of_the_tests_killed_while_they_run(after_launch):
    after_launch(send(signal.SIGKILL), {1})  # the second launch of the general path
    assert is_right(sandbox.run(GENERAL))


@EVERY_PATH
def test_pid_1_that_does_not_answer(program, after_launch, monkeypatch):
    monkeypatch.setattr(worker, "STOP_SECONDS", 2.0)
    pool.IDLE.close()  # the time to answer is set when a worker starts
    count = after_launch(send(signal.SIGSTOP), {0})
    assert is_right(sandbox.run(program, limits=Limits(wall_seconds=8)))
    assert count[1] is not count[0]
    pool.IDLE.close()


REFUSALS = {
    "fork": "zygote.linux.fork = refuse(11)",  # EAGAIN: no more processes
    "unshare": "zygote.unshare = refuse(28)",  # ENOSPC: no more namespaces
    "mount": "zygote.mount_tmpfs = refuse(12)",  # ENOMEM
    "limits": "zygote.setrlimit = refuse(1)",
    "capabilities": "zygote.drop_capabilities = refuse(1)",
}


@pytest.fixture
def refusing(monkeypatch):
    """Workers whose pid 1 is refused something, from the first one on: so many of them, or all."""

    def install(what, workers):
        code = f"refuse = lambda n: lambda *a: (_ for _ in ()).throw(OSError(n, os.strerror(n))); import os; {what}"
        inside = f"zygote._BOOT = zygote._BOOT.replace('zygote.serve(', {code!r} + '; zygote.serve('); zygote.main("
        spawn, boot, count = worker._spawn, worker._BOOT, []

        def spawned(control):
            count.append(control)
            is_refusing = workers is None or len(count) <= workers
            monkeypatch.setattr(worker, "_BOOT", boot.replace("zygote.main(", inside) if is_refusing else boot)
            return spawn(control)

        monkeypatch.setattr(worker, "_spawn", spawned)
        pool.IDLE.close()
        return count

    yield install
    pool.IDLE.close()


@EVERY_PATH
@pytest.mark.parametrize("what", REFUSALS)
def test_pid_1_that_is_refused_what_a_program_needs(program, what, refusing):
    count = refusing(REFUSALS[what], 1)
    assert is_right(sandbox.run(program))
    assert len(count) >= 2


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_that_stays_is_one_clear_error(what, refusing):
    refusing(REFUSALS[what], None)
    with pytest.raises(SandboxUnavailable, match="a worker failed twice"):
        sandbox.run_many([LITERAL] * 3, workers=2)


@pytest.fixture
def refusing_to_start(monkeypatch):
    """Jails that are refused something while they are made, or their process: so many of them, or all."""

    def install(what, number, workers):
        code = f"refuse = lambda n: lambda *a: (_ for _ in ()).throw(OSError(n, os.strerror(n))); import os; {what}"
        spawn, boot, count = worker._spawn, worker._BOOT, []

        def spawned(control):
            count.append(control)
            is_refusing = workers is None or len(count) <= workers
            if is_refusing and not what:
                raise OSError(number, os.strerror(number))
            inside = boot.replace("zygote.main(", f"{code}({number}); zygote.main(")
            monkeypatch.setattr(worker, "_BOOT", inside if is_refusing else boot)
            return spawn(control)

        monkeypatch.setattr(worker, "_spawn", spawned)
        pool.IDLE.close()
        return count

    yield install
    pool.IDLE.close()


START = {"process": "", "unshare": "zygote.jail.linux.unshare = refuse", "mount": "zygote.rootfs.mount = refuse"}
BUSY = pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM], ids=["EAGAIN", "ENOMEM"])


@BUSY
@pytest.mark.parametrize("what", START)
def test_a_jail_that_cannot_start_now_is_tried_once_more(what, number, refusing_to_start):
    count = refusing_to_start(START[what], number, 1)
    assert is_right(sandbox.run(LITERAL))
    assert len(count) == 2


@BUSY
def test_a_jail_that_cannot_start_twice_is_one_clear_error(number, refusing_to_start):
    count = refusing_to_start(START["unshare"], number, None)
    with pytest.raises(SandboxUnavailable, match="a worker failed twice: the jail did not start: cannot make a"):
        sandbox.run(LITERAL)
    assert len(count) == 2


def test_a_jail_that_may_not_start_is_refused_at_once(refusing_to_start):
    count = refusing_to_start(START["unshare"], errno.EPERM, None)
    with pytest.raises(SandboxUnavailable, match="cannot make a"):
        sandbox.run(LITERAL)
    assert len(count) == 1


@EVERY_PATH
def test_a_machine_that_fails_every_time_is_one_clear_error(program, after_launch):
    after_launch(send(signal.SIGKILL), None)
    with pytest.raises(SandboxUnavailable, match="a worker failed twice"):
        sandbox.run_many([program] * 3, workers=2)


def test_after_the_error_all_is_as_before():
    outcomes = sandbox.run_many([SCRIPT, LITERAL, GENERAL] * 2, workers=2)
    assert all(is_right(outcome) for outcome in outcomes)


def test_a_batch_with_hostile_programs_keeps_the_others():
    """Whatever its neighbours do to their own jails, in the same moment or just before."""
    names = (
        "exhaust/disk_fill",
        "exhaust/fork_many",
        "persist/all_processes",
        "persist/full_tmp",
        "confuse/killed_all",
    )
    hostile = [Program(source=(corpus.HERE / f"{name}.py").read_text(encoding="utf-8")) for name in names]
    programs = [program for each in hostile for program in (each, LITERAL)]
    outcomes = sandbox.run_many(programs, workers=2, limits=corpus.LIMITS["honest"])
    assert [outcome.status for outcome in outcomes[1::2]] == [Status.PASSED] * len(hostile)


NO_DESCRIPTORS = """
import os, resource, sandbox
program = sandbox.Program(source="print(1)")
assert sandbox.run(program).stdout == "1\\n"
last = os.open("/dev/null", os.O_RDONLY)
resource.setrlimit(resource.RLIMIT_NOFILE, (last + 2, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    print(sandbox.run(program).status)
except (OSError, sandbox.SandboxUnavailable) as error:
    print("refused:", error)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
print(sandbox.run(program).stdout)
"""


def test_a_caller_without_descriptors_gets_an_error_not_an_outcome():
    command = [sys.executable, "-c", NO_DESCRIPTORS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("refused:"), done.stderr
    assert "Too many open files" in lines[0]
    assert lines[1] == "1"


def test_page_tables_count_as_memory(monkeypatch):
    """Reading pages of zeros makes no page resident; a runtime with a boundless address space could fill memory so."""
    boundless = types.SimpleNamespace(
        dumps=lambda order, version: marshal.dumps({**order, "address_space": 1 << 46}, version)
    )
    monkeypatch.setattr(worker, "marshal", boundless)
    source = """
import mmap, time
pages = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)  # MAP_NORESERVE
for at in range(0, 200_000 << 21, 1 << 21):
    pages[at % (1 << 40)]
time.sleep(5)
"""
    outcome = sandbox.run(Program(source=source), limits=Limits(memory_bytes=64 << 20, cpu_seconds=20))
    assert outcome.status is Status.MEMORY, outcome
