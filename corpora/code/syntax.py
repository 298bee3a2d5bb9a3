"""Parse every file once: drop what is not its language, note imports and functions of what is Python.

The gate is on the share of bytes that the parser could place nowhere, by language: macros leave an error somewhere in half
of all good C files. A file over its bound is parsed again without what its grammar is known to lack (`gaps`). A language
without a bound passes unparsed. This is the dearest stage: 6 to 17 MB a core second.
A parse that does more work than any real file needs is stopped; the bound counts the parser's steps, not time, so that every
machine stops the same files. What no count of steps can stop, an endless loop or a crash inside a grammar, ends a child
process that parses for this one (`parsing`), and the file goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.code.languages import BY_NAME
from corpora.engine import Engine

if TYPE_CHECKING:
    from tree_sitter import Node, Query, Tree

ERROR_SHARES = (
    # most bytes that may be placed nowhere; in brackets what falls of the language's own library at that bound (measured)
    ("Python", 0.0003),  # CPython 3.11: 0.0%; a star in a tuple that is returned is an error of two bytes
    ("Java", 0.001),  # OpenJDK 17, java.base and java.desktop: 0.0%
    ("JavaScript", 0.001),  # npm and what it comes with: 0.0%
    ("TypeScript", 0.003),  # lib.*.d.ts, @types/node, rxjs: 0.3%
    ("TSX", 0.003),  # as TypeScript
    ("Go", 0.003),  # go 1.19 src: 0.6%, tests of the compiler itself
    ("Rust", 0.003),  # rust 1.63 library: 1.2%, macros by example
    ("C", 0.06),  # /usr/include: 1.3%, macros
    ("C++", 0.08),  # /usr/include with Boost: 0.9%, macros
    ("C#", 0.01),  # no library at hand to measure
    ("Ruby", 0.001),  # ruby 3.1: 0.1%
    ("PHP", 0.001),  # PEAR, PHPUnit, Symfony: 0.2%
    ("Shell", 0.01),  # scripts of Debian: 1.7%, here-documents
)
"""The languages that are gated."""
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

    error_shares: tuple[tuple[str, float], ...] = ERROR_SHARES
    """Languages that are gated, each with the largest share of bytes that its parser may place nowhere."""
    steps_per_byte: float = 0.1
    """Progress reports a byte after which a parse is stopped; real files need up to 0.04 (measured)."""
    least_steps: int = 10_000
    """Progress reports that any file may take, about a second."""
    cpu_seconds: int = 60
    """Of one file, after which the parsing process is ended: no file within the steps comes near."""
    memory_bytes: int = 4 << 30
    """Of the parsing process: address space."""

    def __post_init__(self) -> None:
        for language, share in self.error_shares:
            if language not in BY_NAME or not BY_NAME[language].grammar:
                known = ", ".join(row.name for row in BY_NAME.values() if row.grammar)
                raise ValueError(
                    f"SyntaxConfig.error_shares must name languages with a grammar ({known}), got {language!r}"
                )
            if not 0 <= share <= 1:
                raise ValueError(f"SyntaxConfig.error_shares must be shares from 0 to 1, got {share} for {language}")
        if self.steps_per_byte < 0 or self.least_steps < 1:
            raise ValueError(
                f"SyntaxConfig needs steps_per_byte of at least 0 and least_steps of at least 1, "
                f"got {self.steps_per_byte} and {self.least_steps}"
            )
        if self.cpu_seconds < 1 or self.memory_bytes < 1 << 28:
            raise ValueError(
                f"SyntaxConfig needs cpu_seconds of at least 1 and memory_bytes of at least {1 << 28}, "
                f"got {self.cpu_seconds} and {self.memory_bytes}"
            )

    def max_error_share(self, language: str) -> float | None:
        """Give the bound of a language, None for one that is not gated."""
        return dict(self.error_shares).get(language)


def gate_syntax(out: Path, *, documents: Path, config: SyntaxConfig, engine: Engine) -> dict[str, object]:
    """Keep files that parse; symbols/ has a row for each kept one, in the same order."""
    from corpora.code.grammars import grammar_of

    for language, _ in config.error_shares:
        grammar_of(language)  # a wheel that is missing is named before anything is parsed
    paths = shards.shard_paths(documents / "kept")
    return sieve.total(out, engine.map_shards(_gate_shard, paths, out, config))


def _gate_shard(path: Path, out: Path, config: SyntaxConfig) -> sieve.Counts:
    from corpora.code.parsing import Parsing

    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    rejects, symbols = [], []
    with Parsing(config) as parsing:
        for row, document in enumerate(table.select(["id", "language", "domain", "text"]).to_pylist()):
            language = document["language"] if document["domain"] == records.CODE else ""  # a commit is no program
            found = parsing.examine(language, document["text"].encode())
            if "reason" in found:
                rejects.append(sieve.Reject(row, **found))
            else:
                symbols.append({"id": document["id"], **found})
    shards.write(out / "symbols" / path.name, symbols, records.SYMBOLS)
    return sieve.write(out, path.name, table, rejects, records.DOCUMENT)


def examine(language: str, code: bytes, config: SyntaxConfig) -> dict[str, Any]:
    """Parse one file in this process: its symbols, or the reason, value and bound when it fails the gate."""
    from corpora.code.grammars import parse, parser_of

    bound = config.max_error_share(language)
    if bound is None:
        return {"imports": [], "functions": []}
    steps = config.least_steps + int(config.steps_per_byte * len(code))
    tree = parse(parser_of(language), code, steps)
    if tree is None:
        return {"reason": "parse_stopped", "value": float(steps), "bound": float(steps)}
    share = unread_share(language, code, tree, bound, steps)
    if share > bound:
        return {"reason": "syntax", "value": share, "bound": bound}
    return symbols(tree, code) if language == "Python" else {"imports": [], "functions": []}


def unread_share(language: str, code: bytes, tree: Tree, bound: float, steps: int) -> float:
    """Give the share of errors of a parse; where it is over the bound, without what the grammar is known to lack."""
    from corpora.code.gaps import painted
    from corpora.code.grammars import error_share, parse, parser_of

    share = error_share(tree.root_node, len(code))
    known = painted(language, code) if share > bound else code
    again = None if known == code else parse(parser_of(language), known, steps)
    return share if again is None else min(share, error_share(again.root_node, len(code)))


@lru_cache(maxsize=1)
def _symbols_query() -> Query:
    import tree_sitter

    from corpora.code.grammars import grammar_of

    query: Query = tree_sitter.Query(grammar_of("Python"), _SYMBOLS)
    return query


def symbols(tree: Tree, code: bytes) -> dict[str, Any]:
    """Note the modules that a Python file imports and where its functions and their docstrings lie."""
    from tree_sitter import QueryCursor

    imports: dict[str, None] = {}
    definitions: list[tuple[Node, dict[str, list[Node]]]] = []
    for _, captured in QueryCursor(_symbols_query()).matches(tree.root_node):
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
    first = _first_child(body)
    text = _first_child(first) if first is not None and first.type == "expression_statement" else None
    if text is None or text.type != "string":
        return -1, -1
    prefix = code[text.start_byte : text.end_byte].split(code[text.end_byte - 1 : text.end_byte], 1)[0].lower()
    return (text.start_byte, text.end_byte) if prefix in (b"", b"r", b"u") else (-1, -1)


def _first_child(node: Node) -> Node | None:
    """Give the first named child; where the parser mended a hole, even a body has none."""
    return node.named_child(0) if node.named_child_count else None
