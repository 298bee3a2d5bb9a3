"""Parsers by language: one grammar wheel each, a parse that is stopped when it takes too many steps, the share of errors.

The bound on a parse counts the parser's reports of progress, not time, so that every machine stops the same files.
tree-sitter before 0.26.1 crashes the process when it reports progress.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

from corpora.code.languages import BY_NAME

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Tree

_CHUNK = 1 << 16


@cache
def parser_of(language: str) -> Parser:
    """Give the parser of a language, one a process."""
    import tree_sitter

    return tree_sitter.Parser(grammar_of(language))


@cache
def grammar_of(language: str) -> Language:
    """Load the grammar of a language; one whose wheel is not installed is refused, never passed over."""
    import tree_sitter

    module, _, function = BY_NAME[language].grammar.partition(":")
    try:
        wheel = importlib.import_module(module)
    except ModuleNotFoundError:
        package = module.replace("_", "-")
        raise ValueError(
            f"{language} is gated by syntax, and {package} is not installed: install it, or take {language} out of "
            f"SyntaxConfig.error_shares"
        ) from None
    return tree_sitter.Language(getattr(wheel, function)())


def parse(parser: Parser, code: bytes, steps: int) -> Tree | None:
    """Parse `code`, or give None when the parser reports progress more than `steps` times."""
    taken = 0

    def stop(_offset: int, _has_error: bool) -> bool:  # noqa: FBT001 (the parser's own signature)
        nonlocal taken
        taken += 1
        return taken > steps

    try:
        # progress is reported only when the text is read piece by piece: given as bytes, `stop` is never called
        return parser.parse(lambda offset, _point: code[offset : offset + _CHUNK], progress_callback=stop)
    except ValueError:
        if taken <= steps:
            raise
        parser.reset()  # else the next parse goes on where this one stopped
        return None


def error_share(root: Node, length: int) -> float:
    """Give the share of bytes that the parser could place nowhere: loose tokens in error nodes, one for a missing token.

    What parses inside an error node counts as read: `extern "C" {` under a condition leaves a brace open, which makes the
    whole of a good C header one error node (5% of /usr/include). An error node counts as one byte at least.
    """
    if not root.has_error:
        return 0.0
    wrong, pending = 0, [root]
    while pending:
        node = pending.pop()
        if node.is_missing:
            wrong += 1
        elif node.has_error or node.is_error:
            loose = (child for child in node.children if not child.child_count and child.type != "comment")
            if node.is_error:
                wrong += max(1, sum(child.end_byte - child.start_byte for child in loose if not child.is_missing))
            pending.extend(child for child in node.children if child.has_error)
    return min(wrong / max(length, 1), 1.0)
