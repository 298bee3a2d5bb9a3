"""Token files in Megatron's `.bin/.idx` layout: a flat array of tokens, and an index of its sequences and documents.

Layout of `.idx`: magic, version, dtype code, number of sequences, number of document boundaries (documents + 1), then
sequence lengths (int32), byte offsets (int64), document boundaries (int64). Megatron's own reader opens it; numpy alone
reads and writes it. Source: Megatron-core, `datasets/indexed_dataset.py`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpora import SchemaError, shards

_MAGIC = b"MMIDIDX\x00\x00"
_HEADER = struct.Struct("<9sQBQQ")
_CODES: dict[int, Any] = {
    1: np.uint8,
    2: np.int8,
    3: np.int16,
    4: np.int32,
    5: np.int64,
    6: np.float64,
    7: np.float32,
    8: np.uint16,
}
_COPY_TOKENS = 1 << 24


class IndexedWriter:
    """Writes `{prefix}.bin` and `{prefix}.idx`, which get their names in `close`."""

    def __init__(self, prefix: Path, dtype: Any) -> None:
        self._dtype = np.dtype(dtype)
        self._code = next((code for code, kind in _CODES.items() if np.dtype(kind) == self._dtype), 0)
        if not self._code:
            raise ValueError(f"{prefix}: the format has no code for tokens of type {self._dtype}; use int32")
        self._paths = _with(prefix, ".bin"), _with(prefix, ".idx")
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._lengths: list[Any] = []
        self._boundaries: list[Any] = [np.zeros(1, np.int64)]
        self._sequences = 0
        self._bin = shards.unfinished(self._paths[0]).open("wb")

    def add_document(self, ids: Any, lengths: Sequence[int]) -> None:
        """Append one document: its tokens, and how many each of its sequences has."""
        tokens = np.ascontiguousarray(ids, dtype=self._dtype)
        if int(sum(lengths)) != len(tokens):
            raise ValueError(f"{self._paths[0]}: {sum(lengths)} tokens in its sequences, {len(tokens)} in the document")
        self._append(tokens, np.asarray(lengths, np.int32), np.asarray([len(lengths)], np.int64))

    def add_documents(self, ids: Any, lengths: Any, sequences: Any | None = None) -> None:
        """Append many documents: their tokens, how many each sequence has, how many sequences each document has (one)."""
        tokens, counts = np.ascontiguousarray(ids, dtype=self._dtype), np.asarray(lengths, np.int32)
        if int(counts.sum(dtype=np.int64)) != len(tokens):
            raise ValueError(f"{self._paths[0]}: {counts.sum(dtype=np.int64)} tokens in all, {len(tokens)} given")
        ends = np.cumsum(np.ones(len(counts), np.int64) if sequences is None else sequences, dtype=np.int64)
        wanted = int(ends[-1]) if len(ends) else 0
        if len(counts) != wanted:
            raise ValueError(f"{self._paths[0]}: {wanted} sequences in the documents, {len(counts)} given")
        self._append(tokens, counts, ends)

    def add_all(self, reader: IndexedReader) -> None:
        """Append every document of another file; costs its bytes, not its documents."""
        if reader.dtype != self._dtype:
            raise ValueError(f"{self._paths[0]} holds {self._dtype}, the file to append {reader.dtype}")
        for start in range(0, len(reader.tokens), _COPY_TOKENS):
            self._bin.write(reader.tokens[start : start + _COPY_TOKENS].tobytes())
        self._append(np.empty(0, self._dtype), reader.sequence_lengths, reader.document_indices[1:])

    def _append(self, tokens: Any, lengths: Any, boundaries: Any) -> None:
        self._bin.write(tokens.tobytes())
        self._lengths.append(lengths)
        self._boundaries.append(boundaries + self._sequences)
        self._sequences += len(lengths)

    def close(self) -> None:
        """Finish both files, the index last: where it is, its tokens are."""
        self._bin.flush()
        os.fsync(self._bin.fileno())
        self._bin.close()
        shards.finish(Path(self._bin.name), self._paths[0])
        lengths = np.concatenate([np.empty(0, np.int32), *self._lengths])
        pointers = np.zeros(len(lengths), np.int64)
        np.cumsum(lengths[:-1].astype(np.int64) * self._dtype.itemsize, out=pointers[1:])
        boundaries = np.concatenate(self._boundaries)
        header = _HEADER.pack(_MAGIC, 1, self._code, len(lengths), len(boundaries))
        index = header + lengths.tobytes() + pointers.tobytes() + boundaries.tobytes()
        shards.replace(self._paths[1], lambda temporary: temporary.write_bytes(index))


class IndexedReader:
    """Reads `{prefix}.bin` and `{prefix}.idx` through memory maps."""

    def __init__(self, prefix: Path) -> None:
        path = _with(prefix, ".idx")
        try:
            data = path.read_bytes()
            magic, version, code, sequences, documents = _HEADER.unpack_from(data)
        except (OSError, struct.error) as error:
            raise SchemaError(
                f"{path} is not a token index ({error}); delete its folder and run the stage again"
            ) from None
        size = _HEADER.size + 12 * sequences + 8 * documents
        if magic != _MAGIC or version != 1 or code not in _CODES or len(data) != size:
            raise SchemaError(
                f"{path} is not a whole token index of {size} bytes, found {len(data)}; run the stage again"
            )
        self.dtype = np.dtype(_CODES[code])
        self.sequence_lengths = np.frombuffer(data, np.int32, sequences, _HEADER.size)
        self.pointers = np.frombuffer(data, np.int64, sequences, _HEADER.size + 4 * sequences)
        self.document_indices = np.frombuffer(data, np.int64, documents, _HEADER.size + 12 * sequences)
        self.tokens: np.ndarray[Any, Any] = _map(_with(prefix, ".bin"), self.dtype)
        if len(self.tokens) != self.sequence_lengths.sum(dtype=np.int64):
            raise SchemaError(
                f"{prefix}.bin has {len(self.tokens)} tokens, its index says {self.sequence_lengths.sum(dtype=np.int64)}; "
                "delete its folder and run the stage again"
            )

    def __len__(self) -> int:
        return len(self.sequence_lengths)

    def get(self, sequence: int, offset: int = 0, length: int | None = None) -> np.ndarray[Any, Any]:
        """Read a sequence, or `length` tokens of it from `offset`; a view into the map."""
        start = int(self.pointers[sequence]) // self.dtype.itemsize + offset
        count = int(self.sequence_lengths[sequence]) - offset if length is None else length
        return self.tokens[start : start + count]


def _map(path: Path, dtype: Any) -> Any:
    try:
        return np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path} does not hold whole tokens ({error}); run the stage again") from None


def _with(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)
