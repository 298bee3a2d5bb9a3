"""Scores of MATH-QWEN-CHAT before and after: held-out drills and GSM8K, exact match.

The base is asked in ChatML, after worked examples, and read leniently too, so that a gain in format is not sold as a gain in
skill.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import shards
from specialize.evaluate import LazyModel, Sample, ask, check, kept_samples, shower, subset, write_report

_STOPS = ("\nQuestion:", "\n\n")
Problem = dict[str, Any]
"""A question with `id`, `question` and `answer` or `solution`."""


@dataclass(frozen=True, kw_only=True)
class EvaluateMathConfig:
    """How much is asked, and how."""

    drills: int
    """Held-out drills."""
    gsm8k_problems: int
    """Of the 1,319 of the test split."""
    shots: int = 4
    """Worked drills before a few-shot question."""
    max_new_tokens: int = 256
    drill_new_tokens: int = 32
    batch_size: int = 16
    dtype: str = "bfloat16"
    seed: int = 1234

    def __post_init__(self) -> None:
        check(self, 1, "max_new_tokens", "drill_new_tokens", "batch_size")
        check(self, 0, "drills", "gsm8k_problems", "shots")


@dataclass(frozen=True)
class Suite:
    """Problems of one kind, worked examples that are none of them, and how long an answer may be, in tokens."""

    problems: Sequence[Problem]
    shots: Sequence[Problem]
    limit: int


def evaluate_math(out: Path, *, base: Path, chat: Path, drills: Path, config: EvaluateMathConfig) -> dict[str, object]:
    """Score the base, asked in three ways, and the chat model."""
    suites = {"drills": _drills(drills, config), "gsm8k": _gsm8k(config)}
    scores: dict[str, Any] = {}
    for done, (name, folder) in enumerate({"base": base, "chat": chat}.items()):
        loaded = LazyModel(folder / "hf", config.dtype)
        show = shower(done, 2, name)
        scores[name] = {}
        for kind, suite in suites.items():
            samples = kept_samples(out, name, kind, _answerer(kind, suite, loaded, config, show, few_shot=False))
            scores[name][kind] = _exact(samples, "strict")
            scores[name][f"{kind}_lenient"] = _exact(samples, "lenient")
            if name == "base":
                few = f"{kind}_few_shot"
                samples = kept_samples(out, name, few, _answerer(few, suite, loaded, config, show, few_shot=True))
                scores[name][few] = _exact(samples, "lenient")
    return write_report(out, scores, config)


def _drills(folder: Path, config: EvaluateMathConfig) -> Suite:
    from corpora import records

    paths = shards.shard_paths(folder / "heldout")
    rows = [row for path in paths for row in shards.read(path, records.PROBLEM).to_pylist()]
    chosen = subset(rows, config.shots + config.drills, config.seed)
    return Suite(chosen[config.shots :], chosen[: config.shots], config.drill_new_tokens)


def _gsm8k(config: EvaluateMathConfig) -> Suite:
    from corpora.benchmarks import load

    test = [{"id": one.id, "question": one.question, "answer": one.answer} for one in load("gsm8k", "test")]
    train = [{"id": one.id, "question": one.question, "solution": one.answer} for one in load("gsm8k", "train")]
    asked = subset(test, config.gsm8k_problems, config.seed)
    return Suite(asked, subset(train, config.shots, config.seed), config.max_new_tokens)


def _answerer(
    name: str,
    suite: Suite,
    loaded: LazyModel,
    config: EvaluateMathConfig,
    show: Callable[[str], None],
    *,
    few_shot: bool,
) -> Callable[[], Sequence[Sample]]:
    """Make the function that asks a suite: in ChatML, or as a text that goes on after worked examples."""

    def answer() -> Sequence[Sample]:
        show(name.replace("_", " "))
        few = "".join(f"Question: {shot['question']}\nAnswer: {shot['solution']}\n\n" for shot in suite.shots)
        questions = [row["question"] for row in suite.problems]
        prompts = [f"{few}Question: {question}\nAnswer:" for question in questions] if few_shot else questions
        limits = {"limit": suite.limit, "batch_size": config.batch_size}
        replies = ask(loaded(), prompts, **limits, stops=_STOPS if few_shot else (), chat=not few_shot)
        return [_graded(*sample) for sample in zip(suite.problems, prompts, replies, strict=True)]

    return answer


def _graded(problem: Problem, prompt: str, reply: str) -> Sample:
    strict, lenient = grade(problem["answer"], reply)
    status = "passed" if strict else "failed"
    found = {"problem": problem["id"], "prompt": prompt, "reply": reply, "gold": problem["answer"]}
    return {**found, "status": status, "strict": strict, "lenient": lenient}


def grade(gold: str, reply: str) -> tuple[bool, bool]:
    """Compare a reply with the gold answer: as the answer it names, and by its last number.

    A reply names its answer after `####` or in a box, or is nothing but the answer.
    """
    from sandbox.answers import equivalent, extract

    wanted = gold.rpartition("####")[2].strip()
    named = extract(reply, style="final")
    last = extract(reply, style="last_number")
    strict = named is not None and equivalent(wanted, named).is_equal
    return strict, strict or (last is not None and equivalent(wanted, last).is_equal)


def _exact(samples: Sequence[Sample], how: str) -> dict[str, Any]:
    from specialize.metrics import proportion

    return proportion(sum(bool(sample[how]) for sample in samples), len(samples), "exact_match", "correct")
