r"""LaTeX commands: fractions, sums, limits, integrals, brackets, matrices, cases, named angles and segments.

A table gives the reader of each; what is not in it cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.answers.notation import GREEK, indexed, tight
from sandbox.answers.precedence import MEASURE, SUM
from sandbox.answers.scan import Token
from sandbox.answers.tree import Node, Unreadable, word_set

if TYPE_CHECKING:
    from sandbox.answers.grammar import Parser

_MARKED = word_set("angle triangle overline bar widehat overset odot square parallelogram arc measuredangle")
_MATRICES = word_set("matrix pmatrix bmatrix Bmatrix vmatrix smallmatrix array")


def starts(token: Token) -> bool:
    """Whether a token can begin a factor that is written without a sign."""
    return token.kind != "command" or token.text in _COMMANDS


def command(parser: Parser, token: Token) -> Node:
    """Read what a command begins."""
    if token.text in GREEK:
        return indexed(parser, token.text)
    if token.text in _MARKED:
        return _marked(parser, token.text)
    reader = _COMMANDS.get(token.text)
    if reader is None:
        raise Unreadable(f"\\{token.text} is not known")
    return reader(parser, token)


def _marked(parser: Parser, mark: str) -> Node:
    """An angle, segment or triangle with its name; an angle read from its other side is the same."""
    inner = parser.operand()
    if inner.kind == "product" or inner.kind != "name":
        raise Unreadable(f"\\{mark} without a name")
    name = inner.value
    return Node("name", (), f"{mark} {min(name, name[::-1]) if mark in ('angle', 'overline') else name}")


def _fraction(parser: Parser, _: Token) -> Node:
    return Node("quotient", (tight(parser), tight(parser)))


def _binomial(parser: Parser, _: Token) -> Node:
    return Node("call", (tight(parser), tight(parser)), "binom")


def _rounded(name: str, closing: str) -> Callable[[Parser, Token], Node]:
    def read(parser: Parser, _: Token) -> Node:
        inner = parser.expression(0)
        parser.need(closing)
        return Node("call", (inner,), name)

    return read


def _series(parser: Parser, token: Token) -> Node:
    parser.need("_")
    bounds = parser.index()
    parser.need("^")
    high = parser.argument()
    if bounds.kind != "relation" or len(bounds.parts) != 2 or bounds.parts[0].kind not in ("name", "constant"):
        raise Unreadable("a sum without bounds")
    name, low = bounds.parts
    body, index = parser.expression(SUM), Node("name", (), name.value)
    return Node("series", (_renamed(body, name, index), index, low, high), token.text)


def _renamed(node: Node, old: Node, new: Node) -> Node:
    """An index `i` is no imaginary unit."""
    return new if node == old else node._replace(parts=tuple(_renamed(part, old, new) for part in node.parts))


def _limit(parser: Parser, _: Token) -> Node:
    parser.need("_")
    bounds = parser.index()
    if bounds.kind != "relation" or len(bounds.parts) != 2 or bounds.parts[0].kind != "name":
        raise Unreadable("a limit without a point")
    return Node("limit", (parser.expression(SUM), *bounds.parts))


def _integral(parser: Parser, _: Token) -> Node:
    low = high = None
    if parser.accept("_"):
        low = parser.index()
        parser.need("^")
        high = parser.argument()
    body = parser.expression(MEASURE)
    variable = parser.take().text
    if variable == "d" and parser.token.kind == "name":
        variable += parser.take().text
    if low is None or high is None or len(variable) != 2 or variable[0] != "d":
        raise Unreadable("an integral without bounds or variable")
    return Node("integral", (body, Node("name", (), variable[1]), low, high))


def _environment(parser: Parser, _: Token) -> Node:
    """A matrix or a definition by cases."""
    name = _braced_word(parser)
    if name == "array" and parser.token.text == "{":
        while not parser.accept("}"):
            parser.take()
    rows = _rows(parser)
    if _braced_word(parser) != name or not rows:
        raise Unreadable(f"{name} is not closed")
    if name == "cases":
        return Node("cases", tuple(rows))
    if name not in _MATRICES or len({len(row.parts) for row in rows}) != 1:
        raise Unreadable(f"{name} is no matrix")
    matrix = Node("matrix", tuple(rows))
    return Node("determinant", (matrix,)) if name == "vmatrix" else matrix


def _rows(parser: Parser) -> list[Node]:
    rows: list[Node] = []
    while parser.token.text != "end":
        cells = [_cell(parser)]
        while parser.accept("&"):
            cells.append(_cell(parser))
        rows.append(Node("row", tuple(cells)))
        while parser.accept("⏎") or parser.token.text == "hline":
            if parser.token.text == "hline":
                parser.take()
    parser.take()
    return rows


def _cell(parser: Parser) -> Node:
    if parser.token.text == "otherwise":
        parser.take()
        return Node("text", (), "otherwise")
    while parser.token.text == "if":
        parser.take()
    node = parser.items()
    while parser.accept(","):
        pass
    return node


def _braced_word(parser: Parser) -> str:
    parser.need("{")
    word = parser.take().text
    parser.need("}")
    return word


_COMMANDS: dict[str, Callable[[Parser, Token], Node]] = {
    **dict.fromkeys((*GREEK, *_MARKED), command),
    "frac": _fraction,
    "binom": _binomial,
    "lfloor": _rounded("floor", "rfloor"),
    "lceil": _rounded("ceil", "rceil"),
    "sum": _series,
    "prod": _series,
    "lim": _limit,
    "int": _integral,
    "begin": _environment,
    "bbR": lambda _, __: Node("reals"),
    **{f"bb{letter}": lambda _, token: Node("name", (), token.text) for letter in "ZNQC"},
}
