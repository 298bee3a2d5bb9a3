"""Programs that a teacher writes for the seeds: run in the sandbox, and verified by what they print.

Shown: that the program ends well and prints the known answer; where it is plain arithmetic, the same is calculated here once
more with exact rationals, and the evidence says so. Not shown: that it does not just print a number it was told; `choose`
takes no program without a calculation. Costs 5 ms of CPU a program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.engine import Engine
from corpora.math.rows import VERIFIED, Row
from corpora.math.teacher import labels, prompts
from corpora.math.teacher.asking import Attempt, Made, Sampling, TaughtConfig, against, augment, replies, whole
from corpora.math.teacher.programs import reasoning, source_of

if TYPE_CHECKING:
    from corpora.teacher import Reply, Teacher
    from sandbox import Outcome

_PROGRAMS = Sampling(samples=4, max_reply_tokens=512)


@dataclass(frozen=True, kw_only=True)
class SampledConfig(TaughtConfig):
    """How many programs are sampled, and what one may use."""

    programs: Sampling = _PROGRAMS
    tolerance: float = 1e-6
    """Absolute difference allowed between what a program prints (binary floating point) and the exact answer."""
    wall_seconds: float = 20.0
    cpu_seconds: int = 10
    memory_bytes: int = 512 << 20

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("wall_seconds", "cpu_seconds", "memory_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"SampledConfig.{name} must be above 0, got {getattr(self, name)}")
        if self.tolerance < 0:
            raise ValueError(f"SampledConfig.tolerance must be at least 0, got {self.tolerance}")


def augment_sampled(
    out: Path, *, problems: Path, config: SampledConfig, teacher: Teacher, engine: Engine
) -> dict[str, object]:
    """Sample programs for every seed and run them."""
    make: Callable[[list[Row], SampledConfig, Teacher], Made] = partial(_make, workers=engine.workers)
    return augment(out, problems=problems, config=config, teacher=teacher, make=make)


def _make(seeds: list[Row], config: SampledConfig, teacher: Teacher, *, workers: int) -> Made:
    asked = [prompts.ask(prompts.PROGRAM, seed["question"]) for seed in seeds]
    groups = replies(teacher, config.model, asked, config.programs)
    samples = [(seed, reply) for seed, group in zip(seeds, groups, strict=True) for reply in group]
    sources = [source_of(reply.text) if whole(reply) is None else None for _, reply in samples]
    outcomes = iter(_run([source for source in sources if source is not None], config, workers))
    kept = []
    for (seed, reply), source in zip(samples, sources, strict=True):
        found = _unread(reply) if source is None else judge(source, next(outcomes), seed["answer"], config.tolerance)
        kept.append(found.row(labels.SAMPLED, seed, seed["question"]))
    return Made(kept)


def _run(sources: Sequence[str], config: SampledConfig, workers: int) -> list[Outcome]:
    if not sources:
        return []
    import sandbox

    limits = sandbox.Limits(
        wall_seconds=config.wall_seconds, cpu_seconds=config.cpu_seconds, memory_bytes=config.memory_bytes
    )
    return sandbox.run_many(
        [sandbox.Program(source=f"{source}\n") for source in sources], limits=limits, workers=workers
    )


def _unread(reply: Reply) -> Attempt:
    return Attempt(reply.text.strip(), whole(reply) or labels.UNREAD, f"no program; finished by {reply.finish}")


def judge(source: str, outcome: Outcome, gold: str, tolerance: float) -> Attempt:
    """Judge a program by how it ended and what it printed."""
    from sandbox import Status

    found = reasoning(source)
    if outcome.status is not Status.FINISHED:
        return Attempt(source, outcome.status.value, f"program {outcome.status.value}", path_key=found.key)
    printed = outcome.stdout.strip()
    verdict, evidence = against(gold, printed, tolerance=tolerance)
    if verdict == VERIFIED:
        exact = found.answer is not None and against(gold, str(found.answer))[0] == VERIFIED
        evidence = "program output, recomputed exactly" if exact else "program output"
    return Attempt(source, verdict, evidence, gold if verdict == VERIFIED else printed[:100], found.key)
