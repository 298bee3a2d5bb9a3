"""What the kinds share: how often a teacher is asked, how solutions are judged, and the shards of labelled samples.

A solution is read strictly: whole, its answer named, every calculation in it right. Against a known answer it is verified or
wrong; the grader's "cannot say" is never taken for yes. All samples are kept in `kept/` with their verdict; `rejected/`
holds seeds from which nothing could be asked. A shard is written when all its replies are there; replies are kept one by
one, so a run that stops anywhere pays for nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards, sieve
from corpora.math import rows
from corpora.math.rows import VERIFIED, Row
from corpora.math.teacher import labels

if TYPE_CHECKING:
    from corpora.teacher import Message, Reply, Teacher

_TAKEN_AWAY = frozenset(("refused", "content_filter"))


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How often a teacher is asked one thing, and how freely it answers."""

    samples: int = 1
    temperature: float = 0.7
    """As for the samples of rejection sampling in RFT (arXiv 2308.01825, 4); 0 makes all samples one."""
    top_p: float = 1.0
    max_reply_tokens: int = 1024
    """A longer reply is cut off, and labelled so."""

    def __post_init__(self) -> None:
        least = {"samples": 1, "temperature": 0, "max_reply_tokens": 1}
        for name, bound in least.items():
            if not getattr(self, name) >= bound:
                raise ValueError(f"Sampling.{name} must be at least {bound}, got {getattr(self, name)}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"Sampling.top_p must be above 0 and at most 1, got {self.top_p}")
        if self.temperature == 0 and self.samples > 1:
            raise ValueError(f"Sampling.temperature must be above 0 for {self.samples} samples, which would all be one")


@dataclass(frozen=True, kw_only=True)
class TaughtConfig:
    """What the configs of all kinds have."""

    model: str
    """As the endpoint names it."""
    max_seeds: int | None = None
    """Seeds that are asked about, the least digest(seed, id) first; None takes all, 0 switches the kind off."""
    license: str = ""
    """Terms of what the teacher writes, where it has any: joined to the licence of the seed with AND."""
    seed: int = 0

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not self.model.strip():
            raise ValueError(f"{name}.model must name a model of the endpoint, got {self.model!r}")
        if self.max_seeds is not None and self.max_seeds < 0:
            raise ValueError(f"{name}.max_seeds must be at least 0 or None, got {self.max_seeds}")


@dataclass(frozen=True)
class Made:
    """What came of a shard of seeds."""

    kept: list[Row] = field(default_factory=list)
    """Every sample, labelled."""
    rejected: list[Row] = field(default_factory=list)
    """Seeds that could not be asked about."""


@dataclass(frozen=True)
class Attempt:
    """One sampled solution."""

    text: str
    verdict: str
    evidence: str
    answer: str = ""
    path_key: str = ""

    def row(self, kind: str, seed: Row, question: str, **changed: str) -> Row:
        """Make the row of this sample."""
        columns = {"answer": self.answer, "verdict": self.verdict, "evidence": self.evidence, **changed}
        return rows.derived(kind, seed, question, self.text, columns.pop("answer"), path_key=self.path_key, **columns)


def augment(
    out: Path,
    *,
    problems: Path,
    config: TaughtConfig,
    teacher: Teacher,
    make: Callable[[list[Row], Any, Teacher], Made],
) -> dict[str, object]:
    """Run a kind over all shards of seeds; the tokens of its replies are among the counts."""
    paths = shards.shard_paths(problems / "kept")
    bound = _bound(paths, config)
    counts = [sieve.done(out, path.name) or _augment_shard(path, out, config, teacher, make, bound) for path in paths]
    verdicts: Counter[str] = Counter()
    for part in counts:
        verdicts.update(part["verdicts"])
    sums = {name: sum(part[name] for part in counts) for name in ("seeds_used", "prompt_tokens", "reply_tokens")}
    return {**sieve.total(out, counts), **sums, "verdicts": dict(sorted(verdicts.items())), "teacher": config.model}


def _bound(paths: Sequence[Path], config: TaughtConfig) -> str | None:
    """Give the digest from which on seeds are too many."""
    if config.max_seeds is None:
        return None
    ids = [name for path in paths for name in shards.read(path, records.PROBLEM, ["id"])["id"].to_pylist()]
    digests = sorted(rows.digest(config.seed, name) for name in ids)
    return digests[config.max_seeds] if len(digests) > config.max_seeds else None


def _augment_shard(
    path: Path,
    out: Path,
    config: TaughtConfig,
    teacher: Teacher,
    make: Callable[[list[Row], Any, Teacher], Made],
    bound: str | None,
) -> sieve.Counts:
    seeds = [row for row in rows.read(path) if bound is None or rows.digest(config.seed, row["id"]) < bound]
    before = teacher.given
    made = make(seeds, config, teacher)
    kept = {row["id"]: row for row in reversed(made.kept)}  # of equal samples the first
    counts: dict[str, Any] = {
        "seeds_used": len({row["seed"] for row in made.kept}),
        "prompt_tokens": teacher.given.prompt_tokens - before.prompt_tokens,
        "reply_tokens": teacher.given.reply_tokens - before.reply_tokens,
        "verdicts": dict(sorted(Counter(row["verdict"] for row in kept.values()).items())),
    }
    return rows.write(out, path.name, [_licensed(row, config) for row in kept.values()], made.rejected, **counts)


def _licensed(row: Row, config: TaughtConfig) -> Row:
    return {**row, "license": f"{row['license']} AND {config.license}"} if config.license else row


def replies(
    teacher: Teacher, model: str, asked: Sequence[tuple[Message, ...]], sampling: Sampling
) -> list[list[Reply]]:
    """Ask everything `samples` times; replies in groups, in order."""
    from corpora.teacher import Request

    requests = (
        Request(
            model=model,
            messages=messages,
            max_tokens=sampling.max_reply_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            sample=number,
        )
        for messages in asked
        for number in range(sampling.samples)
    )
    given = list(teacher.complete(requests))
    return [given[start : start + sampling.samples] for start in range(0, len(given), sampling.samples)]


def solutions(
    teacher: Teacher, model: str, questions: Sequence[str], sampling: Sampling, golds: Iterable[str | None]
) -> list[list[Attempt]]:
    """Have every question solved, and judge what comes back by the known answer where there is one."""
    from corpora.math.teacher import prompts

    asked = [prompts.ask(prompts.SOLVE, question) for question in questions]
    groups = replies(teacher, model, asked, sampling)
    return [[attempt(reply, gold) for reply in group] for group, gold in zip(groups, golds, strict=True)]


def whole(reply: Reply) -> str | None:
    """Give the verdict on a reply that did not come whole; None on one that did."""
    if reply.finish in _TAKEN_AWAY:
        return labels.REFUSED
    return labels.CUT if reply.finish == "length" else None


def attempt(reply: Reply, gold: str | None) -> Attempt:
    """Judge a sampled solution; without a known answer it is undecided when nothing is wrong with it."""
    from corpora.math.teacher import equations
    from sandbox.answers import extract

    text = reply.text.strip()
    incomplete = whole(reply)
    if incomplete is not None:
        return Attempt(text, incomplete, f"finished by {reply.finish}")
    answer = extract(text, style="final")
    if answer is None:
        return Attempt(text, labels.UNREAD, "no answer named")
    found = list(equations.equations(text))
    verdict, evidence = _judge(answer, gold, found)
    return Attempt(text, verdict, evidence, answer, equations.key(found))


def _judge(answer: str, gold: str | None, found: Sequence[Any]) -> tuple[str, str]:
    calculations = "calculations recomputed" if found else "no calculation to recompute"
    if gold is not None:
        verdict, evidence = against(gold, answer)
        if verdict != VERIFIED:
            return verdict, evidence
        evidence = f"known answer, {calculations}"
    else:
        verdict, evidence = labels.UNDECIDED, calculations
    if not all(equation.holds for equation in found):
        return labels.FAULTY, "a calculation does not hold"
    return verdict, evidence


def against(gold: str, answer: str, *, tolerance: float | None = None) -> tuple[str, str]:
    """Compare an answer with the known one; the evidence is a class, of which a card counts the rows."""
    from sandbox.answers import Equality, equivalent

    found = equivalent(gold, answer, tolerance=tolerance)
    return {
        Equality.EQUAL: (VERIFIED, "known answer"),
        Equality.DIFFERENT: (labels.WRONG, "another than the known answer"),
        Equality.UNDECIDED: (labels.UNDECIDED, "not comparable with the known answer"),
    }[found.equality]
