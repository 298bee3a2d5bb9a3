"""Indexes of synthetic signatures, and what linking and electing them takes: `benchmarks/duplicates.py` starts it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

COPIES = 0.2


def synthesize(folder: str, count: str) -> None:
    """Write an index of random signatures; a copy has its keys in half of the bands and 85% of the bytes of another."""
    import numpy as np

    from corpora import minhash
    from corpora.dedup.index import SUMMARY, UNIT_AXIS, sketch_identity
    from corpora.dedup.units import FILE

    number, root = int(count), Path(folder)
    root.mkdir(exist_ok=True)
    shapes = {"ids": (number, 16), "priorities": (number,), "origins": (number,), "digests": (2, number)}
    shapes |= {"keys": (minhash.BANDS, number), "signatures": (number, minhash.PERMUTATIONS)}
    generator = np.random.default_rng(1)
    copies = generator.random(number) < COPIES
    copies[0] = False
    origin = np.where(copies, (np.arange(number) * generator.random(number)).astype(np.int64), np.arange(number))
    for name in UNIT_AXIS:
        kind = np.uint8 if name in ("ids", "signatures") else np.uint64
        array = np.lib.format.open_memmap(root / f"{name}.npy", mode="w+", dtype=kind, shape=shapes[name])
        for start in range(0, number, 1 << 16):
            part = slice(start, min(start + (1 << 16), number))
            array[(..., part) if UNIT_AXIS[name] else part] = fake(generator, name, shapes[name], part, origin, kind)
        array.flush()
    from corpora import shards

    shards.write_json(root / SUMMARY, {"unit": FILE, "rows": {"part": number}, "sketch": sketch_identity()})


def fake(generator: Any, name: str, shape: tuple[int, ...], part: slice, origin: Any, kind: Any) -> Any:
    """Make one stretch of an array; signatures and keys of a copy are computed from the number of its original."""
    import numpy as np

    rows = origin[part]
    if name == "keys":
        bands = np.arange(shape[0], dtype=np.uint64)[:, None] << np.uint64(40)
        own = generator.integers(1, 2**63, (shape[0], len(rows)), dtype=np.uint64)
        shared = scatter(rows.astype(np.uint64)[None, :] + bands)
        copied = (rows != np.arange(part.start, part.stop)) & (generator.random((shape[0], len(rows))) < 0.5)
        return np.where((rows == np.arange(part.start, part.stop)) | copied, shared, own)
    if name == "signatures":
        columns = np.arange(shape[1], dtype=np.uint64)[None, :] << np.uint64(40)
        shared = (scatter(rows.astype(np.uint64)[:, None] + columns) & np.uint64(255)).astype(np.uint8)
        noise = generator.integers(0, 256, shared.shape, dtype=np.uint8)
        changed = (rows != np.arange(part.start, part.stop))[:, None] & (generator.random(shared.shape) < 0.15)
        return np.where(changed, noise, shared)
    size = (shape[0], len(rows)) if name == "digests" else (len(rows), *shape[1:])
    return generator.integers(0, 256 if kind is np.uint8 else 2**63, size, dtype=kind)


def scatter(numbers: Any) -> Any:
    """Spread 64-bit numbers."""
    import numpy as np

    with np.errstate(over="ignore"):
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            numbers = (numbers ^ (numbers >> np.uint64(33))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(33)) | np.uint64(1)


def cluster(index: str, out: str) -> dict[str, float]:
    """Link and elect; give what it took. One small index first, so that compiling is outside the clock."""
    import numpy as np

    from corpora import minhash
    from corpora.dedup.clusters import Joined, elect, near
    from corpora.dedup.index import Index

    work, agreement = Path(out), near(0.65, minhash.PERMUTATIONS)
    synthesize(f"{out}-small", "1000")
    elect(Joined((Index.open(Path(f"{out}-small")),)), agreement, work).write_clusters(work / "clusters.parquet")
    start, sampler = time.process_time(), Sampler()
    election = elect(Joined((Index.open(Path(index)),)), agreement, work)
    linking, sampler = sampler.stop(), Sampler(sampler.start)
    election.write_clusters(work / "clusters.parquet")
    writing, seconds = sampler.stop(), time.process_time() - start
    removed = int(np.count_nonzero(election.survivors != np.arange(len(election.survivors))))
    disk = sum(path.stat().st_size for path in Path(index).iterdir())
    return {"linking": linking, "writing": writing, "seconds": seconds, "removed": removed, "disk": disk}


class Sampler:
    """The peak of this process's anonymous memory above where it began, looked at every five milliseconds."""

    def __init__(self, start: int | None = None) -> None:
        self._peak = self._now()
        self.start = self._peak if start is None else start
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @staticmethod
    def _now() -> int:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("RssAnon:")[1].split()[0])

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self._peak = max(self._peak, self._now())

    def stop(self) -> int:
        """Give the peak, in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak - self.start
