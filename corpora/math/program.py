"""The solution of a seed as a Python program: quantities of the question, one line a step, the answer printed.

The program is built from the steps that prove the seed's answer, so it is right when the seed is; VerifyAnswers runs it all
the same. A number gets a name where it can mean one thing only, so that no name misleads. 94% of GSM8K's training split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora import shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import OPERAND, Unusable, render
from corpora.math.structure import Source, Structure, analyse, has_evidence

_COUNTED = 12
"""A constant up to this may be counted from names and words; a larger one is somebody's own."""
_OPERATOR = re.compile(r"[-+*/]")


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
    return rows.total(out, engine.map_shards(_program_shard, paths, out, config))


def _program_shard(path: Path, out: Path, config: ProgramConfig) -> sieve.Counts:
    return rows.augment(path, out, lambda seed: [_row(seed, config)])


def _row(seed: rows.Row, config: ProgramConfig) -> rows.Row:
    structure = analyse(seed["question"], seed["solution"])
    program, key = write_program(structure, config), structure.chain.path_key
    return rows.derived(rows.PROGRAM, seed, seed["question"], program, seed["answer"], path_key=key)


def write_program(structure: Structure, config: ProgramConfig) -> str:
    """Write the program of one problem."""
    if len(structure.chain.steps) > config.max_steps:
        raise Unusable("too many steps")
    if any(value > _COUNTED and not has_evidence(value, structure.question) for value in structure.constants()):
        raise Unusable("constant not in question")
    check_steps(structure)
    return "\n".join(line for line in _lines(structure, config.comment) if line)


def check_steps(structure: Structure) -> None:
    """Refuse steps that calculate nothing, and results that no later step takes up: their program would not say what is done."""
    for step, sources in zip(structure.chain.steps, structure.sources, strict=True):
        if (
            len(sources) == 1
            and not _OPERATOR.search(step.expression.text)
            and not any(s.is_result for s in sources[0])
        ):
            raise Unusable("number calculated nowhere")
    used = {source.index for step in chosen(structure) for source in step if source is not None and source.is_result}
    if len(used) < len(structure.chain.steps) - 1:
        raise Unusable("result not used")


def _lines(structure: Structure, comment: str) -> Iterator[str]:
    yield comment
    for index in sorted(named(structure)):
        yield f"q{index + 1} = {render(structure.quantities[index].value)}"
    yield from assignments(structure)
    yield f"print(s{len(structure.chain.steps)})"


def assignments(structure: Structure) -> Iterator[str]:
    """Yield one line a step."""
    for number, (step, sources) in enumerate(zip(structure.chain.steps, chosen(structure), strict=True), start=1):
        remaining = iter(sources)
        text = OPERAND.sub(lambda match: _operand(match.group(), next(remaining)), step.expression.text)  # noqa: B023
        yield f"s{number} = {text.lstrip('+')}"


def named(structure: Structure) -> set[int]:
    """Name the quantities that a line refers to."""
    return {
        source.index for step in chosen(structure) for source in step if source is not None and not source.is_result
    }


def chosen(structure: Structure) -> list[list[Source | None]]:
    """Choose what each number of each step is called; None for a number that is written as it is.

    A number that may mean several things has no name, so that no name misleads; but where all of them are results, it is the
    latest that no other step takes up: results are calculated to be used.
    """
    found = [[_choose(structure, sources) for sources in step] for step in structure.sources]
    used = {source.index for step in found for source in step if source is not None and source.is_result}
    for step, sources in zip(found, structure.sources, strict=True):
        for position, candidates in enumerate(sources):
            if len(candidates) == 1:
                continue  # refused a name on purpose
            unused = [source for source in candidates if source.is_result and source.index not in used]
            if step[position] is None and unused and all(source.is_result for source in candidates):
                step[position] = unused[-1]
                used.add(unused[-1].index)
    return found


def _choose(structure: Structure, sources: tuple[Source, ...]) -> Source | None:
    """Give the only source of a number, when its value can mean nothing else."""
    if len(sources) != 1:
        return None
    (source,) = sources
    if source.is_result:
        return None if structure.chain.results[source.index] in structure.words else source
    return source if structure.quantities[source.index].is_plain else None


def _operand(text: str, source: Source | None) -> str:
    if source is None:
        return _python_number(text)
    if source.is_result:
        return f"s{source.index + 1}"
    return f"q{source.index + 1}" if source.scale == 1 else f"(q{source.index + 1} / 100)"


def _python_number(text: str) -> str:
    """Spell a number as Python reads it: no leading zeros, no bare point."""
    whole, point, part = text.rstrip(".").partition(".")
    return f"{int(whole or 0)}{point}{part}"
