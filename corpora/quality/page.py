"""The report of a scorer as Markdown. What comes from files stands in indented blocks or behind escapes, and does nothing."""

from __future__ import annotations

from typing import Any

_COLUMNS = (
    ("labels", "count"),
    ("good", "good_share"),
    ("AUC", "auc"),
    ("AUC, shared model", "auc_shared"),
    ("Spearman", "spearman"),
    ("calibration error", "calibration_error"),
    ("mean error of the score", "mean_absolute_error"),
    ("model", "model"),
)


def page(report: dict[str, Any]) -> str:
    """Write the report."""
    lines = [
        "# Quality scorer",
        "",
        f"Labels: {_plain(report['labels'].get('origin', ''))}; good is {report['good']:g} and more.",
        "Every figure is of labels judged by a model that was fitted without their fold, and calibrated without it.",
        "",
        *_table([name for name, _ in _COLUMNS], [_row(name, row) for name, row in report["languages"].items()]),
        *_calibration(report["languages"]),
        *_features(report["features"]),
        "## A file of each tenth, worst first",
        "",
    ]
    for example in report["examples"]:
        place = _plain(f"{example['repository']} {example['path']}")
        lines += [
            f"**{place}**, {_plain(example['language'])}: label {example['label']:g}, score {example['score']:.2f}"
        ]
        lines += ["", *(f"    {line}" for line in example["excerpt"]), ""]
    return "\n".join(lines) + "\n"


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    values = [figures.get(key) for _, key in _COLUMNS]
    return [
        _plain(name),
        *("" if value is None else f"{value:g}" if isinstance(value, float) else str(value) for value in values),
    ]


def _calibration(languages: dict[str, Any]) -> list[str]:
    lines = ["## Calibration, by tenths of the margin", ""]
    for name, figures in languages.items():
        if len(figures["calibration"]) < 10:
            continue
        rows = [
            [
                str(row["count"]),
                *(
                    f"{row[f'{kind}_{what}']:.3f}"
                    for what in ("score", "probability")
                    for kind in ("expected", "observed")
                ),
            ]
            for row in figures["calibration"]
        ]
        lines += [f"### {_plain(name)}", ""]
        lines += _table(["expected score", "observed", "expected share of good", "observed"], rows, first="labels")
    return lines


def _features(features: dict[str, Any]) -> list[str]:
    lines = ["## Strongest features", ""]
    for name, found in features.items():
        lines += [f"### {_plain(name)}", ""]
        for kind in ("best", "worst"):
            grams = ", ".join(f"{_plain(gram)} ({weight:+.2f})" for gram, weight in found[kind])
            lines += [f"- {kind}: {grams}"]
        signals = sorted(found["signals"].items(), key=lambda pair: -abs(pair[1]))
        lines += ["- signals: " + ", ".join(f"{signal} {weight:+.2f}" for signal, weight in signals), ""]
    return lines


def _table(columns: list[str], rows: list[list[str]], *, first: str = "language") -> list[str]:
    head = [first, *columns]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)] + [""]


def _plain(text: str) -> str:
    """Take out of a text what Markdown or HTML would act on.

    >>> _plain("a|b<script>[x](y)`z`")
    'a b script  x  y  z '
    """
    return "".join(c if c.isprintable() and c not in "|<>[]()`*&\\" else " " for c in text)
