"""Exceptions across the wall: by the builtin class they are or inherit from, with their plain arguments and fields.

Guarantees: none of the other side's code runs here: what is raised is a builtin exception, or a class made here that
inherits from one. Leaves out: causes, tracebacks, and arguments that are not atoms.
"""

from __future__ import annotations

import builtins
from typing import Any

MAX_MESSAGE = 300  # characters of an exception that cross


def builtin_exception(name: object) -> type[BaseException]:
    """The exception of that name, if it is one."""
    found = getattr(builtins, name, None) if isinstance(name, str) else None
    return found if isinstance(found, type) and issubclass(found, BaseException) else Exception


def builtin_name(kind: type) -> str:
    """The nearest builtin class it is."""
    names: list[str] = [base.__name__ for base in kind.__mro__ if getattr(builtins, base.__name__, None) is base]
    return names[0]


def taken_apart(error: BaseException) -> list[Any]:
    """Class, message, arguments and fields of an exception."""
    kind = type(error)
    name = builtin_name(kind)
    try:
        message = str(error)[:MAX_MESSAGE]
        arguments = [part for part in error.args if type(part) in (int, str, float, bool)]
        fields = {key: part for key, part in vars(error).items() if type(part) in (int, str, float, bool)}
    except BaseException:  # noqa: BLE001 - its methods are the program's
        message, arguments, fields = "an exception that cannot be shown", [], {}
    return [kind if getattr(builtins, name) is not kind else name, message, arguments, fields]


def rebuilt(kind: Any, message: str, arguments: list[Any], fields: dict[str, Any]) -> BaseException:
    """The exception again."""
    made = kind if isinstance(kind, type) and issubclass(kind, BaseException) else builtin_exception(kind)
    error = made.__new__(made)
    error.args = tuple(arguments)
    if str(error) != message:
        error.args = (message,)
    error.__dict__.update({str(key): part for key, part in fields.items()})
    return error
