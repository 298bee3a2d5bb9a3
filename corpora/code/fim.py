"""Fill-in-the-middle: for a share of the files, where the middle that moves to the end starts and ends.

The text of a document stays as it is: columns hold the draw, `pieces` lays the text out by it when tokens are written,
so no special token is ever spelt in a text. Both orders of Bavarian et al. (arXiv 2207.14255): PSM is prefix, suffix,
middle; SPM is suffix, then prefix and middle as one run ("variant 2"), so both start with the same token and share a
reader. Cuts are two characters drawn evenly, so that a token may be cut, as it is where a person stops typing. Draws
depend on (seed, document id) alone. Held-out files are never moved; a file stays within itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve

if TYPE_CHECKING:
    from corpora.engine import Engine

PSM, SPM = "psm", "spm"
PREFIX, MIDDLE, SUFFIX = "fim_prefix", "fim_middle", "fim_suffix"
"""What a special token stands for; `corpora.markers` knows how a base spells it."""

Piece = tuple[str | None, str]
"""A special token, or none, and the text after it."""


@dataclass(frozen=True, kw_only=True)
class FimConfig:
    """How many files are laid out with their middle at the end.

    | source | part_rate | rate | spm_rate |
    |---|---|---|---|
    | StarCoder2 (arXiv 2402.19173, 5.1) | 0.5 | 0.5 | 0.5 |
    | DeepSeek-Coder (arXiv 2401.14196, 3.1.2) | 1 | 0.5 | 0 |
    | Granite Code (arXiv 2405.04324, 3) | 1 | 0.5 | 0.5 |

    Qwen2.5-Coder gives no rate.
    """

    rate: float = 0.0
    """Share of the training files of a chosen part; 0 moves nothing, and needs no special token."""
    spm_rate: float = 0.5
    """Share of the moved files whose suffix comes first."""
    part_rate: float = 1.0
    """Share of the parts of repositories (or of single files) in which files are moved at all."""
    seed: int = 1234

    def __post_init__(self) -> None:
        for name in ("rate", "spm_rate", "part_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"FimConfig.{name} must be a share from 0 to 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Cut:
    """A draw: the order, and the characters at which the middle starts and ends."""

    order: str
    start: int
    end: int


def apply_fim(out: Path, *, documents: Path, config: FimConfig, engine: Engine) -> dict[str, object]:
    """Draw the cuts of all training files; every document is kept, with its text as it was."""
    return sieve.add_up(out, engine.map_shards(_cut_shard, shards.shard_paths(documents / "kept"), out, config))


def _cut_shard(path: Path, out: Path, config: FimConfig) -> dict[str, int]:
    import pyarrow as pa

    if (counts := sieve.done(out, path.name)) is not None:
        return counts
    table = shards.read(path, records.ARRANGED)
    cuts = _cuts(table.select(["id", "text", "part", "split", "domain"]).to_pylist(), config)
    for name, value in (("fim", "order"), ("fim_start", "start"), ("fim_end", "end")):
        field = records.ARRANGED.field(name)
        column = pa.array([None if cut is None else getattr(cut, value) for cut in cuts], field.type)
        table = table.set_column(table.column_names.index(name), field, column)
    shards.write(out / "kept" / path.name, table, records.ARRANGED)
    orders = [cut.order for cut in cuts if cut]
    counts = {"kept": len(table), PSM: orders.count(PSM), SPM: orders.count(SPM)}
    shards.write_json(out / "counts" / f"{path.name}.json", counts)
    return counts


def _cuts(rows: Iterable[dict[str, Any]], config: FimConfig) -> list[Cut | None]:
    cuts: list[Cut | None] = []
    part, chosen = None, False
    for row in rows:
        if row["part"] is None or row["part"] != part:  # the first file of a part, or a file alone, decides for it
            part, chosen = row["part"], _numbers(f"{config.seed} part {row['id']}")[0] < config.part_rate
        is_trained_code = row["split"] == records.TRAIN and row["domain"] == records.CODE
        cuts.append(draw(row["id"], row["text"], config) if chosen and is_trained_code else None)
    return cuts


def draw(document: str, text: str, config: FimConfig) -> Cut | None:
    """Draw whether and where the text of a document is cut."""
    moved, suffix_first, *points = _numbers(f"{config.seed} {document}")
    if moved >= config.rate:
        return None
    start, end = sorted(int(point * (len(text) + 1)) for point in points)
    return Cut(SPM if suffix_first < config.spm_rate else PSM, start, end)


def _numbers(name: str) -> list[float]:
    """Give four numbers from 0 to below 1, of 32 bits, that depend on a name."""
    value = hashlib.blake2b(name.encode(), digest_size=16).digest()
    return [int.from_bytes(value[start : start + 4], "little") / 2**32 for start in range(0, 16, 4)]


def pieces(text: str, cut: Cut | None) -> list[Piece]:
    """Lay a text out: what special token comes before which run of it.

    >>> pieces("abcdef", Cut("psm", 2, 4))
    [('fim_prefix', 'ab'), ('fim_suffix', 'ef'), ('fim_middle', 'cd')]
    >>> pieces("abcdef", Cut("spm", 2, 4))
    [('fim_prefix', ''), ('fim_suffix', 'ef'), ('fim_middle', 'ab'), (None, 'cd')]
    """
    if cut is None:
        return [(None, text)]
    prefix, middle, suffix = text[: cut.start], text[cut.start : cut.end], text[cut.end :]
    if cut.order == SPM:
        return [(PREFIX, ""), (SUFFIX, suffix), (MIDDLE, prefix), (None, middle)]
    return [(PREFIX, prefix), (SUFFIX, suffix), (MIDDLE, middle)]


def restore(laid_out: Sequence[Piece]) -> str:
    """Give the text back from its pieces, whatever the order: what is after the middle's token lies before the suffix.

    >>> restore([("fim_prefix", ""), ("fim_suffix", "ef"), ("fim_middle", "abcd")])
    'abcdef'
    """
    runs: dict[str | None, str] = {}
    token: str | None = None
    for special, text in laid_out:
        token = special or token
        runs[token] = runs.get(token, "") + text
    return "".join(runs.get(role, "") for role in (None, PREFIX, MIDDLE, SUFFIX))
