"""How tests that run by themselves begin: which name is the candidate's, and whether their `check` is left to us to call.

Guarantees: the same for all candidates of the same tests, which decide it by their text alone. Costs: a parse of the tests,
a third of a millisecond, where a look at the text does not tell. Leaves out: tests that do not parse.
"""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass
from functools import lru_cache

from sandbox.literal import is_call_of_check, name_of, only_name_called


@dataclass(frozen=True)
class Entry:
    """How tests that run by themselves begin: what they call the candidate's, whatever else has that name."""

    name: str | None
    is_given_to_check: bool  # they define `check(candidate)` and leave it to us to call it


@lru_cache(maxsize=256)  # many candidates have the same tests
def entry_of(tests: str, entry_point: str | None) -> Entry:
    """Find out by their text, which parses.

    Most texts need no parse to tell, which is a third of a millisecond. Where the only `check` is the definition it is to
    be called; were it a line of a text instead, the tests' process would find none and call none.
    """
    if entry_point is not None and ("check" not in tests or _is_defined_only(tests)):
        return Entry(entry_point, "check" in tests)
    tree = ast.parse(tests, "<tests>")
    is_there = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    is_given = is_there and entry_point is not None and not any(map(is_call_of_check, tree.body))
    return Entry(entry_point or _builtin_under_test(tree), is_given)


def _is_defined_only(tests: str) -> bool:
    return tests.count("check") == 1 and re.search(r"^def check\(", tests, re.MULTILINE) is not None


def _builtin_under_test(tree: ast.Module) -> str | None:
    """The one builtin that every assert calls, where they call nothing else: it is the candidate's, even when `sum`."""
    called = {name_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    name = only_name_called([node for node in tree.body if isinstance(node, ast.Assert)])
    return name if name in vars(builtins) and all(other in vars(builtins) for other in called) else None
