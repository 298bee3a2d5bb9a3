"""What the stages of this package share: digests, problem rows, and shards of rows that a stage makes or drops."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from corpora import records, shards, sieve
from corpora.math.annotations import Unusable

SEED, RENUMBER, PROGRAM, DRILL = "seed", "renumber", "program", "drill"
"""Kinds of problems: as published, with other numbers, answered by a program, arithmetic."""
BACKWARD, COMPOSE, TOOLS, GYM = "backward", "compose", "tools", "gym"
"""And: a number asked for with the answer given, two problems in a row, words with a program run in between, of a package."""
KINDS = (SEED, RENUMBER, PROGRAM, DRILL, BACKWARD, COMPOSE, TOOLS, GYM)
PROGRAMS = (PROGRAM, TOOLS)
"""Kinds with a program in them, which is run."""
VERIFIED, FAILED = "verified", "failed"
"""Verdicts. A row that is neither was not looked at."""

Row = dict[str, Any]


def digest(*parts: object) -> str:
    """Name something by what it is made from: 32 hex digits."""
    return hashlib.blake2b("\n".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def rng(*parts: object) -> random.Random:
    """Make the random numbers of one row: a function of what it is, never of where it stands."""
    return random.Random(int(digest(*parts), 16))


def problem(kind: str, question: str, solution: str, answer: str, **columns: str) -> Row:
    """Make a problem row that is not verified yet."""
    made = {"seed": "", "verdict": "unverified", "evidence": "", "path_key": "", **columns}
    return {
        "id": digest(kind, question, solution),
        "kind": kind,
        "question": question,
        "solution": solution,
        "answer": answer,
        **made,
    }


def derived(kind: str, seed: Row, question: str, solution: str, answer: str, **columns: str) -> Row:
    """Make a problem row from a seed: with its licence, and its name."""
    origin = {"seed": seed["id"], "source": seed["source"], "license": seed["license"]}
    return problem(kind, question, solution, answer, **origin, **columns)


def augment(path: Path, out: Path, make: Callable[[Row], list[Row]]) -> sieve.Counts:
    """Make rows from every seed of a shard, each row once; `rejected/` says which seeds gave none, and why."""
    done = sieve.done(out, path.name)
    if done is not None:
        return done
    kept: dict[str, Row] = {}
    rejected, seeds_used = [], 0
    for seed in read(path):
        try:
            made = make(seed)
        except Unusable as reason:
            rejected.append(rejection(seed, str(reason)))
            continue
        seeds_used += 1
        kept.update({row["id"]: row for row in made})
    return write(out, path.name, kept.values(), rejected, seeds_used=seeds_used)


def total(out: Path, counts: Sequence[sieve.Counts]) -> sieve.Counts:
    """Add up the shards of an augmentation."""
    return {**sieve.total(out, counts), "seeds_used": sum(part["seeds_used"] for part in counts)}


def read(path: Path) -> list[Row]:
    """Read a shard of problems."""
    rows: list[Row] = shards.read(path, records.PROBLEM).to_pylist()
    return rows


def rejection(
    row: Row, reason: str, evidence: str | None = None, value: float | None = None, bound: float | None = None
) -> Row:
    """Say why a problem is dropped, or why nothing was made from it."""
    measured = {"value": value, "bound": bound, "evidence": evidence}
    return {"id": row["id"], "source": row["source"], "reason": reason, **measured}


def write(out: Path, name: str, kept: Iterable[Row], rejected: Sequence[Row], **counts: int) -> sieve.Counts:
    """Write one shard of kept and rejected rows, then its counts: present counts mean a finished shard."""
    rows = sorted(kept, key=lambda row: str(row["id"]))
    shards.write(out / "rejected" / name, rejected, records.REJECTION)
    shards.write(out / "kept" / name, rows, records.PROBLEM)
    result: sieve.Counts = {
        "kept": len(rows),
        "rejected": len(rejected),
        "reasons": dict(sorted(Counter(str(row["reason"]) for row in rejected).items())),
        **counts,
    }
    shards.write_json(out / "counts" / f"{name}.json", result)
    return result


def by_shard(rows: Iterable[Row], num_shards: int) -> list[list[Row]]:
    """Put rows into shards by their ids."""
    parts: list[list[Row]] = [[] for _ in range(num_shards)]
    for row in rows:
        parts[int(row["id"], 16) % num_shards].append(row)
    return parts
