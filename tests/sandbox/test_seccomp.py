"""The filter, run here instruction by instruction: what the kernel would answer, on both machines."""

import errno
import struct

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


@pytest.fixture
def ask(machine):
    program = seccomp.assemble(machine, seccomp.rules(machine))
    return lambda number, *arguments: decide(program, seccomp.MACHINES[machine], number, *arguments)


def refused(number: int) -> int:
    return seccomp.fail(number)[3]


def test_every_denied_number_fails_and_every_other_passes(ask, machine):
    denied = set(seccomp.numbers(seccomp._DENIED, machine).values())
    absent = set(seccomp.numbers(seccomp._ABSENT, machine).values())
    by_argument = set(seccomp.numbers(seccomp._BY_ARGUMENT, machine).values())
    for number in range(512):
        if number not in by_argument:
            expected = refused(errno.EPERM) if number in denied else ALLOWED
            assert ask(number) == (refused(errno.ENOSYS) if number in absent else expected), number


def test_clone_makes_threads_and_processes_but_no_namespaces(ask, machine):
    clone = seccomp.numbers(seccomp._BY_ARGUMENT, machine)["clone"]
    thread, process, user_namespace = 0x3D0F00, 0x1200011, 0x10000011
    assert [ask(clone, thread), ask(clone, process)] == [ALLOWED, ALLOWED]
    assert ask(clone, user_namespace) == refused(errno.EPERM)


def test_sockets_of_scoped_families_only(ask, machine):
    socket = seccomp.numbers(seccomp._BY_ARGUMENT, machine)["socket"]
    allowed = [family for family in range(64) if ask(socket, family) == ALLOWED]
    assert allowed == [1, 2, 10]


def test_limits_of_itself_only(ask, machine):
    prlimit = seccomp.numbers(seccomp._BY_ARGUMENT, machine)["prlimit64"]
    assert [ask(prlimit, 0), ask(prlimit, 1)] == [ALLOWED, refused(errno.EPERM)]


def test_another_abi_is_killed():
    program = seccomp.assemble("x86_64", seccomp.rules("x86_64"))
    i386, x32 = 0x40000003, 0x40000000
    assert decide(program, i386, 20) == KILLED
    assert decide(program, seccomp.MACHINES["x86_64"], x32 | 39) == KILLED
