"""Parse every file once: drop what is not its language, note imports and functions of the rest.

The gate is on the share of bytes that the parser could not read, not on "has an error", which macros make true in half
of all good C files. A language without a grammar here passes unparsed. This is the dearest stage: 8 MB a core second.
A parse that does more work than any real file needs is stopped; the bound counts the parser's steps, not time, so that
every machine stops the same files. An external scanner's own endless loop cannot be stopped from here.
tree-sitter before 0.26.1 crashes the process when it reports progress.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.engine import Engine

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Query, Tree

_CHUNK = 1 << 16
_SYMBOLS = """
(import_statement name: (dotted_name) @module)
(import_statement name: (aliased_import name: (dotted_name) @module))
(import_from_statement module_name: (_) @module)
(future_import_statement "__future__" @module)
(class_definition) @class
(function_definition name: (identifier) @name body: (block) @body) @function
"""


@dataclass(frozen=True, kw_only=True)
class SyntaxConfig:
    """How much of a file may be unreadable, and how long a parse may take."""

    max_error_share: float = 0.0
    """Share of bytes under error nodes. 0 for Python: no file of CPython's library before 3.12 has one (measured)."""
    steps_per_byte: float = 0.1
    """Progress reports a byte after which a parse is stopped; real files need up to 0.02 (measured)."""
    least_steps: int = 10_000
    """Progress reports that any file may take, about a second."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_error_share <= 1:
            raise ValueError(f"SyntaxConfig.max_error_share must be a share from 0 to 1, got {self.max_error_share}")
        if self.steps_per_byte < 0 or self.least_steps < 1:
            raise ValueError(
                f"SyntaxConfig needs steps_per_byte of at least 0 and least_steps of at least 1, "
                f"got {self.steps_per_byte} and {self.least_steps}"
            )


def gate_syntax(out: Path, *, documents: Path, config: SyntaxConfig, engine: Engine) -> dict[str, object]:
    """Keep files that parse; symbols/ has a row for each kept one, in the same order."""
    paths = shards.shard_paths(documents / "kept")
    return sieve.total(out, engine.map_shards(_gate_shard, paths, out, config))


def _gate_shard(path: Path, out: Path, config: SyntaxConfig) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    rejects, symbols = [], []
    for row, document in enumerate(table.select(["id", "language", "text"]).to_pylist()):
        found = examine(document["language"], document["text"].encode(), config)
        if isinstance(found, dict):
            symbols.append({"id": document["id"], **found})
        else:
            reason, value, bound = found
            rejects.append(sieve.Reject(row, reason, value, bound))
    shards.write(out / "symbols" / path.name, symbols, records.SYMBOLS)
    return sieve.write(out, path.name, table, rejects, records.DOCUMENT)


def examine(language: str, code: bytes, config: SyntaxConfig) -> dict[str, Any] | tuple[str, float, float]:
    """Parse one file: its symbols, or (reason, value, bound) when it fails the gate."""
    if language != "Python":
        return {"imports": [], "functions": []}
    steps = config.least_steps + int(config.steps_per_byte * len(code))
    tree = parse(_python()[0], code, steps)
    if tree is None:
        return "parse_stopped", float(steps), float(steps)
    share = error_share(tree.root_node, len(code))
    if share > config.max_error_share:
        return "syntax", share, config.max_error_share
    return symbols(tree, code)


@lru_cache(maxsize=1)
def _python() -> tuple[Parser, Language, Query]:
    """Parser, language and query for symbols; one of each a process."""
    import tree_sitter
    import tree_sitter_python

    language = tree_sitter.Language(tree_sitter_python.language())
    return tree_sitter.Parser(language), language, tree_sitter.Query(language, _SYMBOLS)


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
    """Give the share of bytes under error nodes; a missing token counts as one byte."""
    if not root.has_error:
        return 0.0
    wrong, pending = 0, [root]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            wrong += max(node.end_byte - node.start_byte, 1)
        elif node.has_error:
            pending.extend(node.children)
    return min(wrong / max(length, 1), 1.0)


def symbols(tree: Tree, code: bytes) -> dict[str, Any]:
    """Note the modules that a Python file imports and where its functions and their docstrings lie."""
    from tree_sitter import QueryCursor

    imports: dict[str, None] = {}
    definitions: list[tuple[Node, dict[str, list[Node]]]] = []
    for _, captured in QueryCursor(_python()[2]).matches(tree.root_node):
        if "module" in captured:
            imports.update((code[n.start_byte : n.end_byte].decode(), None) for n in captured["module"])
        else:
            definitions.append((captured.get("function", captured.get("class", []))[0], captured))
    return {"imports": list(imports), "functions": list(_functions(definitions, code))}


def _functions(definitions: list[tuple[Node, dict[str, list[Node]]]], code: bytes) -> Iterator[dict[str, Any]]:
    """Give a row for each function, in the order of the text; depth counts the definitions around it."""
    around: list[int] = []
    for node, captured in sorted(definitions, key=lambda pair: pair[0].start_byte):
        while around and around[-1] <= node.start_byte:
            around.pop()
        if "function" in captured:
            body = captured["body"][0]
            outer = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
            start, end = _docstring(body, code)
            yield {
                "name": code[captured["name"][0].start_byte : captured["name"][0].end_byte].decode(),
                "start": outer.start_byte,
                "end": node.end_byte,
                "body_start": body.start_byte,
                "docstring_start": start,
                "docstring_end": end,
                "has_doctest": b">>>" in code[max(start, 0) : max(end, 0)],
                "depth": len(around),
            }
        around.append(node.end_byte)


def _docstring(body: Node, code: bytes) -> tuple[int, int]:
    """Give the span of a body's docstring with its quotes, (-1, -1) without one."""
    first = body.named_child(0)
    text = first.named_child(0) if first is not None and first.type == "expression_statement" else None
    if text is None or text.type != "string":
        return -1, -1
    prefix = code[text.start_byte : text.end_byte].split(code[text.end_byte - 1 : text.end_byte], 1)[0].lower()
    return (text.start_byte, text.end_byte) if prefix in (b"", b"r", b"u") else (-1, -1)
