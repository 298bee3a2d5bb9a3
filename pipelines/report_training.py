"""What the page of a run says about models: loss curves, training samples with their loss mask, evaluation samples.

Samples are evenly spaced, not chosen: nobody picked the good ones. Tokens are decoded one by one in the context of
those before them, so that a character that spans several tokens is shown once, whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.report_plots import Chart, line_chart
from pipelines.scores import MODELS, family, model_names, rank, ways

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from pipelines.report import StageRecord

T = TypeVar("T")
NUM_TRAINING_SAMPLES = 12
_MAX_TOKENS = 320
"""Tokens shown of one training sample."""
_CONTEXT_TOKENS = 6
"""Tokens decoded before a token, for decoders that join words with a space of their own."""
_MAX_OPEN_TOKENS = 8
"""Tokens that may lie inside one character; more are shown as they are."""
_PROBLEMS_PER_SUITE = 3
_MAX_CHARACTERS = 1600
_SAMPLE_COLUMNS = ("model", "suite", "problem", "prompt", "reply", "status", "gold")


@dataclass(frozen=True, kw_only=True)
class Curves:
    """One training stage: its charts and its figures."""

    stage: StageRecord
    charts: tuple[Chart, ...]
    steps: int
    tokens: int
    learned_tokens: int
    tokens_per_second: float


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A token as a person reads it, or a few that share one character."""

    text: str
    ids: str
    is_learned: bool
    is_special: bool


@dataclass(frozen=True, kw_only=True)
class TrainingSample:
    """One conversation of one pack, decoded."""

    pack: int
    position: int
    tokens: int
    learned: int
    pieces: tuple[Piece, ...]

    @property
    def hidden(self) -> int:
        """Tokens that are not shown."""
        return max(0, self.tokens - _MAX_TOKENS)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What one model answered, and what became of it; `tone` is good, bad or neutral."""

    model: str
    text: str
    status: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class EvaluationSample:
    """One problem of one suite with every reply to it; `prompt` is the shortest form in which it was asked."""

    suite: str
    problem: str
    prompt: str
    gold: str
    replies: tuple[Reply, ...]


def curves(stage: StageRecord) -> Curves:
    """Draw loss, learning rate and gradient norm from `progress.jsonl`."""
    rows = read_progress(stage.folder / "progress.jsonl")
    seconds, tokens = _total(rows, "seconds"), _total(rows, "tokens")
    charts = (
        line_chart(_series(rows, "loss"), title="Loss (nats a token)", x_label="step", is_noisy=True),
        line_chart(_series(rows, "learning_rate"), title="Learning rate", x_label="step", is_from_zero=True),
        line_chart(_series(rows, "grad_norm"), title="Gradient norm", x_label="step", is_from_zero=True, is_noisy=True),
    )
    speeds = sorted(value for _, value in _series(rows, "tokens_per_second"))
    speed = speeds[len(speeds) // 2] if speeds else tokens / seconds if seconds else 0.0
    return Curves(
        stage=stage,
        charts=tuple(chart for chart in charts if chart.line),
        steps=int(rows[-1].get("step", len(rows))) if rows else 0,
        tokens=int(tokens),
        learned_tokens=int(_total(rows, "learned_tokens")),
        tokens_per_second=speed,
    )


def read_progress(path: Path) -> list[dict[str, Any]]:
    """Read the rows by step; of a step that a resumed run made again the last counts, a torn last line does not."""
    steps: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict) and "step" in row:
            steps[int(row["step"])] = row
    return [steps[step] for step in sorted(steps)]


def training_samples(packs: StageRecord, tokenizer_file: Path) -> list[TrainingSample]:
    """Decode a dozen conversations from packs that are evenly spaced."""
    from tokenizers import Tokenizer

    from corpora.indexed import IndexedReader

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokens, mask = IndexedReader(packs.folder / "packs"), IndexedReader(packs.folder / "mask")
    bounds = [int(bound) for bound in tokens.document_indices]
    samples = []
    for count, pack in enumerate(_spaced(range(len(bounds) - 1), NUM_TRAINING_SAMPLES)):
        position = count % (bounds[pack + 1] - bounds[pack])
        sequence = bounds[pack] + position
        ids, learned = tokens.get(sequence), mask.get(sequence).astype(bool)
        pieces = decode(tokenizer, ids[:_MAX_TOKENS].tolist(), learned[:_MAX_TOKENS].tolist())
        figures = {"pack": pack, "position": position, "tokens": len(ids), "learned": int(learned.sum())}
        samples.append(TrainingSample(**figures, pieces=tuple(pieces)))
    return samples


def decode(tokenizer: Tokenizer, ids: Sequence[int], learned: Sequence[bool]) -> Iterator[Piece]:
    """Decode token by token; tokens inside one character wait for its last."""
    added = tokenizer.get_added_tokens_decoder()
    start = 0
    for end in range(1, len(ids) + 1):
        is_special = ids[end - 1] in added
        text = _added_text(tokenizer, ids, start, end)
        is_open = text.endswith("\N{REPLACEMENT CHARACTER}") and end < len(ids) and ids[end] not in added
        if is_open and not is_special and end - start < _MAX_OPEN_TOKENS:
            continue
        shown = tokenizer.id_to_token(ids[end - 1]) or "?" if is_special else text
        names = " ".join(map(str, ids[start:end]))
        yield Piece(text=shown, ids=names, is_learned=bool(learned[end - 1]), is_special=is_special)
        start = end


def evaluation_samples(stage: StageRecord) -> list[EvaluationSample]:
    """Take a few problems of every suite, evenly spaced, with the replies of all models to all ways of asking."""
    import pyarrow.parquet as pq

    suites: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in pq.read_table(stage.folder / "samples.parquet", columns=list(_SAMPLE_COLUMNS)).to_pylist():
        plain = {name: value or "" for name, value in row.items()}
        suites.setdefault(family(plain["suite"]), {}).setdefault(plain["problem"], []).append(plain)
    return [
        _evaluation_sample(suite, name, suites[suite][name])
        for suite in sorted(suites)
        for name in _spaced(sorted(suites[suite]), _PROBLEMS_PER_SUITE)
    ]


def _added_text(tokenizer: Tokenizer, ids: Sequence[int], start: int, end: int) -> str:
    context = ids[max(0, start - _CONTEXT_TOKENS) : start]
    before = tokenizer.decode(context, skip_special_tokens=False)
    with_it = tokenizer.decode([*context, *ids[start:end]], skip_special_tokens=False)
    if with_it.startswith(before):
        return str(with_it[len(before) :])
    return str(tokenizer.decode(ids[start:end], skip_special_tokens=False))


def _evaluation_sample(suite: str, problem: str, rows: Sequence[dict[str, str]]) -> EvaluationSample:
    ordered = sorted(rows, key=lambda row: (rank(MODELS)(row["model"]), row["suite"]))
    names = model_names(row["model"] for row in ordered)
    replies = (
        Reply(
            model=", ".join([name, *ways(row["suite"])]),
            text=_clip(row["reply"]),
            status=row["status"].replace("_", " "),
            tone=tone(row["status"]),
        )
        for row, name in zip(ordered, names, strict=True)
    )
    return EvaluationSample(
        suite=suite,
        problem=problem,
        prompt=_clip(min((row["prompt"] for row in rows), key=len)),
        gold=rows[0]["gold"].rpartition("####")[2].strip(),  # GSM8K writes the answer after its solution
        replies=tuple(replies),
    )


def tone(status: str) -> str:
    """Say whether a status is good, bad or neither.

    >>> tone("passed"), tone("timeout"), tone("not_scored")
    ('good', 'bad', 'neutral')
    """
    return {"passed": "good", "not_scored": "neutral", "": "neutral"}.get(status, "bad")


def _clip(text: str) -> str:
    hidden = len(text) - _MAX_CHARACTERS
    return f"{text[:_MAX_CHARACTERS]}\n… {hidden} more characters" if hidden > 0 else text


def _spaced(items: Sequence[T], count: int) -> list[T]:
    count = min(len(items), count)
    return [items[index * len(items) // count] for index in range(count)]


def _series(rows: Sequence[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(float(row["step"]), _float(row[name])) for row in rows if name in row]


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _total(rows: Sequence[dict[str, Any]], name: str) -> float:
    return sum(value for _, value in _series(rows, name) if math.isfinite(value))
