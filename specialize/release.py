"""A release: checkpoints, card, scores and lineage in one folder, unless a floor of the recipe is missed.

Weights are hard links to the export where the file system allows it, so a release costs no disk.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize import ReleaseRefused

NOTICES = ("attribution.parquet", "NOTICE.md")
"""Copied from the attribution of the corpus."""


@dataclass(frozen=True, kw_only=True)
class ReleaseCodeConfig:
    """The floors of a code release; None asks nothing."""

    name: str
    license: str
    max_code_ratio: float | None = None
    """Bits per byte on held-out code, CODE-QWEN over base, at most."""
    max_text_ratio: float | None = None
    """Bits per byte on held-out text, CODE-QWEN over base, at most."""


@dataclass(frozen=True, kw_only=True)
class ReleaseMathConfig:
    """The floors of a math release; None asks nothing."""

    name: str
    license: str
    min_drill_gain: float | None = None
    """Exact match on held-out drills above the base's best prompt, at least; 0.3 is 30 points."""


def release_code(
    out: Path, *, chat: Path, pretrained: Path, evaluation: Path, attribution: Path, config: ReleaseCodeConfig
) -> dict[str, object]:
    """Release CODE-QWEN and CODE-QWEN-CHAT, with the notices of what they were trained on."""
    report = json.loads((evaluation / "report.json").read_text())
    models = report["models"]
    for domain, bound in (("code", config.max_code_ratio), ("text", config.max_text_ratio)):
        key = f"{domain}_bits_per_byte"
        if bound is not None:
            before, after = models["base"][key], models["pretrained"][key]
            if not before or after is None:
                raise ReleaseRefused(
                    f"{key} was not measured, the recipe's bound on it is {bound}; hold out more {domain}"
                )
            _refuse_above(f"{key}, CODE-QWEN over base", after / before, bound)
    for name in NOTICES:
        shutil.copyfile(attribution / name, out / name)
    folders = {config.name: pretrained / "hf", f"{config.name}-chat": chat / "hf"}
    return _release(out, folders, report, config.name, config.license, evaluation)


def release_math(out: Path, *, chat: Path, evaluation: Path, config: ReleaseMathConfig) -> dict[str, object]:
    """Release MATH-QWEN-CHAT."""
    report = json.loads((evaluation / "report.json").read_text())
    if config.min_drill_gain is not None:
        base = max(value["exact_match"] for key, value in report["models"]["base"].items() if key.startswith("drills"))
        drills = report["models"]["chat"]["drills"]
        if not drills["n"]:
            raise ReleaseRefused(
                f"no held-out drill was asked, the recipe's floor is {config.min_drill_gain}; ask some"
            )
        gain = drills["exact_match"] - base
        if gain < config.min_drill_gain:
            raise ReleaseRefused(
                f"gain on held-out drills over the base's best prompt is {gain:.3f}, the recipe's floor is "
                f"{config.min_drill_gain} ({config.min_drill_gain - gain:.3f} short); train longer or lower the floor"
            )
    return _release(out, {f"{config.name}-chat": chat / "hf"}, report, config.name, config.license, evaluation)


def _refuse_above(what: str, value: float, bound: float) -> None:
    if not value <= bound:  # a value that is no number is refused too
        raise ReleaseRefused(
            f"{what} is {value:.4f}, the recipe's bound is {bound} ({value - bound:.4f} above it); "
            "train longer, change the blend, or change the bound"
        )


def _release(
    out: Path, folders: Mapping[str, Path], report: dict[str, Any], name: str, license_: str, evaluation: Path
) -> dict[str, object]:
    for title, folder in folders.items():
        target = out / title
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target, copy_function=_link)
    shutil.copyfile(evaluation / "report.json", out / "report.json")
    lineage = {title: _manifest_path(folder) for title, folder in folders.items()} | {
        "evaluation": _manifest_path(evaluation / "report.json")
    }
    (out / "lineage.json").write_text(json.dumps(lineage, indent=1, sort_keys=True) + "\n")
    (out / "README.md").write_text(card(name, license_, list(folders), report))
    return {"checkpoints": sorted(folders)}


def card(name: str, license_: str, checkpoints: list[str], report: Mapping[str, Any]) -> str:
    """Write the card: what is here and its scores before and after."""
    models = list(report["models"])
    metrics = list(dict.fromkeys(key for scores in report["models"].values() for key in scores))
    lines = [
        f"| {key} | " + " | ".join(_cell(report["models"][model].get(key)) for model in models) + " |"
        for key in metrics
    ]
    table = "\n".join([f"| metric | {' | '.join(models)} |", "|---|" + "--:|" * len(models), *lines])
    found = "\n".join(f"- `{checkpoint}/`" for checkpoint in checkpoints)
    return f"""---
license: {license_.lower()}
library_name: transformers
pipeline_tag: text-generation
---
# {name}

{found}

{table}

Intervals are 95% Wilson. Settings and samples lie with the evaluation (`lineage.json`). Small subsets and small models give
smoke signals, not results.
"""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return f"{value:.4f}"
    score = value.get("pass_at_1", value.get("exact_match"))
    return f"{score:.1%} of {value['n']} ({value['low']:.1%} to {value['high']:.1%})"


def _manifest_path(path: Path) -> str:
    """Name the stage output that a path lies in, as Stage/fingerprint."""
    folder = path.parent
    return f"{folder.parent.name}/{folder.name}"


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
