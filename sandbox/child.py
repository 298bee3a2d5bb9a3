"""The program's own process, once it is jailed: compile, then run as a script or answer calls.

Guarantees: nothing here is believed outside, because from its first instruction on the program can change all of it;
but for the marks, which are written before that. Arguments arrive and results leave as copies. Leaves out: the
interpreter's slow end (destructors of what is still alive do not run).
"""

from __future__ import annotations

import atexit
import contextlib
import linecache
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable
from marshal import loads
from typing import Any, NoReturn

from sandbox import remote_tester
from sandbox.frames import Wire
from sandbox.remote import MAX_FRAME as MAX_REMOTE_FRAME
from sandbox.remote_candidate import Candidate
from sandbox.values import MAX_FRAME, pack

STARTED, COMPILED, NOT_COMPILED, NO_MEMORY = b".", b"+", b"S", b"M"
"""The marks: set up; compiled; not a program; no memory to compile it."""
HAS_RUN, RAISED = b"+", b"!"
"""First words of a candidate: its module has run; it raised, and what."""
PROGRAM = "main.py"  # its name in a traceback
CALLS, HOST = 3, 4  # descriptors: the calls socket; in the tests' process, that to the caller
MAX_QUESTION = 1 << 30  # bytes: who asks bounds what it asks
MAX_MESSAGE = 300  # characters of an exception that cross


def compile_source(source: str, mark: int, tell: Callable[[bytes], None], name: str = PROGRAM) -> types.CodeType:
    """Compile, and leave a mark of how it went: the program has not run yet, so the mark can be believed."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        code = compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        os.write(mark, NO_MEMORY if isinstance(error, MemoryError) else NOT_COMPILED)
        tell(RAISED + describe(error))
        os._exit(1)
    os.write(mark, COMPILED)
    return code


def show_message(told: bytes) -> None:
    """Why a script does not compile, where a script's errors go."""
    os.write(2, told.removeprefix(RAISED))


def serve(code: types.CodeType) -> NoReturn:
    """Run a candidate's module, then the calls that come, one at a time.

    To us: marshal of (function, arguments, keywords). From us: "+" when the module has run, "=" and a packed value, or
    "!" and a message. A frame that begins with "?" is a test's of the general path: see sandbox.remote.
    """
    module = fresh_module("candidate")  # not __main__: a script's own main block is not under test
    namespace = module.__dict__
    try:
        exec(code, namespace)  # noqa: S102 - this is what the jail is for
    except BaseException as error:  # noqa: BLE001 - whatever the candidate raises, SystemExit too
        send(RAISED + describe(error))
        os._exit(1)
    send(HAS_RUN)
    _CANDIDATE.names = namespace
    while True:
        frame = _CALLER.receive()
        if frame[:1] == b"?":
            _CANDIDATE.serve(frame)
            continue
        name, arguments, keywords = loads(frame)  # noqa: S302 - from the trusted side
        try:
            answer = b"=" + pack(namespace[name](*arguments, **keywords))
            if len(answer) > MAX_FRAME:
                answer = b"!ValueError: the result is larger than 2 MB"
        except BaseException as error:  # noqa: BLE001 - as above
            answer = RAISED + describe(error)
        send(answer)


def await_candidate() -> None:
    """In the tests' process: until the candidate's module has run. What else becomes of it is for the caller to know."""
    word = _CANDIDATE_CALLS.receive()
    if word != HAS_RUN:
        tell_last(
            remote_tester.NOT_RUN + word[1:] if word[:1] == RAISED else remote_tester.NO_FRAME + b"not a first word"
        )


def test(code: types.CodeType) -> NoReturn:
    """Run the tests of another program."""
    remote_tester.run_tests(code, _TESTER, _HOST)


def run_script(code: types.CodeType) -> NoReturn:
    """As the interpreter runs a script, without its slow end."""
    status = 1
    try:
        exec(code, fresh_module("__main__").__dict__)  # noqa: S102 - this is what the jail is for
        status = 0
    except SystemExit as leave:
        status = _exit_status(leave.code)
    except BaseException as error:  # noqa: BLE001 - whatever the program raises
        _quietly(_show, error)
    _quietly(threading._shutdown)  # type: ignore[attr-defined]  # waits for its threads
    _quietly(atexit._run_exitfuncs)
    _quietly(sys.stdout.flush)
    _quietly(sys.stderr.flush)
    os._exit(status)


def _quietly(function: Any, *arguments: Any) -> None:
    with contextlib.suppress(BaseException):  # the program may have replaced any of these
        function(*arguments)


def _show(error: BaseException) -> None:
    """What the interpreter prints, without our own frame; it would not find the source either."""
    error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(type(error), error, error.__traceback__)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 255
    _quietly(sys.stderr.write, f"{code}\n")
    return 1


def fresh_module(name: str) -> types.ModuleType:
    """An empty one, to be imported by that name."""
    module = types.ModuleType(name)
    module.__file__ = "main.py"
    sys.modules[name] = module
    return module


def describe(error: BaseException) -> bytes:
    """One line about an exception of the program's."""
    try:
        return f"{type(error).__name__}: {error}"[:MAX_MESSAGE].encode("utf-8", "replace")
    except BaseException:  # noqa: BLE001 - its __str__ is the candidate's
        return b"an exception that cannot be shown"


def _leave(*_: object) -> bytes:
    os._exit(0)  # who asked has gone


def tell_last(word: bytes) -> NoReturn:
    """Tell the caller a last word and wait to be ended: it may still be sending, and would not hear of a closed socket."""
    tell(word)
    while os.read(HOST, MAX_MESSAGE):
        pass
    os._exit(0)


def _tell_lost() -> bytes:
    tell_last(remote_tester.LOST)


def _tell_no_frame(reason: str) -> bytes:
    tell_last(remote_tester.NO_FRAME + reason.encode())


# made before the fork, as is all that can be: what a program's process makes or touches first costs it a page
_CALLER = Wire(CALLS, MAX_QUESTION, _leave, _leave)
_CANDIDATE_CALLS = Wire(CALLS, MAX_REMOTE_FRAME, _tell_lost, _tell_no_frame)
_HOST = Wire(HOST, MAX_QUESTION, _leave, _leave)
send, tell = _CALLER.send, _HOST.send
_CANDIDATE = Candidate({}, send, _CALLER.receive)
_TESTER = remote_tester.Tester(_CANDIDATE_CALLS.send, _CANDIDATE_CALLS.receive)
