"""The tests' own process: runs their text, with the candidate's names answered by the candidate's process.

Guarantees: "passed" is said only when the whole text has run, nothing was refused and the candidate was called; it is said
to the host, with a word the candidate never hears. The candidate may call the functions and use the objects the tests
passed it: their public attributes, nothing that leads to the tests' text or values. Leaves out: tests that are weak, or
that mean to pass; those decide for themselves.

Names: the tests' own, then builtins, then standard modules used as such (`sys.maxsize`), then the candidate's.
"""

from __future__ import annotations

import builtins
import importlib
import linecache
import marshal
import re
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

from sandbox import values
from sandbox.frames import Wire
from sandbox.remote import Peer
from sandbox.remote_candidate import OPERATIONS
from sandbox.remote_errors import MAX_MESSAGE

MODULE = "__main__"  # what the tests are called: one that ends in `if __name__ == "__main__"` means to run
FILE = "tests.py"
USED, NOT_RUN, LOST, NO_FRAME, END = b"u", b"c", b"-", b"#", b"."
"""Words to the host: the tests use the candidate; its module raised, and what; it has gone; what it sent is no frame, and
why; how the tests ended, as JSON. child.RAISED: the tests do not compile."""
_ALIASES = {"np": "numpy"}
_ON_OBJECTS = frozenset({"call", "delitem", "getattr", "getitem", "iter", "len", "repr", "setattr", "setitem", "str"})


class Tester(Peer):
    """Asks the candidate, and lets it use what the tests passed."""

    def before_first_use(self, tell: Callable[[], None]) -> None:
        """Have something done before the next request, once."""
        send = self._send

        def send_first(frame: bytes) -> None:
            self._send = send
            tell()
            send(frame)

        self._send = send_first

    def choose(self, operation: str, arguments: list[Any]) -> Callable[..., Any]:
        """What the candidate may do: call functions, use the objects of the tests' own classes, step iterators."""
        target = arguments[0]
        if not self.has(target):
            raise TypeError("not an object of the tests")
        if operation in ("iter", "take") and _is_iterator(target):
            return iter if operation == "iter" else self.take
        if operation == "call" and callable(target):
            return OPERATIONS[operation]
        if operation not in _ON_OBJECTS or not _is_of_the_tests(target):
            raise TypeError(f"the tests do not offer {operation!r} of this object")
        if operation in ("getattr", "setattr") and (type(arguments[1]) is not str or arguments[1][:1] == "_"):
            raise AttributeError(arguments[1])
        return OPERATIONS[operation]

    def offers(self, value: Any) -> bool:
        """Functions, and objects of the tests' own classes."""
        return callable(value) or _is_iterator(value) or _is_of_the_tests(value)

    def sends_by_name(self, builtin: Any) -> bool:  # noqa: ARG002
        """A candidate given `len` has its own; given ours it could use `getattr` on us."""
        return True

    def takes_by_name(self, builtin: Any) -> bool:
        """Types, to be compared; but an exception that a failed check is would catch it under the candidate's name."""
        return isinstance(builtin, type) and (builtin is object or not issubclass(AssertionError, builtin))


def _is_iterator(value: Any) -> bool:
    return hasattr(type(value), "__next__")


def _is_of_the_tests(value: Any) -> bool:
    return type(value).__module__ == MODULE


class _Builtins(dict[str, Any]):
    """The builtins; a name that is none of them is looked up further."""

    tester: Tester | None = None

    def __missing__(self, name: str) -> Any:
        if name[:2] == "__" or self.tester is None:
            raise KeyError(name)
        module = _ALIASES.get(name, name)
        if (module != name or name in sys.stdlib_module_names) and self._is_used_as_module(name):
            found: Any = importlib.import_module(module)
        else:
            is_there, found = self.tester.request("global", name)
            if is_there is not True:
                raise KeyError(name)
        self[name] = found
        return found

    def _is_used_as_module(self, name: str) -> bool:
        return not re.search(rf"\b{re.escape(name)}\b(?!\s*\.)", "".join(linecache.getlines(FILE)))


_BUILTINS = _Builtins(vars(builtins))  # made before the fork: every builtin's page would be copied for its reference


def run_tests(code: types.CodeType, tester: Tester, host: Wire) -> NoReturn:
    """Run the tests and tell the host how they ended; nothing but the end of this function says "passed"."""
    order = marshal.loads(host.receive())  # noqa: S302 - from the host
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    names = vars(module)
    _BUILTINS.tester = tester
    names["__builtins__"] = _BUILTINS
    try:
        _run(code, names, tester, order, host)
        status, detail = "passed", ""
    except BaseException as error:  # noqa: BLE001 - whatever the tests raise, SystemExit too
        status, detail = _explain(error, tester)
    if tester.refusal is not None:
        is_object = isinstance(tester.refusal, values.NotComparable)
        status, detail = "not_comparable" if is_object else "failed", f"{tester.refusal}{_place(tester.refusal)}"
    elif not tester.num_requests:
        status, detail = "not_scored", f"the tests do not use the candidate{detail and ': '}{detail}"
    elif status == "passed" and not tester.num_calls:
        status, detail = "failed", "the tests ended and had not called the candidate"
    host.send(END + values.as_json({"nonce": order["nonce"], "status": status, "detail": detail}).encode())
    while True:
        host.receive()  # until killed: to end here would be one more thing for pid 1 to see


def _run(code: types.CodeType, names: dict[str, Any], tester: Tester, order: dict[str, Any], host: Wire) -> None:
    """The context, the tests, and `check(candidate)` where that is what they define."""
    entry_point, context = order["entry_point"], order["context"]
    if context:
        exec(compile(context, "context.py", "exec", dont_inherit=True), names)  # noqa: S102 - what the jail is for
    if entry_point:
        names[entry_point] = _entry_point(tester, entry_point)  # instead of the empty body in the context
    tester.before_first_use(lambda: host.send(USED))
    exec(code, names)  # noqa: S102 - as above
    if order["is_given_to_check"] and "check" in names:
        names["check"](names[entry_point])


def _entry_point(tester: Tester, name: str) -> Any:
    is_there, found = tester.request("global", name)
    if is_there is not True:
        tester.raised = NameError(f"name {name!r} is not defined")
        raise tester.raised
    if not callable(found):
        tester.raised = TypeError(f"{name!r} is not a function")
        raise tester.raised
    tester.num_requests = 0  # that was not the tests'
    return found


def _explain(error: BaseException, tester: Tester) -> tuple[str, str]:
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - it may ask the candidate
        message = "a message that cannot be shown"
    name = type(error).__name__
    if error is tester.raised:
        status = "memory" if isinstance(error, MemoryError) else "crashed"
        return status, f"{name}: {message}"[:MAX_MESSAGE] + _place(error)
    if isinstance(error, AssertionError):
        return "failed", _place(error).removeprefix(" in: ") or message[:MAX_MESSAGE]
    return "failed", f"the tests end in {name}: {message}"[:MAX_MESSAGE] + _place(error)


def _place(error: BaseException) -> str:
    """The line of the tests where it happened."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return f" in: {linecache.getline(FILE, lines[-1] or 0).strip()[:200]}" if lines else ""
