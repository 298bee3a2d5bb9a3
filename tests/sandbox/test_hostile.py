"""The hostile corpus, program by program, and the properties that no single program can show.

The programs and what must become of them are in hostile/: one file each, one table. After each, the worker is clean.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox import Limits, Program, Status, worker
from tests.sandbox.hostile import corpus

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
ROOT = Path(sandbox.__file__).parent.parent
CASES = [case for group in corpus.CLASSES for case in corpus.cases(group)]
WITHOUT_DESCRIPTION = {"confuse/nothing", "confuse/not_a_program", "confuse/wrong_encoding"}


@pytest.fixture(scope="module")
def started():
    """The workers started since the corpus began, and what a program sees of a clean one."""
    spawn, seen = worker._spawn, []

    def counted(control):
        seen.append(control)
        return spawn(control)

    worker._spawn = counted
    assert corpus.passes()
    yield seen, corpus.state()
    worker._spawn = spawn


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}/{case.name}")
def test_a_program_of_the_corpus(case, started):
    if case.missing:
        pytest.skip(f"{case.missing} is not installed")
    seen, clean = started
    before = len(seen)
    for program in case.programs:
        assert not case.problem(sandbox.run(program, limits=case.limits))
        assert corpus.state() == clean
    assert len(seen) == before or case.group == "honest", "a worker was lost: that is a fault, not a verdict"


def test_a_right_solution_passes_after_all_of_them(started):
    assert started
    assert corpus.passes()


def test_every_program_has_a_row_and_says_what_it_tries():
    files = {f"{path.parent.name}/{path.stem}": path for path in corpus.HERE.glob("*/*.py")}
    assert {f"{case.group}/{case.name}" for case in CASES} == set(files)
    assert len(CASES) >= 200
    silent = {name for name, path in files.items() if path.read_text(encoding="utf-8")[:3] != '"""'}
    assert silent <= WITHOUT_DESCRIPTION


@pytest.mark.slow
def test_the_corpus_as_an_ordinary_user():
    """Root and user are two paths into the jail; this takes the other one."""
    if os.geteuid() != 0:
        pytest.skip("this is an ordinary user already")
    python = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    run = {"cwd": ROOT, "user": 1777, "group": 1777, "extra_groups": [], "capture_output": True, "text": True}
    environment = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    if not python or subprocess.run([python, "-c", "import sandbox"], env=environment, check=False, **run).returncode:
        pytest.skip("no interpreter that every user may run, or this folder is private")
    command = [python, "-m", "tests.sandbox.hostile.corpus"]
    done = subprocess.run(command, env=environment, timeout=1200, check=False, **run)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_environment_of_the_caller(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with_secret = "import os\nprint(dict(os.environ), open('/proc/self/environ').read(), os.listdir('/tmp'))"
    sandbox.pool.IDLE.close()  # the next worker is started with the secret in our environment
    outcome = sandbox.run(Program(source=with_secret))
    assert outcome.status is Status.FINISHED
    assert "hunter2" not in outcome.stdout


def test_expected_values_are_not_in_the_candidates_memory():
    source = """
import re
def f(x):
    needle = re.compile(b'L[A][M][B]ORDOUS')  # a plain needle would find itself
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as mem:
        found = 0
        for line in maps:
            low, high = (int(n, 16) for n in line.split()[0].split('-'))
            if 'r' in line.split()[1] and '[v' not in line:
                mem.seek(low)
                found += sum(1 for _ in needle.finditer(mem.read(high - low)))
    return found
"""

    def run(tests):
        return sandbox.run(Program(source=source, tests=tests), limits=Limits(memory_bytes=256 << 20))

    assert run("assert f(0) == 'LAMBORDOUS'").detail == "assert f(0) == 'LAMBORDOUS'"
    assert run("assert f('LAMBORDOUS') >= 1").status is Status.PASSED  # the search does find arguments
    assert run("assert f(0) == 0\nassert f(1) != 'LAMBORDOUS'").status is Status.PASSED


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="the escape is one of real root")


@NEEDS_ROOT
def test_root_is_given_up_before_the_jail_exists():
    """The prototypes mapped the jail's user to root: its programs could write kernel settings and fork without end."""
    with_worker = worker.Worker()
    try:
        ids = Path(f"/proc/{with_worker._process.pid}/status").read_text(encoding="utf-8")
    finally:
        with_worker.close()
    fields = dict(line.split(":\t", 1) for line in ids.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65534"] * 4
    assert fields["Gid"].split() == ["65534"] * 4
    assert fields["Groups"].strip() == ""


@NEEDS_ROOT
def test_as_root_kernel_settings_stay_and_processes_are_bounded():
    source = """
import os
seen = []
for name in ("sys/kernel/core_pattern", "sys/vm/overcommit_memory", "sysrq-trigger", "sys/kernel/modprobe"):
    try:
        seen.append(os.open(f"/proc/{name}", os.O_WRONLY))
    except OSError:
        pass
forks = 0
try:
    for forks in range(100):
        if os.fork() == 0:
            import time; time.sleep(60)
except OSError:
    pass
print(seen, forks, open("/proc/self/uid_map").read().split())
"""
    outcome = sandbox.run(Program(source=source), limits=Limits(processes=16))
    assert outcome.stdout == "[] 15 ['1000', '1000', '1']\n"


def test_an_interpreter_with_capabilities_of_its_own(tmp_path_factory):
    """File capabilities make a process's /proc files root's, and would be lent to programs."""
    if os.geteuid() != 0 or not shutil.which("setcap"):
        pytest.skip("only root can give a file capabilities")
    folder = Path("/var/tmp") / f"sandbox-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        python = shutil.copy(
            os.path.realpath(shutil.which("python3", path="/usr/bin") or sys.executable), folder / "python3"
        )
        subprocess.run(["setcap", "cap_net_raw,cap_sys_admin+ep", python], check=True)
        code = "import sandbox; print(sandbox.run(sandbox.Program(source=open('{}').read())).stdout)"
        code = code.format(corpus.HERE / "escape/no_capabilities.py")
        environment = {"PYTHONPATH": str(ROOT), "PYTHONHOME": "/usr", "HOME": "/nonexistent"}
        run = {"env": environment, "cwd": "/", "capture_output": True, "text": True, "timeout": 120}
        done = subprocess.run([python, "-B", "-c", code], user=1777, group=1777, extra_groups=[], check=False, **run)
        if "No module named 'encodings'" in done.stderr or "No module named 'sandbox'" in done.stderr:
            pytest.skip("no interpreter that can be copied")
        assert done.stdout == "contained\n\n", done.stderr
    finally:
        shutil.rmtree(folder)
