"""Verify every row of every kind from its own evidence, and label it; what a recipe keeps is its choice.

`checks.py` says what shows that a row is right, kind by kind. Programs run in the sandbox, again where they ran before. A row
that something does not agree with is labelled `failed`, with the reason, and stands whole in `failed/`; the recipe's `keep`
names the verdicts that go on. About 2,500 rows a core second, and 2 ms of CPU a program. That a solution fits its question
is not shown for seeds: people wrote them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import progress, records, shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable

if TYPE_CHECKING:
    from sandbox import Limits, Outcome

VERDICTS = (rows.VERIFIED, rows.FAILED)
_LIMITS = {
    rows.SEED: "max_seeds",
    rows.RENUMBER: "max_renumbered",
    rows.PROGRAM: "max_programs",
    rows.DRILL: "max_drills",
    rows.BACKWARD: "max_backward",
    rows.COMPOSE: "max_composed",
    rows.TOOLS: "max_tools",
    rows.GYM: "max_gym",
}


@dataclass(frozen=True, kw_only=True)
class VerifyAnswersConfig:
    """How many rows of each kind are taken, which verdicts are kept, and what a program may use while it runs."""

    max_seeds: int | None = None
    """Rows of this kind, the least digest(seed, id) first; None takes all. The same for the others."""
    max_renumbered: int | None = None
    max_programs: int | None = None
    max_drills: int | None = None
    max_backward: int | None = None
    max_composed: int | None = None
    max_tools: int | None = None
    max_gym: int | None = None
    keep: tuple[str, ...] = (rows.VERIFIED,)
    """Verdicts of the rows that go on to the next stages; all rows that fail are in failed/ whatever this says."""
    tolerance: float = 1e-6
    """Absolute difference allowed between what a program prints (binary floating point) and the exact answer."""
    wall_seconds: float = 20.0
    """Wide, so that a busy machine keeps what a quiet one keeps; a program of this sort takes milliseconds."""
    cpu_seconds: int = 10
    memory_bytes: int = 512 << 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in _LIMITS.values():
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"VerifyAnswersConfig.{name} must be at least 0 or None, got {value}")
        for name in ("wall_seconds", "cpu_seconds", "memory_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"VerifyAnswersConfig.{name} must be above 0, got {getattr(self, name)}")
        if self.tolerance < 0:
            raise ValueError(f"VerifyAnswersConfig.tolerance must be at least 0, got {self.tolerance}")
        if not self.keep or not set(self.keep) <= set(VERDICTS):
            raise ValueError(f"VerifyAnswersConfig.keep must name some of {', '.join(VERDICTS)}, got {self.keep!r}")

    def limits(self) -> dict[str, int]:
        """Give the rows of each kind that has a limit."""
        values = {kind: getattr(self, name) for kind, name in _LIMITS.items()}
        return {kind: value for kind, value in values.items() if value is not None}

    def sandbox_limits(self) -> Limits:
        """Give what a program may use."""
        import sandbox

        return sandbox.Limits(
            wall_seconds=self.wall_seconds, cpu_seconds=self.cpu_seconds, memory_bytes=self.memory_bytes
        )


def verify_answers(
    out: Path,
    *,
    problems: Path,
    renumber: Path,
    program: Path,
    drills: Path,
    config: VerifyAnswersConfig,
    engine: Engine,
    backward: Path | None = None,
    compose: Path | None = None,
    tools: Path | None = None,
    gym: Path | None = None,
) -> dict[str, object]:
    """Verify all rows of the stages given; the shards of one follow those of the other."""
    folders = (problems, renumber, program, drills, backward, compose, tools, gym)
    paths = [path for folder in folders if folder for path in shards.shard_paths(folder / "kept")]
    bounds = _bounds(paths, config)
    counts = []
    for number, path in enumerate(paths):
        name = shards.shard_name(number, len(paths))
        counts.append(sieve.done(out, name) or _verify_shard(path, out, name, bounds, config, engine.workers))
        progress.report(number + 1, len(paths), "shards")
    kinds = {f"kept_{kind}": sum(part.get(kind, 0) for part in counts) for kind in rows.KINDS}
    failed = sum(part["failed"] for part in counts)
    return {**sieve.total(out, counts), "failed": failed, **{name: n for name, n in kinds.items() if n}}


def _bounds(paths: Sequence[Path], config: VerifyAnswersConfig) -> dict[str, str]:
    """Give, of each limited kind, the digest from which on rows are too many."""
    limits = config.limits()
    digests: dict[str, list[str]] = {kind: [] for kind in limits}
    for path in paths if limits else ():
        for row in shards.read(path, records.PROBLEM, ["id", "kind"]).to_pylist():
            if row["kind"] in digests:
                digests[row["kind"]].append(rows.digest(config.seed, row["id"]))
    return {kind: sorted(found)[limits[kind]] for kind, found in digests.items() if len(found) > limits[kind]}


def _verify_shard(
    path: Path, out: Path, name: str, bounds: dict[str, str], config: VerifyAnswersConfig, workers: int
) -> sieve.Counts:
    taken, rejected = [], []
    for row in rows.read(path):
        bound = bounds.get(row["kind"])
        if bound is not None and rows.digest(config.seed, row["id"]) >= bound:
            rejected.append(rows.rejection(row, "over_limit"))
        else:
            taken.append(row)
    ran = _run([row for row in taken if row["kind"] in rows.PROGRAMS], config, workers)
    labelled = [label(row, ran.get(row["id"]), config.tolerance) for row in taken]
    failed = [row for row in labelled if row["verdict"] == rows.FAILED]
    kept = [row for row in labelled if row["verdict"] in config.keep]
    if rows.FAILED not in config.keep:
        rejected += [rows.rejection(row, row["evidence"], evidence=_printed(ran.get(row["id"]))) for row in failed]
    shards.write(out / rows.FAILED / name, sorted(failed, key=lambda row: str(row["id"])), records.PROBLEM)
    return rows.write(out, name, kept, rejected, failed=len(failed), **Counter(row["kind"] for row in kept))


def label(row: rows.Row, outcome: Outcome | None = None, tolerance: float = 0.0) -> rows.Row:
    """Give the row with a verdict, whatever it is: of one that failed, the evidence is the reason."""
    try:
        return verify(row, outcome, tolerance)
    except Unusable as reason:
        return {**row, "verdict": rows.FAILED, "evidence": str(reason)}


def verify(row: rows.Row, outcome: Outcome | None = None, tolerance: float = 0.0) -> rows.Row:
    """Give the row with verdict, evidence and path; `Unusable` when something does not agree."""
    from corpora.math import checks

    checker = checks.PROGRAMS.get(row["kind"])
    evidence, key = checker(row, outcome, tolerance) if checker else checks.check(row)
    return {**row, "verdict": rows.VERIFIED, "evidence": evidence, "path_key": key}


def _run(programs: Sequence[rows.Row], config: VerifyAnswersConfig, workers: int) -> dict[str, Outcome]:
    if not programs:
        return {}
    import sandbox
    from corpora.math import checks

    asked = [sandbox.Program(source=f"{checks.program_of(row)}\n") for row in programs]
    outcomes = sandbox.run_many(asked, limits=config.sandbox_limits(), workers=workers)
    return dict(zip((row["id"] for row in programs), outcomes, strict=True))


def _printed(outcome: Outcome | None) -> str | None:
    return None if outcome is None else (outcome.detail or outcome.stdout.strip())[:200]
