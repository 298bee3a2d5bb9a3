"""Scores before and after, as rows that the terminal and the page of a run show alike.

Reads the `report.json` of an Evaluate stage, code or math: whatever metrics it has, the known ones first. A change is
always against the base; where the base was asked in several ways (few-shot, lenient extraction) it is
against the best of them, so that a gain in format is not sold as a gain in skill. Nothing is judged significant here:
the interval stands beside the number.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LABELS = {
    "code_bits_per_byte": "Held-out code, bits per byte",
    "text_bits_per_byte": "Held-out text, bits per byte",
    "humaneval": "HumanEval, pass@1",
    "mbpp": "MBPP, pass@1",
    "gsm8k": "GSM8K, exact match",
    "drills": "Held-out drills, exact match",
}
MODELS = ("base", "pretrained", "chat")
"""In the order in which they are made; JSON keeps none."""
_VARIANTS = {"few_shot": "few-shot", "lenient": "lenient extraction"}
_FRACTIONS = ("pass_at_1", "exact_match")
_PASSED = ("passed", "correct")
MINUS = "\N{MINUS SIGN}"

REPORTED: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("qwen-7b", "pretrained"): {"humaneval": 0.402, "mbpp": 0.418},
    ("qwen-7b", "chat"): {"humaneval": 0.433, "mbpp": 0.442, "gsm8k": 0.625},
    ("qwen-14b", "pretrained"): {"humaneval": 0.451, "mbpp": 0.514},
    ("qwen-14b", "chat"): {"humaneval": 0.664, "mbpp": 0.524, "gsm8k": 0.698},
}
"""What the QWEN report gives, by recipe and model: Tables 10 (code) and 12 (math)."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One score of one model; `is_better` is None for the base and where nothing changed."""

    text: str
    value: float
    details: tuple[str, ...] = ()
    change: str = ""
    is_better: bool | None = None
    interval: tuple[float, float] | None = None
    reported: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric; a model that was not asked has no cell."""

    label: str
    hint: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """Models as columns, metrics as rows."""

    models: tuple[str, ...]
    rows: tuple[Row, ...]


def score_table(report: Mapping[str, Any], *, recipe: str = "") -> ScoreTable:
    """Lay out a `report.json`; an empty report makes an empty table.

    >>> report = {"models": {"base": {"code_bits_per_byte": 0.869}, "pretrained": {"code_bits_per_byte": 0.834}}}
    >>> table = score_table(report)
    >>> table.models, [cell.change for cell in table.rows[0].cells]
    (('base', 'CODE-QWEN'), ['', '−4.0%'])
    """
    found: Mapping[str, Mapping[str, Any]] = report.get("models", {})
    models = {name: found[name] for name in sorted(found, key=rank(MODELS))}
    keys = {key for scores in models.values() for key, value in scores.items() if _is_score(value)}
    rows = tuple(_row(key, models, recipe) for key in sorted(keys, key=_metric_rank))
    return ScoreTable(models=tuple(model_names(models)), rows=rows)


def model_names(models: Iterable[str]) -> list[str]:
    """Name the models of one evaluation as the report does.

    >>> model_names(["base", "pretrained", "chat"])
    ['base', 'CODE-QWEN', 'CODE-QWEN-CHAT']
    """
    keys = list(models)
    names = {"pretrained": "CODE-QWEN", "chat": f"{'CODE' if 'pretrained' in keys else 'MATH'}-QWEN-CHAT"}
    return [names.get(key, key) for key in keys]


def family(key: str) -> str:
    """Name the metric that `key` is a way of asking.

    >>> family("drills_few_shot_lenient"), family("drills")
    ('drills', 'drills')
    """
    for variant in _VARIANTS:
        if key.endswith(f"_{variant}"):
            return family(key.removesuffix(f"_{variant}"))
    return key


def label_of(key: str) -> str:
    """Name a metric for a person.

    >>> label_of("drills_few_shot")
    'Held-out drills, exact match, few-shot'
    """
    stem = family(key)
    return ", ".join([LABELS.get(stem, stem.replace("_", " ")), *ways(key)])


def ways(key: str) -> list[str]:
    """Name how a metric was asked or read, where it was not the plain way.

    >>> ways("drills_few_shot_lenient")
    ['few-shot', 'lenient extraction']
    """
    return [text for variant, text in _VARIANTS.items() if variant in key[len(family(key)) :]]


def rank(order: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """Make the sorting key that puts the names of `order` first, and others after them by name."""
    return lambda name: (order.index(name) if name in order else len(order), name)


def _metric_rank(key: str) -> tuple[tuple[int, str], str]:
    return rank(list(LABELS))(family(key)), key


def _row(key: str, models: Mapping[str, Mapping[str, Any]], recipe: str) -> Row:
    first = next(iter(models))
    reference = _best(key, models[first])
    is_loss = not _is_fraction(key, models)
    cells = (
        _cell(scores[key], None if name == first else reference, REPORTED.get((recipe, name), {}).get(key))
        if key in scores and _is_score(scores[key])
        else None
        for name, scores in models.items()
    )
    has_ways = key == family(key) and any(family(name) == key != name for name in models[first])
    hint = "lower is better" if is_loss else "change against the base's best prompt" if has_ways else ""
    return Row(label=label_of(key), hint=hint, cells=tuple(cells))


def _cell(score: Any, reference: float | None, reported: float | None) -> Cell:
    value = _value(score)
    if not isinstance(score, Mapping):
        change = _relative(value, reference)
        return Cell(text=f"{value:.3f}", value=value, change=change, is_better=_sign(reference, value))
    low, high = score.get("low"), score.get("high")
    return Cell(
        text=f"{100 * value:.1f}%",
        value=value,
        details=_details(score),
        change=_points(value, reference),
        is_better=_sign(value, reference),
        interval=(float(low), float(high)) if low is not None and high is not None else None,
        reported="" if reported is None else f"{100 * reported:.1f}%",
    )


def _details(score: Mapping[str, Any]) -> tuple[str, ...]:
    count = next((score[name] for name in _PASSED if name in score), None)
    parts = [f"{count} of {score['n']}"] if count is not None and "n" in score else []
    if score.get("low") is not None and score.get("high") is not None:
        parts.append(f"95% {100 * score['low']:.0f}\N{EN DASH}{100 * score['high']:.0f}%")
    if score.get("not_scored"):
        parts.append(f"{score['not_scored']} not scored")
    return tuple(parts)


def _best(key: str, scores: Mapping[str, Any]) -> float | None:
    alike = [_value(value) for name, value in scores.items() if family(name) == family(key) and _is_score(value)]
    return max(alike, default=None)


def _is_score(value: Any) -> bool:
    return not math.isnan(_value(value))


def _is_fraction(key: str, models: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(isinstance(scores.get(key), Mapping) for scores in models.values())


def _value(score: Any) -> float:
    if isinstance(score, Mapping):
        return next((_value(score[name]) for name in _FRACTIONS if name in score), math.nan)
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else math.nan


def _sign(larger: float | None, smaller: float | None) -> bool | None:
    return None if larger is None or smaller is None or larger == smaller else larger > smaller


def _relative(value: float, reference: float | None) -> str:
    return _signed(100 * (value / reference - 1), "%") if reference else ""


def _points(value: float, reference: float | None) -> str:
    return "" if reference is None else _signed(100 * (value - reference), " points")


def _signed(number: float, unit: str) -> str:
    text = f"{abs(number):.1f}"
    sign = "±" if text == "0.0" else "+" if number > 0 else MINUS
    return f"{sign}{text}{unit}"
