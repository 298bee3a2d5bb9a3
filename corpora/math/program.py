"""The solution of a seed as a Python program: quantities of the question, one line a step, the answer printed.

The program is built from the steps that prove the seed's answer, so it is right when the seed is; VerifyAnswers runs it all
the same. A number gets a name where it can come from one place only, so that no name misleads. 94% of GSM8K's training split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import OPERAND, Unusable, render
from corpora.math.structure import Source, Structure, analyse


@dataclass(frozen=True, kw_only=True)
class ProgramConfig:
    """Which seeds get a program."""

    max_steps: int = 20
    """Steps of a program at most; the longest solution of GSM8K has 18."""
    comment: str = "# quantities of the question"
    """First line of every program; empty leaves it out."""

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise ValueError(f"ProgramConfig.max_steps must be at least 1, got {self.max_steps}")
        if (self.comment and not self.comment.startswith("#")) or "\n" in self.comment:
            raise ValueError(f"ProgramConfig.comment must be one line that starts with #, got {self.comment!r}")


def augment_program(out: Path, *, problems: Path, config: ProgramConfig, engine: Engine) -> dict[str, object]:
    """Write a program for every seed; `rejected/` says which got none, and why."""
    paths = shards.shard_paths(problems / "kept")
    return sieve.total(out, engine.map_shards(_program_shard, paths, out, config))


def _program_shard(path: Path, out: Path, config: ProgramConfig) -> sieve.Counts:
    done = sieve.done(out, path.name)
    if done is not None:
        return done
    kept, rejected = [], []
    for seed in rows.read(path):
        try:
            program = write_program(analyse(seed["question"], seed["solution"]), config)
        except Unusable as reason:
            rejected.append(rows.rejection(seed, str(reason)))
            continue
        origin = {"seed": seed["id"], "source": seed["source"], "license": seed["license"]}
        kept.append(rows.problem(rows.PROGRAM, seed["question"], program, seed["answer"], **origin))
    return rows.write(out, path.name, kept, rejected)


def write_program(structure: Structure, config: ProgramConfig) -> str:
    """Write the program of one problem."""
    if len(structure.chain.steps) > config.max_steps:
        raise Unusable("too many steps")
    return "\n".join(line for line in _lines(structure, config.comment) if line)


def _lines(structure: Structure, comment: str) -> Iterator[str]:
    yield comment
    for index in sorted(_named(structure)):
        yield f"q{index + 1} = {render(structure.quantities[index].value)}"
    for number, (step, sources) in enumerate(zip(structure.chain.steps, structure.sources, strict=True), start=1):
        yield f"s{number} = {_spell(step.expression.text, sources).lstrip('+')}"
    yield f"print(s{len(structure.chain.steps)})"


def _spell(text: str, sources: Sequence[tuple[Source, ...]]) -> str:
    """Write a calculation with names for the numbers that have one."""
    remaining = iter(sources)
    return OPERAND.sub(lambda match: _operand(match.group(), next(remaining)), text)


def _named(structure: Structure) -> set[int]:
    """Name the quantities that a line refers to."""
    chosen = [_choose(sources) for step in structure.sources for sources in step]
    return {source.index for source in chosen if source is not None and not source.is_result}


def _choose(sources: tuple[Source, ...]) -> Source | None:
    """Give the only source of a number; one that may have several is written as a number, so that no name misleads."""
    return sources[0] if len(sources) == 1 else None


def _operand(text: str, sources: tuple[Source, ...]) -> str:
    source = _choose(sources)
    if source is None:
        return _python_number(text)
    if source.is_result:
        return f"s{source.index + 1}"
    return f"q{source.index + 1}" if source.scale == 1 else f"(q{source.index + 1} / 100)"


def _python_number(text: str) -> str:
    """Spell a number as Python reads it: no leading zeros, no bare point."""
    whole, point, part = text.rstrip(".").partition(".")
    return f"{int(whole or 0)}{point}{part}"
