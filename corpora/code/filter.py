"""Drop source files by published bounds on size, lines and letters, and files that a program wrote.

The first bound that a file breaks is its reason; rejected/ keeps the measured value beside the bound, so that what
another bound would keep can be counted without a run. Costs about 10 CPU seconds a GB. No rule is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import records, shards, sieve
from corpora.engine import Engine

if TYPE_CHECKING:
    import pyarrow as pa

    from corpora.code.signals import Signals


@dataclass(frozen=True, kw_only=True)
class FilterConfig:
    """Bounds of what is kept. Sources: StarCoder2 (arXiv 2402.19173, section 3), The Stack, DeepSeek-Coder."""

    max_bytes: int = 1_000_000
    """The Stack: under 1 MB; StarCoder2 allows 10 MB."""
    max_lines: int = 100_000
    """StarCoder2."""
    max_line_length: int = 1000
    """Characters of the longest line; all three."""
    max_mean_line_length: int = 100
    """Characters a line; all three."""
    line_exempt: tuple[str, ...] = ("HTML", "JSON", "Markdown", "Roff", "SMT", "TeX", "Text", "XML")
    """Languages whose lines may be of any length (StarCoder2)."""
    min_letters: float = 0.25
    """Share of characters that are letters; all three."""
    generated_lines: int = 5
    """First lines in which a phrase marks a generated file (StarCoder2)."""

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_lines", "max_line_length", "max_mean_line_length", "generated_lines"):
            if getattr(self, name) < 1:
                raise ValueError(f"FilterConfig.{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.min_letters <= 1:
            raise ValueError(f"FilterConfig.min_letters must be a share from 0 to 1, got {self.min_letters}")


def filter_code(out: Path, *, documents: Path, config: FilterConfig, engine: Engine) -> dict[str, object]:
    """Keep the files within all bounds that nothing marks as generated."""
    paths = shards.shard_paths(documents / "kept")
    return sieve.total(out, engine.map_shards(_filter_shard, paths, out, config))


def _filter_shard(path: Path, out: Path, config: FilterConfig) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    return sieve.write(out, path.name, table, judge(table, config), records.DOCUMENT)


def judge(table: pa.Table, config: FilterConfig) -> Iterator[sieve.Reject]:
    """Name the rows to drop."""
    from corpora.code import signals

    measured = signals.signals(table["text"])
    paths, languages = table["path"].to_pylist(), table["language"].to_pylist()
    for row, (path, language) in enumerate(zip(paths, languages, strict=True)):
        broken = _broken_bound(measured, row, language, config)
        if broken is not None:
            yield sieve.Reject(row, *broken)
            continue
        mark = signals.generated_mark(path, table["text"][row].as_py(), config.generated_lines)
        if mark is not None:
            yield sieve.Reject(row, "generated", evidence=mark)


def _broken_bound(measured: Signals, row: int, language: str, config: FilterConfig) -> tuple[str, float, float] | None:
    """Give the first bound that a file breaks: reason, value, bound."""
    upper = [("bytes", measured.bytes[row], config.max_bytes), ("lines", measured.lines[row], config.max_lines)]
    if language not in config.line_exempt:
        upper += [
            ("longest_line", measured.longest_line[row], config.max_line_length),
            ("mean_line", measured.mean_line[row], config.max_mean_line_length),
        ]
    for reason, value, bound in upper:
        if value > bound:
            return reason, float(value), float(bound)
    if measured.letters[row] < config.min_letters:
        return "letters", float(measured.letters[row]), config.min_letters
    return None
