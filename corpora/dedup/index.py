"""What deduplication knows of a corpus: six memory-mapped arrays and no text, 560 bytes a unit (a file or a repository).

| array | shape | what |
|---|---|---|
| `ids.npy` | unit, 16 | the id of the document; of a repository, the least id of its documents |
| `priorities.npy` | unit | who survives: held-out first, then more stars, then the older; the least number wins |
| `origins.npy` | unit | a digest of the repository: what is equal in that falls to the least |
| `digests.npy` | 2, unit | the two halves of a 128-bit digest of the text |
| `keys.npy` | 32, unit | band by band, the key under which a unit meets what may be like it; 0 without words |
| `signatures.npy` | unit, 256 | low bytes of the minima |

Units lie in the order of (shard, row); `index.json` has how many there are in each shard. Shards are measured apart and
their arrays then laid end to end, one array at a time, so the bytes do not depend on workers and no array is in memory.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, records, shards, sieve
from corpora.dedup.units import ORIGIN, REPOSITORY, ids_of, least_ids, origins_of, priority, units_of
from corpora.engine import Engine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Array = npt.NDArray[Any]

EXACT = ("ids", "priorities", "origins", "digests")
NEAR = (*EXACT, "keys", "signatures")
UNIT_AXIS = {"ids": 0, "priorities": 0, "origins": 0, "digests": 1, "keys": 1, "signatures": 0}
"""The arrays, and which axis of each counts the units."""
SUMMARY = "index.json"


@dataclass(frozen=True)
class Index:
    """The arrays of one corpus, opened when they are asked for."""

    folder: Path
    unit: str
    rows: dict[str, int]
    """Units in each shard, in their order."""

    @classmethod
    def open(cls, folder: Path) -> Index:
        """Open what `build` wrote; `keys` and `signatures` may be missing."""
        summary = shards.read_json(folder / SUMMARY)
        if summary["sketch"] != sketch_identity():
            raise SchemaError(f"{folder} was made with other signatures than these; run IndexDuplicates again")
        return cls(folder, summary["unit"], summary["rows"])

    def __len__(self) -> int:
        return sum(self.rows.values())

    def array(self, name: str) -> Array:
        """Map an array, read-only."""
        import numpy as np

        try:
            return np.asarray(np.load(self.folder / f"{name}.npy", mmap_mode="r"))
        except (OSError, ValueError) as error:
            raise SchemaError(
                f"{self.folder / name}.npy is not readable ({error}); delete its folder and run the stage again"
            ) from None

    def start(self, shard: str) -> int:
        """Give the number of the first unit of a shard."""
        names = list(self.rows)
        return sum(self.rows[name] for name in names[: names.index(shard)])


def build(out: Path, paths: Sequence[Path], unit: str, names: Sequence[str], engine: Engine) -> Index:
    """Measure every shard and lay the arrays end to end in `out`."""
    scratch = out / "pieces"
    if (out / SUMMARY).exists():
        shutil.rmtree(scratch, ignore_errors=True)
        return Index.open(out)
    counts = engine.map_shards(_measure_shard, paths, scratch, unit, tuple(names))
    rows = {path.name: count for path, count in zip(paths, counts, strict=True)}
    if unit == REPOSITORY:
        _check_whole(scratch, rows)
    for name in names:
        _merge(out / f"{name}.npy", [scratch / path.name / f"{name}.npy" for path in paths], name, sum(counts))
    shards.write_json(out / SUMMARY, {"unit": unit, "rows": rows, "sketch": sketch_identity()})
    shutil.rmtree(scratch)
    return Index(out, unit, rows)


def _check_whole(scratch: Path, rows: dict[str, int]) -> None:
    """Refuse a corpus that has a repository in two shards: neither part could be told from a repository."""
    import numpy as np

    names = np.concatenate([np.load(scratch / shard / "origins.npy") for shard in rows])
    order = np.argsort(names, kind="stable")
    again = np.flatnonzero(names[order][1:] == names[order][:-1])
    if len(again):
        ends = np.cumsum(list(rows.values()))
        first, second = (list(rows)[int(np.searchsorted(ends, order[again[0] + k], "right"))] for k in (0, 1))
        raise SchemaError(
            f"a repository lies in both {first} and {second}; unit = repository needs whole repositories in a shard, "
            "as Collect writes them"
        )


def sketch_identity() -> dict[str, Any]:
    """Say what signatures and orders are made of: indexes with another identity cannot be compared."""
    from corpora import minhash

    shape = {"shingle_words": minhash.SHINGLE_WORDS, "bands": minhash.BANDS, "rows": minhash.ROWS}
    return {**shape, "license_headers": False, "ties": "origins"}


def _measure_shard(path: Path, scratch: Path, unit: str, names: tuple[str, ...]) -> int:
    """Write the arrays of one shard; the number of its units is written last, it says that all are there."""
    folder = scratch / path.name
    if (folder / "units.json").exists():
        return int(shards.read_json(folder / "units.json"))
    table = shards.read(path, records.DOCUMENT, ["id", "text", "split", "stars", "date", *ORIGIN])
    units = units_of(table, unit)
    arrays = _of_files(path, table)
    if unit == REPOSITORY:
        arrays = _of_repositories(arrays, units)
    if "signatures" in names:
        from corpora import minhash

        sketches = minhash.sketch(_without_licenses(table), units)
        arrays |= {"keys": sketches.keys, "signatures": sketches.signatures}
    arrays["digests"] = arrays["digests"].T
    for name, array in arrays.items():
        sieve.save_array(folder / f"{name}.npy", array)
    count = len(arrays["ids"])
    shards.write_json(folder / "units.json", count)
    return count


def _without_licenses(table: pa.Table) -> pa.Array:
    """Take licence text off the head of each file: under one header, short files of any kind would be alike."""
    import pyarrow as pa

    from corpora.code.headers import license_spans

    texts = []
    for text in table["text"].cast(pa.binary()).to_pylist():
        last, pieces = 0, []
        for start, end in license_spans(text):
            pieces.append(text[last:start])
            last = end
        pieces.append(text[last:])
        rest = b"".join(pieces)
        texts.append(rest if rest.strip() else text)  # of a file that is all licence, that is what it is
    return pa.array(texts, pa.binary()).cast(pa.string())


def _of_files(path: Path, table: pa.Table) -> dict[str, Array]:
    import numpy as np
    import pyarrow as pa

    texts = table["text"].cast(pa.binary()).to_pylist()  # as bytes: no decoding, nor encoding again
    digests = b"".join(hashlib.blake2b(text, digest_size=16).digest() for text in texts)
    halves = np.frombuffer(digests, "<u8").reshape(-1, 2)
    order = {"priorities": _priorities(table), "origins": origins_of(table)}
    return {"ids": ids_of(table, path), **order, "digests": halves}


def _of_repositories(files: dict[str, Array], units: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Put files together: the least id, the best priority, a digest of the set of texts."""
    import numpy as np

    order = np.argsort(units, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(units[order])) + 1) if len(units) else []
    digests = b"".join(_joint(files["digests"][rows]) for rows in members)
    return {
        "ids": least_ids(files["ids"], units),
        "priorities": np.array([files["priorities"][rows].min() for rows in members], np.uint64),
        "origins": np.array([files["origins"][rows[0]] for rows in members], np.uint64),
        "digests": np.frombuffer(digests, "<u8").reshape(-1, 2),
    }


def _joint(digests: Array) -> bytes:
    """Digest the texts of a repository: their paths and order do not count."""
    return hashlib.blake2b(b"".join(sorted(one.tobytes() for one in digests)), digest_size=16).digest()


def _priorities(table: pa.Table) -> npt.NDArray[np.uint64]:
    import numpy as np

    rows = zip(*(table[name].to_pylist() for name in ("split", "stars", "date")), strict=True)
    return np.fromiter((priority(*row) for row in rows), np.uint64, len(table))


def _merge(target: Path, pieces: Sequence[Path], name: str, count: int) -> None:
    """Lay arrays end to end in one file, and remove them; a file that is there is whole.

    One piece is open at a time: there may be more of them than a process may have files open.
    """
    import numpy as np

    if target.exists():
        return
    first = np.load(pieces[0], mmap_mode="r")
    shape = (*first.shape[:-1], count) if UNIT_AXIS[name] else (count, *first.shape[1:])
    blocks = range(len(first)) if UNIT_AXIS[name] else (slice(None),)
    header = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}

    def write_to(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            for block in blocks:
                for piece in pieces:
                    stream.write(np.load(piece, mmap_mode="r")[block].tobytes())

    shards.replace(target, write_to)
    for piece in pieces:
        piece.unlink()
