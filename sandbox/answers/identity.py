r"""Whether two expressions are the same function: their values at a few points.

Points come from a digest of both trees, so a comparison always sees the same ones. Rational functions are compared in a prime
field, exactly (Schwartz and Zippel: an error of less than 10^-30); the rest with mpmath at 50 digits, at positive and negative
points, those left out where a value is not real or not defined. Log without a base stands for any base. Contexts belong to
threads. None: not decided, too large or with something that has no rule here.
"""

from __future__ import annotations

import hashlib
import random
from typing import Any

from sandbox.answers.exact import Undefined
from sandbox.answers.field import PRIME, residue
from sandbox.answers.numeric import DIGITS, Numeric, Unknown, context_of_thread
from sandbox.answers.tree import Node, Unreadable, names, show, size, walk

_MAX_VISITS = 1_600  # of nodes, in all points together
_BASE = "the base of log"
_WHOLE_KINDS = frozenset({"factorial", "series"})


def identical(left: Node, right: Node) -> bool | None:
    """Say whether two expressions agree wherever both are defined; None when that is open."""
    letters = sorted(names(left) | names(right))
    draw = _draw(left, right)
    if letters:
        answer = _in_field(left, right, letters, draw)
        if answer is not None:
            return answer
    return _numerically(_with_base(left), _with_base(right), letters, draw)


def proportional(left: Node, right: Node) -> bool | int | None:
    """Say whether one is a constant multiple of the other: 1 or -1 by the sign of the constant, False, or None when open."""
    letters = sorted(names(left) | names(right))
    draw = _draw(left, right)
    ratio, context = None, context_of_thread()
    for _ in range(4):
        point = {letter: context.mpf(draw.randint(10**6, 10**7)) / draw.randint(10**6, 4 * 10**6) for letter in letters}
        try:
            above, below = Numeric(context, point).value(left), Numeric(context, point).value(right)
        except (Unknown, Unreadable, Undefined, ArithmeticError, ValueError, TypeError):
            return None
        if above == 0 or below == 0:
            return None
        if ratio is not None and abs(above / below - ratio) > abs(ratio) * context.mpf(10) ** -35:
            return False
        ratio = above / below
    if ratio is None or isinstance(ratio, context.mpc):
        return None
    return 1 if ratio > 0 else -1


def _draw(left: Node, right: Node) -> random.Random:
    """Random numbers that depend on both trees, and not on which is which."""
    forms = "~".join(sorted((show(left), show(right))))
    return random.Random(hashlib.blake2b(forms.encode(), digest_size=8).digest())


def _in_field(left: Node, right: Node, letters: list[str], draw: random.Random) -> bool | None:
    try:
        for _ in range(2):
            point = {letter: draw.randrange(2, PRIME) for letter in letters}
            if residue(left, point) != residue(right, point):
                return False
    except (Unknown, ValueError):  # pow() says ValueError where a divisor has no inverse
        return None
    return True


def _with_base(node: Node) -> Node:
    """Give every log without a base the same one, a name like others."""
    if node.kind == "call" and node.value == "log" and len(node.parts) == 1:
        return node._replace(parts=(_with_base(node.parts[0]), Node("name", (), _BASE)))
    return node._replace(parts=tuple(_with_base(part) for part in node.parts)) if node.parts else node


def _numerically(left: Node, right: Node, letters: list[str], draw: random.Random) -> bool | None:
    letters = letters + ([_BASE] if _BASE in names(left) | names(right) else [])
    whole = any(part.kind in _WHOLE_KINDS or part.value == "binom" for side in (left, right) for part in walk(side))
    room = _MAX_VISITS // (size(left) + size(right))
    points = min(6 if letters else 1, room)
    agreed = 0
    for turn in range(points):
        same = _at_point(left, right, _point(letters, draw, turn, whole=whole))
        if same is False:
            return False
        agreed += same is True
    return True if agreed >= min(3 if letters else 1, max(points, 1)) else None


def _point(letters: list[str], draw: random.Random, turn: int, *, whole: bool) -> dict[str, Any]:
    """Positive points first, then negative ones; whole ones where factorials need them."""
    context = context_of_thread()
    point = {}
    for letter in letters:
        if whole:
            point[letter] = context.mpf(draw.randint(2, 9))
        else:
            value = context.mpf(draw.randint(10**6, 10**7)) / draw.randint(10**6, 4 * 10**6)
            point[letter] = -value if turn >= 4 and letter != _BASE else value
    return point


def _at_point(left: Node, right: Node, point: dict[str, Any]) -> bool | None:
    context = context_of_thread()
    try:
        one, other = Numeric(context, point).value(left), Numeric(context, point).value(right)
        if point and isinstance(one, context.mpc) != isinstance(other, context.mpc):
            return None
        return _close(left, right, point, (one, other))
    except (Unknown, Unreadable, Undefined, ArithmeticError, ValueError, TypeError):
        return None


def _close(left: Node, right: Node, point: dict[str, Any], values: tuple[Any, Any]) -> bool | None:
    """Whether values agree; where both are next to nothing, more digits say whether they are zero."""
    context = context_of_thread()
    one, other = values
    largest = max(abs(one), abs(other))
    if not context.isfinite(largest):
        return None
    if largest == 0:
        return True
    if abs(one - other) <= largest * context.mpf(10) ** (10 - DIGITS):
        return True
    smallest = min(abs(one), abs(other))
    if smallest > context.mpf(10) ** -30:
        return False
    with context.workdps(2 * DIGITS):
        again = [Numeric(context, point).value(side) for side in (left, right)]
        vanished = [abs(new) <= abs(old) * context.mpf(10) ** -30 for new, old in zip(again, values, strict=True)]
        return vanished[0] == vanished[1] if any(vanished) else False
