"""Programs that try to get out, to stay, or to cheat. One property a test."""

import time

import pytest

import sandbox
from sandbox import Limits, Program, Status

pytestmark = [pytest.mark.jail, pytest.mark.usefixtures("jail")]
TIGHT = Limits(wall_seconds=5, cpu_seconds=2, memory_bytes=128 << 20, processes=8)
C = "import ctypes, os, socket, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def run(source, **fields):
    return sandbox.run(Program(source=source, **fields), limits=TIGHT)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('1.1.1.1', 53), 1)",
        "socket.create_connection(('127.0.0.1', 22), 1)",
        "socket.getaddrinfo('example.com', 80)",
        "socket.socket(40, socket.SOCK_STREAM)",  # AF_VSOCK: network namespaces do not scope it
        "socket.socket(16, socket.SOCK_RAW)",  # AF_NETLINK
        "open('/usr/x', 'w')",
        "open('/x', 'w')",
        "open('/packages/x', 'w')",
        "open('/dev/x', 'w')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "open('/proc/sysrq-trigger', 'w')",
        "open('/proc/1/mem', 'rb')",
        "open('/proc/1/environ', 'rb').read()",
        "os.readlink('/proc/1/fd/5')",
        "open('/etc/shadow')",
        "os.listdir('/home')",
        "os.listdir('/old')",
        "os.setuid(0)",
        "os.chroot('/tmp')",
        "os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0))",
        "os.kill(1, 9); os.kill(1, 0); os.close(99)",  # pid 1 does not hear it: the last call is what fails
    ],
)
def test_what_is_outside_stays_outside(attempt):
    outcome = run(C + attempt)
    assert outcome.status is Status.CRASHED, outcome
    assert "rror: " in outcome.detail


@pytest.mark.parametrize(
    "call",
    [
        "unshare(0x10000000)",
        "mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "umount2(b'/tmp', 2)",
        "ptrace(16, 1, 0, 0)",
        "setns(0, 0)",
        "syscall({io_uring_setup}, 8, 0)",
        "syscall({bpf}, 0, 0, 0)",
        "syscall({keyctl}, 0, 0)",
        "syscall({perf_event_open}, 0, 0, 0, 0, 0)",
        "syscall({userfaultfd}, 0)",
        "syscall({memfd_create}, b'x', 0)",
        "syscall({clone}, 0x10000011, 0, 0, 0, 0)",
        "shmget(0, 4096, 0o1600)",
    ],
)
def test_system_calls_that_are_refused(call):
    import platform

    from sandbox import seccomp

    known = seccomp.numbers(f"{seccomp._DENIED},{seccomp._ABSENT},{seccomp._BY_ARGUMENT}", platform.machine())
    source = C + f"print(libc.{call.format(**known)}, ctypes.get_errno())"
    assert run(source).stdout in {"-1 1\n", "-1 38\n"}  # EPERM, ENOSYS


def test_no_environment_of_the_caller(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with_secret = "import os\nprint(dict(os.environ), open('/proc/self/environ').read(), os.listdir('/tmp'))"
    pool = sandbox.pool._POOL
    pool.close()  # the next worker is started with the secret in our environment
    outcome = run(with_secret)
    assert outcome.status is Status.FINISHED
    assert "hunter2" not in outcome.stdout


def test_it_is_an_ordinary_user_without_capabilities():
    outcome = run("print(*[l for l in open('/proc/self/status') if l.startswith(('Uid', 'Cap', 'NoNew', 'Seccomp:'))])")
    fields = dict(line.split(":") for line in outcome.stdout.replace("\t", " ").strip().splitlines())
    fields = {name.strip(): value.split() for name, value in fields.items()}
    assert fields["Uid"] == ["1000"] * 4
    assert {fields[name][0] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == (["1"], ["2"])


def test_other_installed_packages_are_hidden():
    source = """
import glob, sys
print([glob.glob(f"{root}/lib*/python*/*-packages/*") for root in ("/usr", "/usr/local", sys.base_prefix)])
import pytest
"""
    outcome = run(source)
    assert outcome.stdout == "[[], [], []]\n"
    assert outcome.detail == "ModuleNotFoundError: No module named 'pytest'"


def test_only_the_programs_own_descriptors_are_open():
    assert run("import os\nprint(sorted(os.listdir('/proc/self/fd')))").stdout == "['0', '1', '2', '3']\n"  # 3 lists


def test_processes_are_bounded():
    outcome = run("import os, time\nfor _ in range(100):\n    if os.fork() == 0: time.sleep(9)")
    assert outcome.status is Status.CRASHED
    assert "BlockingIOError" in outcome.detail


def test_a_fork_bomb_is_over_at_the_wall_limit():
    outcome = run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
    assert outcome.status is Status.TIMEOUT
    assert run("print(1)").stdout == "1\n"


def test_memory_of_all_processes_is_summed():
    source = "import os, time\nos.fork(); os.fork()\nx = bytearray(b'1' * (60 << 20))\ntime.sleep(4)"
    assert run(source).status is Status.MEMORY


def test_disk_is_bounded():
    source = "for i in range(9):\n    with open(f'/tmp/{i}', 'wb') as f: f.write(bytes(8 << 20))"
    outcome = run(source)
    assert outcome.status is Status.CRASHED
    assert "No space left" in outcome.detail


def test_an_orphan_does_not_outlive_the_program():
    source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\n    time.sleep(60)\nprint('done')"
    started = time.monotonic()
    assert run(source).stdout == "done\n"
    assert time.monotonic() - started < 4
    seen = run("import os\nprint([p for p in os.listdir('/proc') if p.isdigit() and p not in ('1', str(os.getpid()))])")
    assert seen.stdout == "[]\n"


def test_nothing_stays_on_disk():
    run("open('/tmp/answer', 'w').write('42')")
    assert run("import os\nprint(os.listdir('/tmp'))").stdout == "[]\n"


TESTS = "assert f(1) == 12345678\nassert f(2) == 2"
ALWAYS_EQUAL = """
class A(int):
    def __eq__(self, other): return True
    __hash__ = None
"""
CHEATS = {
    "exit status": "import os\nos._exit(0)",
    "exit status in a call": "def f(x):\n    import os\n    os._exit(0)",
    "system exit": "raise SystemExit(0)",
    "exit handler": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): raise SystemExit(0)",
    "equal to all, int": ALWAYS_EQUAL + "def f(x): return A(7)",
    "equal to all, object": ALWAYS_EQUAL.replace("(int)", "") + "def f(x): return A()",
    "equal to all, list": ALWAYS_EQUAL.replace("(int)", "(list)") + "def f(x): return A()",
    "patched builtins": "import builtins\nbuiltins.abs = builtins.all = lambda *a: True\ndef f(x): return 0",
    "patched encoder": "import sandbox.values as v\nv.pack = lambda x: b'true'\ndef f(x): return x",
    "written frames": "import os\nfor _ in range(9): os.write(3, b'\\x01\\0\\0\\0+')\ndef f(x): return x",
    "true frames": "import os\nfor _ in range(9): os.write(3, b'\\x05\\0\\0\\0=true')\nos._exit(0)",
    "endless frame": "import os\nos.write(3, b'\\xff\\xff\\xff\\xff')\nwhile True: os.write(3, b'x' * 65536)",
    "pickle": "class A:\n    def __reduce__(self): return (eval, ('12345678',))\ndef f(x): return A()",
    "opaque in json": "def f(x): return {'i': '0xbc614e'}",
    "caller's frames": "import sys\ndef f(x):\n    g = sys._getframe()\n    while g: g = g.f_back\n    return 0",
    "closed socket": "import os\nos.close(3)\ndef f(x): return 12345678",
    "printed token": "print('PASSED')\ndef f(x): print('ok')",
    "killed parent": "import os, signal\nos.kill(-1, signal.SIGKILL)",
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_cheat_passes(cheat):
    outcome = run(CHEATS[cheat], tests=TESTS)
    assert outcome.status not in {Status.PASSED, Status.FINISHED}
    assert run("def f(x): return 12345678 if x == 1 else 2", tests=TESTS).status is Status.PASSED


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
    assert run(source, tests="assert f(0) == 'LAMBORDOUS'").detail == "assert f(0) == 'LAMBORDOUS'"
    assert run(source, tests="assert f('LAMBORDOUS') >= 1").status is Status.PASSED  # the search does find arguments
    assert run(source, tests="assert f(0) == 0\nassert f(1) != 'LAMBORDOUS'").status is Status.PASSED
