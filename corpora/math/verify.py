"""Recompute every problem, each kind from what it says itself, and keep what agrees with its answer.

Seeds and renumbered problems: every step is executed again and the last one is the answer; what the text repeats after a
step is its result; a renumbered problem's numbers all come from its own question. Drills: the question is calculated.
Programs run in the sandbox and what they print is the answer. Nothing here uses what the row was made from.
About 3,000 rows a core second, and 5 ms of CPU a program. That a solution fits its question is not shown for seeds: people
wrote them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import progress, records, shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import (
    ANSWER_MARK,
    NUMBER,
    Chain,
    Expression,
    Unusable,
    read_chain,
    to_value,
    without_annotations,
)
from corpora.math.structure import analyse, has_evidence

if TYPE_CHECKING:
    from sandbox import Limits, Outcome

_DRILL = re.compile(r"What is (\d+ [-+*/] \d+)\?")
_SPOKEN = re.compile(
    r"(?:^|[a-wyz,.:;] )(\(*[$\d](?:[-–−+*/×()\d$,. ]|[xX](?= ?[\d$(.]))*[)\d]) ?= ?"
    rf"\$?({NUMBER.pattern})(?! ?[-–−+*/xX×÷(%:/])",
    re.MULTILINE,
)
"""A calculation in numbers alone and its result: nothing that goes on may stand before or after."""
_PRINTED = re.compile(r"\$|(?<=\d),(?=\d{3})")
_SIGNS = str.maketrans("xX×÷–−", "***/--")
_VERIFIED = "verified"


@dataclass(frozen=True, kw_only=True)
class VerifyAnswersConfig:
    """How many rows of each kind are taken, and what a program may use while it runs."""

    max_seeds: int | None = None
    """Rows of this kind, the least digest(seed, id) first; None takes all. The same for the next three."""
    max_renumbered: int | None = None
    max_programs: int | None = None
    max_drills: int | None = None
    tolerance: float = 1e-6
    """Absolute difference allowed between what a program prints (binary floating point) and the exact answer."""
    wall_seconds: float = 20.0
    """Wide, so that a busy machine keeps what a quiet one keeps; a program of this sort takes milliseconds."""
    cpu_seconds: int = 10
    memory_bytes: int = 512 << 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_seeds", "max_renumbered", "max_programs", "max_drills"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"VerifyAnswersConfig.{name} must be at least 0 or None, got {value}")
        for name in ("wall_seconds", "cpu_seconds", "memory_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"VerifyAnswersConfig.{name} must be above 0, got {getattr(self, name)}")
        if self.tolerance < 0:
            raise ValueError(f"VerifyAnswersConfig.tolerance must be at least 0, got {self.tolerance}")

    def limits(self) -> dict[str, int | None]:
        """Give the rows of each kind."""
        values = (self.max_seeds, self.max_renumbered, self.max_programs, self.max_drills)
        return dict(zip(rows.KINDS, values, strict=True))


def verify_answers(
    out: Path,
    *,
    problems: Path,
    renumber: Path,
    program: Path,
    drills: Path,
    config: VerifyAnswersConfig,
    engine: Engine,
) -> dict[str, object]:
    """Verify all rows of four stages; the shards of one follow those of the other."""
    folders = (problems, renumber, program, drills)
    paths = [path for folder in folders for path in shards.shard_paths(folder / "kept")]
    bounds = _bounds(paths, config)
    counts = []
    for number, path in enumerate(paths):
        name = shards.shard_name(number, len(paths))
        counts.append(sieve.done(out, name) or _verify_shard(path, out, name, bounds, config, engine.workers))
        progress.report(number + 1, len(paths), "shards")
    kinds = {f"kept_{kind}": sum(part.get(kind, 0) for part in counts) for kind in rows.KINDS}
    return {**sieve.total(out, counts), **kinds}


def _bounds(paths: Sequence[Path], config: VerifyAnswersConfig) -> dict[str, str]:
    """Give, of each limited kind, the digest from which on rows are too many."""
    limits = {kind: limit for kind, limit in config.limits().items() if limit is not None}
    digests: dict[str, list[str]] = {kind: [] for kind in limits}
    for path in paths if limits else ():
        for row in shards.read(path, records.PROBLEM, ["id", "kind"]).to_pylist():
            if row["kind"] in digests:
                digests[row["kind"]].append(rows.digest(config.seed, row["id"]))
    return {kind: sorted(found)[limits[kind]] for kind, found in digests.items() if len(found) > limits[kind]}


def _verify_shard(
    path: Path, out: Path, name: str, bounds: dict[str, str], config: VerifyAnswersConfig, workers: int
) -> sieve.Counts:
    taken, kept, rejected = [], [], []
    for row in rows.read(path):
        bound = bounds.get(row["kind"])
        if bound is not None and rows.digest(config.seed, row["id"]) >= bound:
            rejected.append(rows.rejection(row, "over_limit"))
        else:
            taken.append(row)
    programs = [row for row in taken if row["kind"] == rows.PROGRAM]
    ran = dict(zip((row["id"] for row in programs), _run(programs, config, workers), strict=True))
    for row in taken:
        try:
            kept.append(verify(row, ran.get(row["id"]), config.tolerance))
        except Unusable as reason:
            rejected.append(rows.rejection(row, str(reason), evidence=_evidence(ran.get(row["id"]))))
    return rows.write(out, name, kept, rejected, **Counter(row["kind"] for row in kept))


def verify(row: rows.Row, outcome: Outcome | None = None, tolerance: float = 0.0) -> rows.Row:
    """Give the row with verdict, evidence and path; `Unusable` when something does not agree."""
    if row["kind"] == rows.PROGRAM:
        _check_output(row, outcome, tolerance)
        return {**row, "verdict": _VERIFIED, "evidence": "program output"}
    if row["kind"] == rows.DRILL:
        return {**row, "verdict": _VERIFIED, "evidence": "recomputed", "path_key": _check_drill(row)}
    chain = read_chain(row["solution"])
    _check_chain(row, chain)
    return {**row, "verdict": _VERIFIED, "evidence": "re-executed", "path_key": chain.path_key}


def _check_chain(row: rows.Row, chain: Chain) -> None:
    if to_value(row["answer"]) != chain.answer:
        raise Unusable("answer is not the solution's")
    for step in chain.steps:
        repeated = NUMBER.match(chain.body, step.end)
        if repeated and to_value(repeated.group()) != step.result:
            raise Unusable("text is not the step's result")
    if not all(given == value for given, value in spoken(without_annotations(chain.body))):
        raise Unusable("text has a wrong calculation")
    if row["kind"] == rows.RENUMBER:
        constants = analyse(row["question"], row["solution"]).constants()
        if not all(has_evidence(value, row["question"]) for value in constants):
            raise Unusable("number from nowhere")


def spoken(prose: str) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield what each calculation in prose is said to give, and what it gives; those with words in them are passed over.

    >>> list(spoken("They cost 6 x 2.5 = $18, and 12 eggs x 3 = 36 eggs."))
    [(Fraction(18, 1), Fraction(15, 1))]
    """
    for match in _SPOKEN.finditer(prose):
        try:
            calculation = Expression.parse(_PRINTED.sub("", match[1]).translate(_SIGNS))
            if len(calculation.operands) > 1:
                yield to_value(match[2]), calculation.evaluate()
        except Unusable:
            continue


def _check_drill(row: rows.Row) -> str:
    """Calculate the question, and see that the solution says just that; give the path."""
    match = _DRILL.fullmatch(row["question"])
    if match is None:
        raise Unusable("drill not read")
    value = Expression.parse(match[1]).evaluate()
    if row["answer"] != str(value) or row["solution"] != f"{match[1]} = {value}\n{ANSWER_MARK} {value}":
        raise Unusable("answer is not the calculation's")
    return f"{match[1].replace(' ', '')}={value}"


def _run(programs: Sequence[rows.Row], config: VerifyAnswersConfig, workers: int) -> list[Outcome]:
    if not programs:
        return []
    import sandbox

    asked = [sandbox.Program(source=f"{row['solution']}\n") for row in programs]
    return sandbox.run_many(asked, limits=_limits(config), workers=workers)


def _limits(config: VerifyAnswersConfig) -> Limits:
    import sandbox

    return sandbox.Limits(
        wall_seconds=config.wall_seconds, cpu_seconds=config.cpu_seconds, memory_bytes=config.memory_bytes
    )


def _check_output(row: rows.Row, outcome: Outcome | None, tolerance: float) -> None:
    from sandbox import Status
    from sandbox.answers import equivalent

    if outcome is None or outcome.status is not Status.FINISHED:
        raise Unusable(f"program {outcome.status.value if outcome else 'not run'}")
    if not equivalent(row["answer"], outcome.stdout.strip(), tolerance=Fraction(tolerance)).is_equal:
        raise Unusable("output is not the answer")


def _evidence(outcome: Outcome | None) -> str | None:
    return None if outcome is None else (outcome.detail or outcome.stdout.strip())[:200]
