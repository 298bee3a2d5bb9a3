"""How documents become one run of tokens: special tokens by id, texts between them by the tokenizer.

A special token is never a text: `lay_out` says what comes before which run of text, and one call encodes all runs of a
batch with nothing parsed. What is laid out is what `corpora.trace` takes apart again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from corpora.code.fim import Cut, Piece, pieces
from corpora.markers import FILE, REPOSITORY, Markers

if TYPE_CHECKING:
    from corpora.tokenizer import Tokenizer

_BATCH = 256
"""Files encoded in one call."""


@dataclass(frozen=True, kw_only=True)
class TokenizeConfig:
    """How documents become tokens."""

    append_eod: bool = True
    """End every document with the base's `<|endoftext|>` (QWEN report, 2.2; Megatron's `--append-eod`)."""
    markers: Markers = Markers.TOKENS
    """How the files of a repository say where they are from; files alone are not marked."""


class Encoded(NamedTuple):
    """A run of documents: tokens, how many each sequence has, how many sequences each document has."""

    ids: Any
    lengths: list[int]
    sequences: list[int]


def lay_out(row: dict[str, Any], config: TokenizeConfig, *, first: bool) -> list[Piece]:
    """Put a file's marks before its text; `first` of its part also names the repository."""
    cut = Cut(row["fim"], row["fim_start"], row["fim_end"]) if row["fim"] else None
    texts = pieces(row["text"], cut)
    mark = mark_of(row, config)
    if not mark:
        return texts
    tokens = config.markers is Markers.TOKENS
    repository: list[Piece] = [(REPOSITORY, f"{row['repository']}\n")] if tokens and first else []
    file = FILE if tokens else None
    if texts[0][0] is None:  # one run of text is encoded as one, as it will be in a prompt
        return [*repository, (file, mark + texts[0][1]), *texts[1:]]
    return [*repository, (file, mark), *texts]


def mark_of(row: dict[str, Any], config: TokenizeConfig) -> str:
    """Give the line that says which file this is; "" for a file alone."""
    if row["part"] is None:
        return ""
    return {Markers.TOKENS: f"{row['path']}\n", Markers.TEXT: f"#{row['path']}\n", Markers.NONE: ""}[config.markers]


def batches(rows: Sequence[dict[str, Any]]) -> Iterator[list[list[dict[str, Any]]]]:
    """Cut rows into documents, and these into batches of about `_BATCH` files."""
    batch: list[list[dict[str, Any]]] = []
    size = 0
    part = None
    for row in rows:
        if row["part"] is None or row["part"] != part:
            if size >= _BATCH:
                yield batch
                batch, size = [], 0
            batch.append([])
        part = row["part"]
        batch[-1].append(row)
        size += 1
    if batch:
        yield batch


def encode(
    batch: Sequence[Sequence[dict[str, Any]]], tokenizer: Tokenizer, tokens: dict[str, int], config: TokenizeConfig
) -> Encoded:
    """Encode all texts in one call, then put the special tokens between them."""
    import numpy as np

    texts: list[str] = []
    inserted: list[tuple[int, int]] = []  # before which text, which token
    ends: list[tuple[int, int]] = []  # of each sequence: texts and special tokens so far
    for document in batch:
        for place, row in enumerate(document):
            for role, text in lay_out(row, config, first=place == 0):
                inserted += [(len(texts), tokens[role])] if role else []
                texts.append(text)
            if config.append_eod and place == len(document) - 1:
                inserted.append((len(texts), tokenizer.eod_id))
            ends.append((len(texts), len(inserted)))
    ids, lengths = tokenizer.encode_flat(texts)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    before, values = np.array(inserted, np.int64).reshape(-1, 2).T
    ids = np.insert(ids, starts[before], values)  # those before one text stay in their order
    text_ends, token_ends = np.array(ends, np.int64).T
    found = np.diff(starts[text_ends] + token_ends, prepend=0)
    return Encoded(ids, found.tolist(), [len(document) for document in batch])
