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

from corpora import SchemaError

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


class IndexedWriter:
    """Writes `{prefix}.bin` and `{prefix}.idx`; both get their names in `close`, the index last."""

    def __init__(self, prefix: Path, dtype: Any) -> None:
        self._prefix = prefix
        self._dtype = np.dtype(dtype)
        self._code = next(code for code, kind in _CODES.items() if np.dtype(kind) == self._dtype)
        self._lengths: list[np.ndarray[Any, Any]] = []
        self._documents = [0]
        self._sequences = 0
        self._temporary = prefix.with_name(f".{prefix.name}.{os.getpid()}")
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._bin = self._temporary.open("wb")

    def add_document(self, ids: Any, lengths: Sequence[int]) -> None:
        """Append one document: its tokens, and how many each of its sequences has."""
        tokens = np.ascontiguousarray(ids, dtype=self._dtype)
        if int(sum(lengths)) != len(tokens):
            raise ValueError(f"{self._prefix}: sequences of {sum(lengths)} tokens in all, document of {len(tokens)}")
        self._bin.write(tokens.tobytes())
        self._lengths.append(np.asarray(lengths, dtype=np.int32))
        self._sequences += len(lengths)
        self._documents.append(self._sequences)

    def close(self) -> None:
        """Finish both files."""
        self._bin.flush()
        os.fsync(self._bin.fileno())
        self._bin.close()
        lengths = np.concatenate(self._lengths) if self._lengths else np.empty(0, np.int32)
        pointers = np.zeros(len(lengths), np.int64)
        np.cumsum(lengths[:-1].astype(np.int64) * self._dtype.itemsize, out=pointers[1:])
        index = self._temporary.with_name(f"{self._temporary.name}.idx")
        with index.open("wb") as stream:
            stream.write(_HEADER.pack(_MAGIC, 1, self._code, len(lengths), len(self._documents)))
            stream.write(lengths.tobytes() + pointers.tobytes() + np.asarray(self._documents, np.int64).tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        self._temporary.replace(_with(self._prefix, ".bin"))
        index.replace(_with(self._prefix, ".idx"))


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
        content = _with(prefix, ".bin")
        self._tokens = np.memmap(content, self.dtype, "r") if content.stat().st_size else np.empty(0, self.dtype)
        if len(self._tokens) != self.sequence_lengths.sum(dtype=np.int64):
            raise SchemaError(f"{content} has {len(self._tokens)} tokens, its index says {self.sequence_lengths.sum()}")

    def __len__(self) -> int:
        return len(self.sequence_lengths)

    def get(self, sequence: int, offset: int = 0, length: int | None = None) -> np.ndarray[Any, Any]:
        """Read a sequence, or `length` tokens of it from `offset`; a view into the map."""
        start = int(self.pointers[sequence]) // self.dtype.itemsize + offset
        count = int(self.sequence_lengths[sequence]) - offset if length is None else length
        return self._tokens[start : start + count]


def _with(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)
