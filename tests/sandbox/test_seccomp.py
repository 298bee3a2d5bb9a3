"""The filter, run here instruction by instruction: what the kernel would answer, on both machines."""

import errno
import re
import struct
from pathlib import Path

import pytest

from sandbox import seccomp

ALLOWED, KILLED = seccomp.ALLOW[3], seccomp.KILL[3]
MACHINES = list(seccomp.MACHINES)


def decide(program: bytes, arch: int, number: int, *arguments: int) -> int:
    data = struct.pack("<IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    position = word = 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("<HBBI", program, 8 * position)
        position += 1
        if code == seccomp.RETURN:
            return operand
        if code == seccomp.LOAD:
            (word,) = struct.unpack_from("<I", data, operand)
            continue
        holds = {
            seccomp.EQUAL: word == operand,
            seccomp.AT_LEAST: word >= operand,
            seccomp.ANY_BIT: bool(word & operand),
        }[code]
        position += if_true if holds else if_false


@pytest.fixture(params=MACHINES)
def machine(request):
    return request.param


def asker(machine, rules):
    program = seccomp.assemble(machine, rules(machine))
    return lambda number, *arguments: decide(program, seccomp.MACHINES[machine], number, *arguments)


@pytest.fixture
def ask(machine):
    return asker(machine, seccomp.base_rules)


@pytest.fixture
def ask_late(machine):
    return asker(machine, seccomp.late_rules)


@pytest.fixture
def by_argument(machine):
    return seccomp.numbers(seccomp._BY_ARGUMENT, machine)


def refused(number: int) -> int:
    return seccomp.fail(number)[3]


EPERM, ENOSYS, DONE = refused(errno.EPERM), refused(errno.ENOSYS), refused(0)


def test_every_denied_number_fails_and_every_other_passes(ask, machine, by_argument):
    tables = {seccomp._DENIED: EPERM, seccomp._ABSENT: ENOSYS, seccomp._IGNORED: DONE}
    wanted = {n: answer for table, answer in tables.items() for n in seccomp.numbers(table, machine).values()}
    for number in set(range(600)) - set(by_argument.values()):
        newer = ENOSYS if number >= seccomp._FIRST_UNKNOWN else ALLOWED
        assert ask(number) == wanted.get(number, newer), number


def test_a_program_may_not_do_what_pid_1_does_for_it(ask, ask_late, machine):
    late = seccomp.numbers(seccomp._DENIED_LATE, machine)
    assert {ask(number) for number in late.values()} == {ALLOWED}
    assert {ask_late(number) for number in late.values()} == {EPERM}


def test_the_numbers_are_those_of_the_kernels_headers(machine):
    """Where the headers are installed: the generic ones are what aarch64 uses."""
    header = {
        "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "aarch64": "/usr/include/asm-generic/unistd.h",
    }[machine]
    if not Path(header).exists():
        pytest.skip(f"{header} is not installed")
    text = Path(header).read_text(encoding="utf-8")
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    ours = f"{seccomp._DENIED},{seccomp._DENIED_LATE},{seccomp._ABSENT},{seccomp._IGNORED},{seccomp._BY_ARGUMENT}"
    for name, number in seccomp.numbers(ours, machine).items():
        assert known.get(name, number) == number, name
    missing = {"inotify_init", "sysfs", "uselib", "iopl", "ioperm", "modify_ldt"}  # of the older machine only
    assert set(seccomp.numbers(ours, "x86_64")) - set(seccomp.numbers(ours, "aarch64")) == missing


def test_clone_makes_threads_and_processes_but_no_namespaces(ask, by_argument):
    thread, process, user_namespace = 0x3D0F00, 0x1200011, 0x10000011
    assert [ask(by_argument["clone"], flags) for flags in (thread, process)] == [ALLOWED, ALLOWED]
    assert ask(by_argument["clone"], user_namespace) == EPERM


def test_sockets_of_scoped_families_and_plain_protocols_only(ask, by_argument):
    allowed = {
        (family, protocol)
        for family in range(64)
        for protocol in range(300)
        if ask(by_argument["socket"], family, 1, protocol) == ALLOWED
    }
    assert allowed == {(family, protocol) for family in (1, 2, 10) for protocol in (0, 6, 17)}
    assert [family for family in range(64) if ask(by_argument["socketpair"], family) == ALLOWED] == [1, 2, 10]


def test_limits_of_itself_only_and_none_on_core_files(ask, by_argument):
    prlimit, core, cpu, pointer = by_argument["prlimit64"], 4, 0, 0x7F00_0000_0000
    assert [ask(prlimit, 0, cpu, pointer), ask(prlimit, 1, cpu, pointer)] == [ALLOWED, EPERM]
    assert [ask(prlimit, 0, core, 0, pointer), ask(prlimit, 0, core, pointer)] == [ALLOWED, DONE]
    assert ask(prlimit, 0, core, 0x1000) == DONE
    assert [ask(by_argument["setrlimit"], core), ask(by_argument["setrlimit"], cpu)] == [DONE, ALLOWED]


@pytest.mark.parametrize("name", ["sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"])
def test_scheduling_of_itself_only(ask, by_argument, name):
    assert [ask(by_argument[name], pid) for pid in (0, 1, 7)] == [ALLOWED, EPERM, EPERM]


def test_priorities_of_itself_only(ask, by_argument):
    process, group, user = 0, 1, 2
    asked = [(process, 0), (group, 0), (user, 0), (process, 1), (group, 1)]
    assert [ask(by_argument["setpriority"], *each) for each in asked] == [ALLOWED, ALLOWED, EPERM, EPERM, EPERM]
    asked = [(1, 0), (1, 1), (3, 0)]
    assert [ask(by_argument["ioprio_set"], *each) for each in asked] == [ALLOWED, EPERM, EPERM]


def test_a_program_makes_no_filter_of_its_own(ask, ask_late, by_argument):
    set_name, set_mm, core_scheduling, set_seccomp = 15, 35, 62, 22
    options = (set_name, set_mm, core_scheduling, set_seccomp)
    assert [ask(by_argument["prctl"], option) for option in options] == [ALLOWED, EPERM, EPERM, ALLOWED]
    assert [ask_late(by_argument["prctl"], option) for option in options] == [ALLOWED, ALLOWED, ALLOWED, EPERM]


def test_no_leases_and_no_larger_pipes(ask, by_argument):
    get_lock, set_lease, notify, pipe_size = 5, 1024, 1026, 1031
    asked = [ask(by_argument["fcntl"], 3, command) for command in (get_lock, set_lease, notify, pipe_size)]
    assert asked == [ALLOWED, EPERM, EPERM, EPERM]


def test_no_memory_that_no_limit_counts(ask, by_argument):
    shared, private, validate, anonymous, huge = 1, 2, 3, 0x20, 0x40000
    mmap, length = by_argument["mmap"], 1 << 20
    wanted = {
        private | anonymous: ALLOWED,
        private: ALLOWED,
        shared: ALLOWED,
        shared | anonymous: EPERM,
        validate | anonymous: EPERM,
        private | anonymous | huge: refused(errno.ENOMEM),
        shared | huge: refused(errno.ENOMEM),
    }
    assert {flags: ask(mmap, 0, length, 3, flags) for flags in wanted} == wanted
    dont_need, merge, cold, page_out = 4, 12, 20, 21
    asked = [ask(by_argument["madvise"], 0, length, advice) for advice in (dont_need, merge, cold, page_out)]
    assert asked == [ALLOWED, *[refused(errno.EINVAL)] * 3]


def test_buffers_of_sockets_stay_as_they_are(ask, by_argument):
    sockets, tcp, reuse, send, receive = 1, 6, 2, 7, 8
    asked = [ask(by_argument["setsockopt"], 3, sockets, option) for option in (reuse, send, receive)]
    assert asked == [ALLOWED, DONE, DONE]
    assert ask(by_argument["setsockopt"], 3, tcp, send) == ALLOWED


def test_nothing_is_typed_into_a_terminal(ask, by_argument):
    window_size, push, console = 0x5413, 0x5412, 0x541C
    assert [ask(by_argument["ioctl"], 0, request) for request in (window_size, push, console)] == [
        ALLOWED,
        EPERM,
        EPERM,
    ]


def test_another_abi_is_killed():
    program = seccomp.assemble("x86_64", seccomp.base_rules("x86_64"))
    i386, x32 = 0x40000003, 0x40000000
    assert decide(program, i386, 20) == KILLED
    assert decide(program, seccomp.MACHINES["x86_64"], x32 | 39) == KILLED
