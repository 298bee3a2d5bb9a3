"""The page of a run: one self-contained HTML file with scores, stages, corpus, curves and samples.

Nothing is loaded from outside and there is no script, so the file can be mailed, printed and opened in ten years. Which
stage is which is read from what its folder holds (`kept/`, `packs.idx`, `progress.jsonl`, `samples.parquet`), never
from its name. Documents and replies are hostile: the template escapes every value, and characters that would reorder
or hide others are made visible. Costs a pass over narrow Parquet columns; nothing heavy loads before a page is written.
"""

from __future__ import annotations

import datetime
import json
import os
import unicodedata
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.terminal import duration

if TYPE_CHECKING:
    import jinja2

    from pipelines.report_training import EvaluationSample, TrainingSample

TEMPLATE = "report.html.jinja"
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs"}
_KEPT = "\n\t\u200c\u200d"
"""Line breaks, tabs, and the joiners that scripts and emoji need."""


@dataclass(frozen=True)
class StageRecord:
    """One complete stage of the run: its name, its folder and its manifest."""

    name: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def key(self) -> str:
        """How a manifest names this stage among its inputs."""
        return f"{self.name}/{self.manifest['fingerprint']}"

    @property
    def num_bytes(self) -> int:
        """Size of its files."""
        return sum(entry["bytes"] for entry in self.manifest.get("files", {}).values())

    def has(self, *names: str) -> bool:
        """Whether its folder holds all of these."""
        return all((self.folder / name).exists() for name in names)


def write_report(target: Path, *, title: str, recipe: str, stages: Sequence[StageRecord]) -> None:
    """Write the page of a run; `stages` are in dependency order. The file appears whole or not at all."""
    from corpora.shards import replace

    page = _environment(target.parent).get_template(TEMPLATE).render(_context(title, recipe, stages))
    replace(target, lambda temporary: temporary.write_text(page, encoding="utf-8"))


def visible(text: object) -> str:
    r"""Replace characters that would hide or reorder others: controls, overrides, zero widths, lone surrogates.

    >>> visible("a\x1b[31m\u202eb")
    'a␛[31m⟨U+202E⟩b'
    """
    return "".join(map(_visible_character, str(text)))


def _visible_character(character: str) -> str:
    if character.isprintable() or character in _KEPT:
        return character
    if character < " ":
        return chr(0x2400 + ord(character))  # the picture of a control character
    return f"⟨U+{ord(character):04X}⟩" if unicodedata.category(character) in _HIDDEN_CATEGORIES else character


def _context(title: str, recipe: str, stages: Sequence[StageRecord]) -> dict[str, Any]:
    from pipelines import report_corpus, report_evidence, report_training
    from pipelines.scores import score_table

    tracks = report_corpus.funnel(stages)
    reports = [_read_json(stage.folder / "report.json") for stage in stages if _is_evaluation(stage)]
    return {
        "title": title,
        "recipe": recipe,
        "stages": stages,
        "header": _header(stages),
        "scores": [score_table(report, recipe=recipe) for report in reports],
        "settings": [report.get("settings", {}) for report in reports],
        "tracks": tracks,
        "makeups": [makeup for track in tracks if (makeup := report_corpus.makeup(track))],
        "duplicates": report_evidence.duplicates(stages),
        "ledger": report_evidence.ledger(stages),
        "redactions": report_evidence.redactions(stages),
        "tokens": report_corpus.token_files(stages),
        "packs": report_corpus.pack_files(stages),
        "curves": [report_training.curves(stage) for stage in stages if stage.has("progress.jsonl")],
        "training_samples": _training_samples(stages),
        "evaluation_samples": _evaluation_samples(stages),
    }


def _header(stages: Sequence[StageRecord]) -> dict[str, Any]:
    manifests = [stage.manifest for stage in stages]
    last = max(manifests, key=lambda manifest: str(manifest.get("started", "")), default={})
    labels = (manifest.get("metrics") or {} for manifest in manifests)
    return {
        "base": next((metrics for metrics in labels if "label" in metrics), {}),
        "written": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "last": last,
        "machine": last.get("machine") or {},
        "packages": last.get("packages") or {},
        "wall_seconds": sum(manifest.get("wall_seconds", 0) for manifest in manifests),
        "cpu_seconds": sum(manifest.get("cpu_seconds", 0) for manifest in manifests),
        "num_bytes": sum(stage.num_bytes for stage in stages),
    }


def _is_evaluation(stage: StageRecord) -> bool:
    return stage.has("report.json", "samples.parquet")


def _training_samples(stages: Sequence[StageRecord]) -> list[tuple[StageRecord, list[TrainingSample]]]:
    from pipelines.report_training import training_samples

    found = []
    for stage in stages:
        tokenizer = _tokenizer_of(stage, stages)
        if stage.has("packs.idx", "mask.idx") and tokenizer:
            found.append((stage, training_samples(stage, tokenizer)))
    return found


def _evaluation_samples(stages: Sequence[StageRecord]) -> list[tuple[StageRecord, list[EvaluationSample]]]:
    from pipelines.report_training import evaluation_samples

    return [(stage, evaluation_samples(stage)) for stage in stages if _is_evaluation(stage)]


def _tokenizer_of(packs: StageRecord, stages: Sequence[StageRecord]) -> Path | None:
    """Find the tokenizer of the stage that trains on these packs, else of the stage that they were made for."""
    users = [stage for stage in stages if packs.key in stage.manifest.get("inputs", {}).values()]
    makers = [stage for stage in stages if stage.key in packs.manifest.get("inputs", {}).values()]
    files = (stage.folder / "tokenizer" / "tokenizer.json" for stage in (*users, *makers))
    return next((path for path in files if path.exists()), None)


def _environment(folder: Path) -> jinja2.Environment:
    import jinja2

    from pipelines import report_plots
    from pipelines.status import human_bytes

    def link(path: Path) -> str:
        return urllib.parse.quote(Path(os.path.relpath(path, folder)).as_posix())

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else visible(value),
    )
    environment.filters.update(
        link=link, duration=duration, size=human_bytes, count=report_plots.number, visible=visible
    )
    environment.globals.update(plots=report_plots)
    return environment


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
