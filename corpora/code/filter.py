"""Drop source files by published bounds on what is measured of them.

The first bound that a file breaks is its reason; rejected/ keeps the measured value beside the bound, so that what
another bound would keep can be counted without a run. A signal is measured only where a bound asks for it, and only for the
files that no cheaper bound has dropped. No rule is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import records, shards, sieve
from corpora.code.bounds import PRESETS, VERSION, Bound
from corpora.engine import Engine

if TYPE_CHECKING:
    import pyarrow as pa

    from corpora.code.signals import Column, Rows, Values


@dataclass(frozen=True, kw_only=True)
class FilterConfig:
    """Which bounds files must keep."""

    preset: str = "ours"
    """Of `bounds.PRESETS`, which has the source of every number."""
    version: int = VERSION
    """Of that table; an older one is not kept."""
    bounds: tuple[Bound, ...] = ()
    """Take the place of the preset's on the same signals."""

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"FilterConfig.preset must be of {', '.join(PRESETS)}, got {self.preset!r}")
        if self.version != VERSION:
            raise ValueError(f"FilterConfig.version must be {VERSION}, that of the table of bounds, got {self.version}")

    def all_bounds(self) -> tuple[Bound, ...]:
        """List the bounds in the order in which they are asked."""
        replaced = {bound.signal for bound in self.bounds}
        return (*self.bounds, *(bound for bound in PRESETS[self.preset] if bound.signal not in replaced))


def filter_code(out: Path, *, documents: Path, config: FilterConfig, engine: Engine) -> dict[str, object]:
    """Keep the files within all bounds."""
    paths = shards.shard_paths(documents / "kept")
    return sieve.total(out, engine.map_shards(_filter_shard, paths, out, config))


def _filter_shard(path: Path, out: Path, config: FilterConfig) -> sieve.Counts:
    counts = sieve.done(out, path.name)
    if counts is not None:
        return counts
    table = shards.read(path, records.DOCUMENT)
    return sieve.write(out, path.name, table, judge(table, config), records.DOCUMENT)


def judge(table: pa.Table, config: FilterConfig) -> Iterator[sieve.Reject]:
    """Name the rows to drop, bound by bound."""
    import numpy as np

    from corpora.code.signals import Column

    column = Column(table["text"], table["language"].to_pylist(), table["path"].to_pylist())
    left = np.arange(len(table))
    for bound in config.all_bounds():
        rows, values = _breaks(column, bound, left)
        left = left[~np.isin(left, rows)]
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            yield sieve.Reject(row, bound.signal, value, bound.limit, column.evidence.get((bound.signal, row)))


def _breaks(column: Column, bound: Bound, left: Rows) -> tuple[Rows, Values]:
    """Give those of the rows left that break one bound, with what was measured of them."""
    import numpy as np

    names, codes = np.unique(column.languages, return_inverse=True)
    applies = np.array([bound.holds_for(str(name)) for name in names], np.bool_)
    rows = left[applies[codes[left]]] if len(left) else left
    values = column.measure(bound.signal, rows)
    outside = bound.breaks(values)
    return rows[outside], values[outside]
