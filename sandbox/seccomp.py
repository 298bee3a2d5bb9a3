"""The system calls a program may not make: a deny-list, assembled to classic BPF here, without libseccomp.

Guarantees: once installed it holds for the process and everything it starts; another ABI (i386, x32) kills the
process; calls newer than the list answer ENOSYS. It is a second wall behind the namespaces: what it denies are the
kernel's large or unscoped interfaces (mounts, new namespaces, ptrace, bpf, io_uring, keys, perf, userfaultfd, vsock and
other odd sockets) and what reaches pid 1 or the machine by user id alone: priorities, affinity, limits, leases, sync.
The base filter holds for pid 1 too; the late one takes from a program the five calls that pid 1 sets it up with.
Costs: a binary search over about 100 numbers per call; the kernel caches the always-allowed ones.
Leaves out: machines other than x86-64 and aarch64. Source: seccomp(2), linux/filter.h, linux/audit.h; numbers from
the kernel's unistd headers.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable

Instruction = tuple[int, int, int, int]
"""struct sock_filter: code, jump if true, jump if false, operand."""

Rules = dict[int, list[Instruction]]

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCH_AT, ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
ALLOW: Instruction = (RETURN, 0, 0, 0x7FFF0000)
KILL: Instruction = (RETURN, 0, 0, 0x80000000)

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH of each machine, in the column order of _DENIED."""

# name, number on x86-64, number on aarch64 ("-": does not exist there)
_DENIED = """
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, kcmp 312 272,
process_mrelease 448 448, pidfd_getfd 438 438, pidfd_send_signal 424 424, umount2 166 39, pivot_root 155 41,
chroot 161 51, move_mount 429 429, open_tree 428 428, fsopen 430 430, fsconfig 431 431, fsmount 432 432,
fspick 433 433, mount_setattr 442 442, setns 308 268, bpf 321 280, perf_event_open 298 241, userfaultfd 323 282,
io_setup 206 0, add_key 248 217, request_key 249 218, keyctl 250 219, open_by_handle_at 304 265,
name_to_handle_at 303 264, fanotify_init 300 262, personality 135 92, memfd_secret 447 447, shmget 29 194,
msgget 68 186, semget 64 190, mq_open 240 180, init_module 175 105, finit_module 313 273, delete_module 176 106,
kexec_load 246 104, kexec_file_load 320 294, reboot 169 142, swapon 167 224, swapoff 168 225, acct 163 89,
quotactl 179 60, quotactl_fd 443 443, syslog 103 116, settimeofday 164 170, clock_settime 227 112,
clock_adjtime 305 266, adjtimex 159 171, sethostname 170 161, setdomainname 171 162, iopl 172 -, ioperm 173 -,
modify_ldt 154 -, lookup_dcookie 212 18, vhangup 153 58, sysfs 139 -, uselib 134 -, seccomp 317 277,
migrate_pages 256 238, move_pages 279 239, vmsplice 278 75
"""
# what pid 1 needs to set a program up, and the program does not
_DENIED_LATE = "unshare 272 97, mount 165 40, capset 126 91, pidfd_open 434 434"
# answered with ENOSYS, so that a caller falls back: glibc from clone3 to clone, others from io_uring to read
_ABSENT = """
clone3 435 435, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, memfd_create 319 279,
inotify_init 253 -, inotify_init1 294 26, cachestat 451 451, landlock_create_ruleset 444 444, landlock_add_rule 445 445,
landlock_restrict_self 446 446
"""
# answered with success and not done: they would make the whole machine write its disks
_IGNORED = "sync 162 81, syncfs 306 267"
_BY_ARGUMENT = """
clone 56 220, socket 41 198, socketpair 53 199, prlimit64 302 261, setrlimit 160 164, ioctl 16 29, fcntl 72 25,
prctl 157 167, setpriority 141 140, ioprio_set 251 30, sched_setparam 142 118, sched_setscheduler 144 119,
sched_setaffinity 203 122, sched_setattr 314 274, mmap 9 222, madvise 28 233, setsockopt 54 208
"""
_FIRST_UNKNOWN = 457  # newer calls: nobody has read them with this sandbox in mind

_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: scoped by the empty network namespace; vsock is not
_PROTOCOLS = (0, 6, 17)  # default, TCP, UDP: any other makes the kernel look for a module to load
_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing into the terminal of whoever started us
_ON_SHARED_FILES = (1024, 1026, 1031)  # F_SETLEASE, F_NOTIFY; F_SETPIPE_SZ: pipe memory has one budget a user
_SET_MM, _SCHED_CORE, _SET_SECCOMP = 35, 62, 22  # prctl
_FILTER_MODE = 2  # SECCOMP_MODE_FILTER
_SHARED, _ANONYMOUS, _HUGE = 1, 0x20, 0x40000  # mmap
_MERGE, _COLD, _PAGE_OUT = 12, 20, 21  # madvise: ways to keep memory that is not resident
_SOCKET, _BUFFERS = 1, (7, 8)  # setsockopt: SOL_SOCKET; SO_SNDBUF, SO_RCVBUF
_PROCESS, _GROUP = 0, 1  # PRIO_PROCESS, PRIO_PGRP; PRIO_USER would be pid 1 too
_IO_PROCESS = 1  # IOPRIO_WHO_PROCESS
_CORE = 4  # RLIMIT_CORE, which has to stay as pid 1 left it


def fail(number: int) -> Instruction:
    """The call fails with this errno."""
    return (RETURN, 0, 0, 0x00050000 | number)


def argument(index: int, *, high: bool = False) -> Instruction:
    """Load the low or high half of an argument; both machines are little-endian."""
    return (LOAD, 0, 0, ARGUMENTS_AT + 8 * index + 4 * high)


def only(values: tuple[int, ...], matched: Instruction, otherwise: Instruction) -> list[Instruction]:
    """End with `matched` when the loaded word is one of the values."""
    tests = [(EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [*tests, otherwise, matched]


def numbers(table: str, machine: str) -> dict[str, int]:
    """The column of a table that belongs to a machine."""
    column = 1 + list(MACHINES).index(machine)
    rows = [row.split() for row in table.replace("\n", " ").split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def base_rules(machine: str) -> Rules:
    """System call number -> the instructions that decide it, each list ending in a return."""
    denied = {n: [fail(errno.EPERM)] for n in numbers(_DENIED, machine).values()}
    absent = {n: [fail(errno.ENOSYS)] for n in numbers(_ABSENT, machine).values()}
    ignored = {n: [fail(0)] for n in numbers(_IGNORED, machine).values()}
    number = numbers(_BY_ARGUMENT, machine)
    refuse = fail(errno.EPERM)
    no_family = fail(errno.EAFNOSUPPORT)
    is_itself = [argument(0), *only((0,), ALLOW, refuse)]
    return {
        **denied,
        **absent,
        **ignored,
        number["clone"]: [argument(0), (ANY_BIT, 0, 1, _NEW_NAMESPACES), refuse, ALLOW],
        number["socket"]: [*require(0, _FAMILIES, no_family), *require(2, _PROTOCOLS, no_family), ALLOW],
        number["socketpair"]: [*require(0, _FAMILIES, no_family), ALLOW],
        number["ioctl"]: [argument(1), *only(_TERMINAL, refuse, ALLOW)],
        number["mmap"]: _own_memory(refuse),
        number["madvise"]: [argument(2), *only((_MERGE, _COLD, _PAGE_OUT), fail(errno.EINVAL), ALLOW)],
        number["setsockopt"]: [*require(1, (_SOCKET,), ALLOW), argument(2), *only(_BUFFERS, fail(0), ALLOW)],
        number["fcntl"]: [argument(1), *only(_ON_SHARED_FILES, refuse, ALLOW)],
        number["prctl"]: [argument(0), *only((_SET_MM, _SCHED_CORE), refuse, ALLOW)],
        number["setpriority"]: [*require(0, (_PROCESS, _GROUP), refuse), *require(1, (0,), refuse), ALLOW],
        number["ioprio_set"]: [*require(0, (_IO_PROCESS,), refuse), *require(1, (0,), refuse), ALLOW],
        number["prlimit64"]: [*require(0, (0,), refuse), *require(1, (_CORE,), ALLOW), *_asks_only()],
        number["setrlimit"]: [argument(0), *only((_CORE,), fail(0), ALLOW)],
        **{number[name]: is_itself for name in number if name.startswith("sched_")},
    }


def late_rules(machine: str) -> Rules:
    """What a program may not do on top of it: make filters, and what pid 1 does for it."""
    prctl = numbers(_BY_ARGUMENT, machine)["prctl"]
    return {
        **{n: [fail(errno.EPERM)] for n in numbers(_DENIED_LATE, machine).values()},
        prctl: [argument(0), *only((_SET_SECCOMP,), fail(errno.EPERM), ALLOW)],
    }


def require(index: int, values: tuple[int, ...], otherwise: Instruction) -> list[Instruction]:
    """Go on only when the argument is one of the values."""
    tests = [(EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [argument(index), *tests, otherwise]


def _own_memory(refuse: Instruction) -> list[Instruction]:
    """mmap: no huge pages, and no shared memory without a file.

    What was written to such memory stays, and is resident nowhere, when all of it but a page is unmapped.
    """
    return [
        argument(3),
        (ANY_BIT, 0, 1, _HUGE),
        fail(errno.ENOMEM),
        (ANY_BIT, 0, 2, _ANONYMOUS),
        (ANY_BIT, 0, 1, _SHARED),
        refuse,
        ALLOW,
    ]


def _asks_only() -> list[Instruction]:
    """prlimit64 of RLIMIT_CORE: reading it is done, setting it (a new limit is pointed to) only seems to be."""
    return [
        argument(2),
        (EQUAL, 0, 2, 0),
        argument(2, high=True),
        (EQUAL, 1, 0, 0),
        fail(0),
        ALLOW,
    ]


def _search(table: list[tuple[int, list[Instruction]]]) -> list[Instruction]:
    if len(table) == 1:
        number, decide = table[0]
        return [(EQUAL, 0, len(decide), number), *decide, ALLOW]
    middle = len(table) // 2
    low, high = _search(table[:middle]), _search(table[middle:])
    return [(AT_LEAST, len(low), 0, table[middle][0]), *low, *high]


def assemble(machine: str, table: Rules) -> bytes:
    """The filter as the kernel takes it: ABI first, then the number, looked up by halving."""
    x32 = [(AT_LEAST, 0, 1, 0x40000000), KILL] if machine == "x86_64" else []
    x32 += [(AT_LEAST, 0, 1, _FIRST_UNKNOWN), fail(errno.ENOSYS)]
    program = [(LOAD, 0, 0, ARCH_AT), (EQUAL, 1, 0, MACHINES[machine]), KILL, (LOAD, 0, 0, NUMBER_AT)]
    program += [*x32, *_search(sorted(table.items()))]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Installer:
    """A filter made ready once, so that the forked child only has to hand it to the kernel."""

    def __init__(self, program: bytes) -> None:
        self._buffer = ctypes.create_string_buffer(program, len(program))
        self._filter = _Filter(len(program) // 8, ctypes.cast(self._buffer, ctypes.c_void_p))
        self._pointer = ctypes.byref(self._filter)
        # PyDLL keeps the interpreter lock: the child has one thread, and releasing it costs a system call
        self._prctl = ctypes.PyDLL(None, use_errno=True).prctl

    def install(self) -> None:
        """Bind the filter to this process, which has no_new_privs, for good. OSError when the kernel refuses."""
        if self._prctl(_SET_SECCOMP, _FILTER_MODE, self._pointer, 0, 0):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), "seccomp filter")


def installer(rules: Callable[[str], Rules]) -> Installer:
    """A filter for this machine. OSError where there is none."""
    machine = os.uname().machine
    if machine not in MACHINES or sys.byteorder != "little":
        raise OSError(errno.ENOTSUP, "no seccomp filter is written for this machine", machine)
    return Installer(assemble(machine, rules(machine)))
