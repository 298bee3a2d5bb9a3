r"""Tokens to a tree, by operator precedence: what a sign does is a row of a table.

Loosest to tightest: lists, relations, `:`, unions, `mod`, units, sums, products (written or not), signs, `%` and degrees,
powers, `!`. Two numbers side by side are a mixed number or an error, never a product. Depth and tokens are bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.answers import commands, measures, notation
from sandbox.answers.operators import HANDLERS, joined
from sandbox.answers.precedence import (
    MEASURE,
    MODULO,
    PERCENT,
    POSTFIX,
    POWER,
    PRODUCT,
    RATIO,
    RELATION,
    SETS,
    SUM,
)
from sandbox.answers.scan import END, Token
from sandbox.answers.tree import MAX_DEPTH, Node, Unreadable, names, negative, number, show, word_set
from sandbox.answers.units import CURRENCY, SCALES, SINGLE

RELATIONS = word_set("= < > ≤ ≥ ≠ ≈ ≡ ∈ → ⇒")
_SEPARATORS = frozenset({",", ";", "or", "and"})
_INFIX = {
    **dict.fromkeys(RELATIONS, RELATION),
    **dict.fromkeys(("∪", "∩", "∖"), SETS),
    **dict.fromkeys(("+", "-", "±", "∓"), SUM),
    **dict.fromkeys(("*", "/"), PRODUCT),
    ":": RATIO,
    "to": RATIO,
    "mod": MODULO,
    "%": PERCENT,
    "°": PERCENT,
    "^": POWER,
    "!": POSTFIX,
    "choose": PRODUCT,
}
_STARTS = frozenset({"(", "{", "["})
_APPLIED = frozenset({"f", "g", "h", "F", "G", "zeta", "Gamma"})
"""Names before a bracket that are functions and not factors; `f(x)` is then a name like others."""


class Parser:
    """Reads tokens once, from left to right."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.bars = 0  # absolute values that are open
        self.conditions = 0  # sets whose bar has not come yet

    # -- moving

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.place] if self.place < len(self.tokens) else END

    def ahead(self, distance: int = 1) -> Token:
        """Look further ahead."""
        place = self.place + distance
        return self.tokens[place] if place < len(self.tokens) else END

    def take(self) -> Token:
        """Go over a token."""
        token = self.token
        if token is END:
            raise Unreadable("it ends too early")
        self.place += 1
        return token

    def accept(self, text: str) -> bool:
        """Go over a token if it is this sign."""
        if self.token.text == text and self.token.kind != "number":
            self.place += 1
            return True
        return False

    def need(self, text: str) -> None:
        """Go over this sign."""
        if not self.accept(text):
            raise Unreadable(f"{text!r} is missing before {self.token.text!r}")

    # -- values

    def operand(self) -> Node:
        """Read one value."""
        token = self.take()
        reader = _READERS.get(token.kind)
        if reader is None:
            raise Unreadable(f"{token.text!r} stands where a value should")
        self.deeper()
        node = reader(self, token)
        self.depth -= 1
        return node

    def argument(self) -> Node:
        """Read an exponent: a group, or one value with its sign; exponents of exponents belong to it."""
        self.deeper()
        node = negative(self.argument()) if self.accept("-") else self.operand()
        if self.accept("^"):
            node = Node("power", (node, self.argument()))
        self.depth -= 1
        return node

    def index(self) -> Node:
        """Read what stands under a sign: a group or one value, without the power that may follow."""
        return negative(self.operand()) if self.accept("-") else self.operand()

    def deeper(self) -> None:
        """Count a level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("nested too deeply")

    # -- lists and expressions

    def whole(self) -> Node:
        """Read all tokens as one form."""
        node = self.items()
        if self.token is not END:
            raise Unreadable(f"{self.token.text!r} is left over")
        return node

    def items(self) -> Node:
        """One expression, or several between commas, `or`, `and`."""
        parts, marks, rows = [self.expression(0)], set(), [0]
        while self.token.text in _SEPARATORS and self.token.kind == "sign" and self.ahead().text not in ("&", "⏎"):
            mark = self.take().text
            while self.token.text in ("or", "and"):
                mark = self.take().text
            marks.add(mark)
            rows += [len(parts)] if mark == ";" else []
            parts.append(self.expression(0))
        if len(parts) == 1:
            return parts[0]
        if {",", ";"} <= marks:
            ends = [*rows[1:], len(parts)]
            return Node(
                "list", tuple(Node("list", tuple(parts[a:b]), ",") for a, b in zip(rows, ends, strict=True)), ";"
            )
        if marks == {"and"} and len(parts) == 2 and _is_compound(*parts):
            return _compound(*parts)
        return Node("list", tuple(parts), "or" if "or" in marks else "and" if "and" in marks else ",")

    def expression(self, tightness: int) -> Node:
        """Read what binds more tightly than a bound."""
        left, height = self.operand(), self.depth
        while True:
            power = self._power(left)
            if power <= tightness:
                break
            height += (power not in (SUM, PRODUCT)) or self.token.text == "/"
            if height > MAX_DEPTH:
                raise Unreadable("nested too deeply")
            left = self._extend(left, power)
        return left

    def _power(self, left: Node) -> int:
        """How tightly the next token binds to what stands before it; 0 when it does not."""
        token = self.token
        if token.kind == "sign":
            if token.text == "|":
                return PRODUCT if not self.bars and not self.conditions and left.kind != "list" else 0
            if token.text == ":" and self.conditions and self.bars == 0:
                return 0
            if token.text in _INFIX:
                return _INFIX[token.text]
            if token.text in CURRENCY:
                return MEASURE
            return PRODUCT if token.text in _STARTS else 0
        if token.kind in ("unit", "word", "scale"):
            return PERCENT if token.kind == "scale" else MEASURE
        if token.kind == "name" and self._is_unit_letter(left):
            return MEASURE
        if token.kind == "number":
            return PRODUCT if self.tokens[self.place - 1].text in (")", "!", "pi") else 0
        return PRODUCT if token.kind in ("name", "constant", "function", "command") and commands.starts(token) else 0

    def _is_unit_letter(self, left: Node) -> bool:
        """Whether a letter is a unit: after a number and a space, with nothing behind it but a power or another unit."""
        token, following = self.token, self.ahead()
        if not token.gap or token.text not in SINGLE or left.kind == "name" or names(left):
            return False
        if following.text in ("^", "/"):
            following = self.ahead(3) if following.text == "^" else END
        return following.kind in ("end", "number") or following.text in (*_SEPARATORS, ")", "per", "/", "}")

    def _extend(self, left: Node, power: int) -> Node:
        token = self.token
        if power == RELATION:
            return self._relation(left)
        if power == MEASURE:
            return self._measured(left)
        if token.kind == "scale":
            return joined("product", left, number(SCALES[self.take().text]))
        if power == PRODUCT and token.text not in ("*", "/", "choose"):
            return self._juxtaposed(left)
        return HANDLERS[self.take().text](self, left)

    def _juxtaposed(self, left: Node) -> Node:
        if left.kind in ("set", "list", "matrix") or (left.kind == "tuple" and self.token.text != "("):
            raise Unreadable("nothing stands between a structure and what follows")
        if left.kind == "name" and self.token.text == "(":
            inner = self.expression(PRODUCT)
            if inner.kind == "tuple":
                return Node("point", (inner,), left.value)
            return (
                Node("name", (), f"{left.value}({show(inner)})")
                if left.value in _APPLIED
                else joined("product", left, inner)
            )
        return joined("product", left, self.expression(PRODUCT))

    def _relation(self, left: Node) -> Node:
        parts, marks = [left], []
        while self.token.text in RELATIONS and self.token.kind == "sign":
            marks.append(self.take().text)
            parts.append(self.expression(RELATION))
        return Node("relation", tuple(parts), tuple(marks))

    def _measured(self, left: Node) -> Node:
        """A value with its unit; `5 ft 10 in` is one value."""
        node = measures.measured(self, left)
        if self.token.kind == "number" and node.kind == "quantity" and node.value.is_known:
            self.deeper()
            rest = self.expression(MEASURE - 1)
            self.depth -= 1
            if not _is_compound(node, rest):
                raise Unreadable("a number after a unit")
            return _compound(node, rest)
        return node


def _is_compound(left: Node, right: Node) -> bool:
    """Whether two quantities are parts of one: hours and minutes, in this order."""
    if left.kind != "quantity" or right.kind != "quantity" or not left.value.is_known:
        return False
    return bool(left.value.dimension == right.value.dimension and left.value.size > right.value.size)


def _compound(left: Node, right: Node) -> Node:
    part = joined("product", right.parts[0], number(right.value.size / left.value.size))
    return Node("quantity", (joined("sum", left.parts[0], part),), left.value)


_READERS = {**notation.READERS, "command": commands.command}
