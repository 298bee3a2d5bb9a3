"""Which rows of a teacher are taken: by verdict, one for each way of reasoning, a few for each question.

Two solutions of a question that calculate the same, in any order, are one way of reasoning, and so is the seed's own
solution; their texts differ four times as often as their reasoning does (measured on two models). Of texts of one reasoning
the one farthest from those already taken is taken, by the longest common subsequence of its words. A solution without any
calculation shows no reasoning: it is taken only where nothing else of its question is, and a program never. Every row
that is not taken is in `rejected/` with the reason, so another filter needs no teacher. Rows verified without a teacher go
through.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import progress, shards, sieve
from corpora.engine import Engine
from corpora.math import rows
from corpora.math.annotations import Unusable, read_steps
from corpora.math.rows import VERIFIED, Row
from corpora.math.teacher import equations, labels

_MAX_WORDS = 1_000


@dataclass(frozen=True, kw_only=True)
class ChooseTaughtConfig:
    """The filter of a recipe."""

    verdicts: tuple[str, ...] = (VERIFIED, labels.AGREED)
    """Which rows may be taken. `verified` alone leaves out harder problems, whose evidence is agreement."""
    max_per_question: int = 4
    """Rows of one kind and question; ours. RFT's gain flattens where paths repeat."""
    is_seed_a_path: bool = True
    """Whether a solution that calculates what the seed's own does counts as a repetition."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.verdicts) - set(labels.VERDICTS))
        if unknown or not self.verdicts:
            raise ValueError(
                f"ChooseTaughtConfig.verdicts must be some of {', '.join(labels.VERDICTS)}, got {unknown or 'none'}"
            )
        if self.max_per_question < 1:
            raise ValueError(f"ChooseTaughtConfig.max_per_question must be at least 1, got {self.max_per_question}")


def choose_taught(
    out: Path,
    *,
    verified: Path,
    seeds: Path,
    rephrase: Path,
    evolve: Path,
    answer: Path,
    self_verify: Path,
    sampled: Path,
    config: ChooseTaughtConfig,
    engine: Engine,
) -> dict[str, object]:
    """Put what is taken of five kinds behind the rows that were verified without a teacher, shard after shard."""
    taught = tuple(str(folder / "kept") for folder in (rephrase, evolve, answer, self_verify, sampled))
    own, asked = shards.shard_paths(verified / "kept"), shards.shard_paths(seeds / "kept")
    count = len(own) + len(asked)
    parts = []
    for number, path in enumerate(own):
        name = shards.shard_name(number, count)
        parts.append(sieve.done(out, name) or rows.write(out, name, rows.read(path), []))
        progress.report(number + 1, len(own), "shards")
    parts += engine.map_shards(_choose_shard, asked, out, taught, len(own), count, config)
    kinds: Counter[str] = Counter()
    for part in parts:
        kinds.update({kind: part.get(f"kept_{kind}", 0) for kind in labels.KINDS})
    return {**sieve.total(out, parts), **{f"kept_{kind}": kinds[kind] for kind in labels.KINDS}}


def _choose_shard(
    path: Path, out: Path, folders: Sequence[str], before: int, count: int, config: ChooseTaughtConfig
) -> sieve.Counts:
    index = int(path.name.split("-")[1])
    name = shards.shard_name(before + index, count)
    done = sieve.done(out, name)
    if done is not None:
        return done
    keys = {row["id"]: _seed_key(row) for row in rows.read(path)} if config.is_seed_a_path else {}
    kept: list[Row] = []
    rejected: list[Row] = []
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for folder in folders:
        for row in rows.read(Path(folder) / path.name):
            if row["verdict"] in config.verdicts:
                groups[row["kind"], row["question"]].append(row)
            else:
                rejected.append(rows.rejection(row, row["verdict"], evidence=row["evidence"]))
    for group in groups.values():
        known = keys.get(group[0]["seed"], "") if group[0]["kind"] == labels.ANSWER else ""
        taken = choose(group, known, config.max_per_question)
        kept += taken
        rejected += _repeated(group, taken, known)
    kinds = Counter(f"kept_{row['kind']}" for row in kept)
    return rows.write(out, name, kept, sorted(rejected, key=lambda row: str(row["id"])), **kinds)


def _seed_key(row: Row) -> str:
    try:
        return read_steps(row["solution"]).path_key
    except Unusable:  # no annotations: what it says in words
        return equations.key(equations.equations(row["solution"]))


def choose(group: Sequence[Row], known: str, most: int) -> list[Row]:
    """Take rows of one question, a reasoning at a time; of each the text farthest from what is taken."""
    paths: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(group, key=lambda row: str(row["id"])):
        paths[row["path_key"]].append(row)
    without = paths.pop("", [])
    paths.pop(known, None)
    taken: list[Row] = []
    if without and not paths and group[0]["kind"] != labels.SAMPLED:
        paths[""] = without
    for same in list(paths.values())[:most]:
        taken.append(_farthest(same, taken))
    return taken


def _farthest(rows_: Sequence[Row], taken: Sequence[Row]) -> Row:
    from corpora.math.overlap import lcs_ratio

    if not taken or len(rows_) == 1:
        return rows_[0]
    words = [one["solution"].split()[:_MAX_WORDS] for one in taken]
    return min(rows_, key=lambda row: sum(lcs_ratio(row["solution"].split()[:_MAX_WORDS], one) for one in words))


def _repeated(group: Sequence[Row], taken: Sequence[Row], known: str) -> Iterator[Row]:
    """Say of what is not taken whether its reasoning is taken, or there was too much."""
    ids, keys = {row["id"] for row in taken}, {row["path_key"] for row in taken} | ({known} if known else set())
    for row in group:
        if row["id"] not in ids:
            is_repeated = row["path_key"] in keys
            reason = "same reasoning" if is_repeated else "over the cap" if row["path_key"] else "no calculation"
            yield rows.rejection(row, reason, evidence=row["evidence"])
