r"""Arithmetic as a question: `What is 9 + 5?`, `5+9=` and `9 plus 5` are one exercise.

A text is an expression when nothing is left of it beside numbers, signs, names of functions and words that ask for a value.
Its canonical form has one spelling for every sign and, where only `+ - * / ( )` and numbers stand in it, operands of + and *
in one order and numbers by value. Such expressions are in all arithmetic by nature, so they are matched whole and told
apart in the ledger. About 40,000 short questions a core second.
"""

from __future__ import annotations

import re
from itertools import pairwise

from corpora.math.annotations import Expression, Unusable, canonical
from corpora.math.questions import fold

LONGEST = 300
"""Characters of a text that is looked at."""
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_TOKEN = re.compile(r"\\?[^\W\d_]+|\d+(?:,\d{3})*(?:\.\d+)?|\.\d+|\*\*|//|[-+*/^()\[\]!%=]")
_ASKING = re.compile(
    r"\b(?:what|is|whats|the|value|of|calculate|compute|evaluate|find|work|out|result|answer|simplify|solve|how|much|equals|"
    r"equal|to|please|give|expression|following)\b|计算|等于|多少|结果|是|求|得|的|值|请|问"
)
_SPELLED = {
    **dict.fromkeys(("plus", "加"), "+"),
    **dict.fromkeys(("minus", "减"), "-"),
    **dict.fromkeys(("times", "x", "\\times", "\\cdot", "乘", "乘以"), "*"),
    **dict.fromkeys(("over", "\\div", "除以"), "/"),
    **dict.fromkeys(("π", "\\pi"), "pi"),
    "^": "**",
    "[": "(",
    "]": ")",
    **{f"\\{name}": name for name in ("sin", "cos", "tan", "log", "ln", "exp", "sqrt")},
}
"""What a token is read as."""
_NAMES = frozenset(("pi", "e", "i", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "log", "ln", "exp", "sqrt"))
_BRACKETS = ("(", ")")
_OPERATORS = frozenset(("+", "-", "*", "/", "//", "**", "!", "%"))


def canonical_expression(text: str) -> str | None:
    r"""Give the canonical form of a text that is an expression to be worked out, else None.

    >>> {canonical_expression(text) for text in ("9 + 5 =", "What is 5 plus 9?", "$5 + 9$", "５＋９＝")}
    {'(5+9)'}
    >>> canonical_expression("7^4="), canonical_expression("Tom has 5 apples and 9 pears.")
    ('7**4', None)
    """
    if len(text) > LONGEST:
        return None
    plain = _FRACTION.sub(r"((\1)/(\2))", fold(text)).lower().replace("divided by", "/").replace("multiplied by", "*")
    tokens = [_SPELLED.get(token, token).replace(",", "") for token in _TOKEN.findall(_ASKING.sub(" ", plain))]
    while tokens and tokens[-1] == "=":
        tokens.pop()
    if not _is_expression(tokens):
        return None
    joined = "".join(tokens)
    try:
        return canonical(Expression.parse(joined))
    except (Unusable, RecursionError):
        return joined


def _is_expression(tokens: list[str]) -> bool:
    """Whether tokens are numbers, operators and names alone, and there is something to work out."""
    has_operator = any(token in _OPERATORS or (len(token) > 2 and token in _NAMES) for token in tokens)
    known = all(
        token in _OPERATORS or token in _NAMES or token in _BRACKETS or not token[0].isalpha() for token in tokens
    )
    operands = sum(token[0].isdigit() or token in ("pi", "e") for token in tokens)
    apart = not any(left[0].isdigit() and right[0].isdigit() for left, right in pairwise(tokens))
    return has_operator and known and apart and operands >= 1 and "=" not in tokens
