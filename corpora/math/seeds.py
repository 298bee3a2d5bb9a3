"""Seed problems with worked solutions: GSM8K's training split, and sets that the user has or the hub does.

Shipped: GSM8K train (Cobbe et al. 2021; MIT), as published, annotations included: 7,473 rows. Others are described by
`SeedSet`: MATH, Chinese sets, any table. Licence, source and the set's own id are kept. A row that cannot be a seed is
rejected with its file, its place and the cure, a file that cannot be read ends the run. Questions that come twice are merged
(`merge.py`). Nothing else is judged here: VerifyAnswers does that. All rows are in memory, 2 KB each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import SchemaError, benchmarks, shards, sieve
from corpora.benchmarks import rowfiles
from corpora.math import golds, merge, rows
from corpora.math.annotations import Unusable
from corpora.math.golds import Style
from corpora.math.seedsets import SeedFiles, SeedSet

ALLOWED = (
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0", "CDLA-Permissive-2.0"),
    *("MIT", "ODC-By-1.0", "PDDL-1.0", "Unlicense"),
)
"""Licences of texts that ask for attribution at most."""
_CURES = {
    "no_question": "map the column in SeedSet.question, or take the row out",
    "no_solution": "map the column in SeedSet.solution, or take the row out",
    "no_answer": "map the column in SeedSet.answer, or take the row out",
    "not_utf8": "save the file with whole characters: half of a pair stands alone in it",
    "too_long": "take the row out, or cut it into problems",
    "license_not_allowed": "add the licence to SeedsConfig.licenses if you may use it",
    "answer_not_read": "write the answer in the form of the set's style, or choose another style",
}


@dataclass(frozen=True, kw_only=True)
class SeedsConfig:
    """Which seeds are read."""

    sources: tuple[str, ...] = ("gsm8k:train",)
    """`name:split` of `corpora.benchmarks`; a test split is refused."""
    sets: tuple[SeedSet, ...] = ()
    """Sets that are not shipped, `corpora.math.seedsets.SEED_SETS` or your own."""
    licenses: tuple[str, ...] = ALLOWED
    """SPDX names that are allowed; no licence is no permission."""
    jaccard: float = 0.8
    """Share of runs of five words from which on two questions with the same numbers and answer are one; ours."""
    max_characters: int = 8_000
    """Of question and solution together; ours: eight packs of the training length."""
    max_seeds: int | None = None
    """Seeds in all, the least digest(seed, id) first; None takes all."""
    num_shards: int = 4
    """Kept through the stages that follow. 4 shards of 1,900 rows keep four processes busy."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in self.sources:
            if name.count(":") != 1 or name.endswith(":test"):
                raise ValueError(f"SeedsConfig.sources must be name:split of a split for training, got {name!r}")
        names = [one.name for one in self.sets]
        if len(set(names)) < len(names):
            raise ValueError(f"SeedsConfig.sets has a name twice: {', '.join(sorted(names))}")
        if not (self.sources or self.sets):
            raise ValueError("SeedsConfig must name at least one of sources and sets, got neither")
        for one in self.sets:
            if not one.license_column and one.license not in self.licenses:
                raise ValueError(
                    f"SeedsConfig.sets has {one.name} of licence {one.license}, which licenses does not allow; "
                    f"{_CURES['license_not_allowed']}"
                )
        if not 0 < self.jaccard <= 1:
            raise ValueError(f"SeedsConfig.jaccard must be above 0 and at most 1, got {self.jaccard}")
        if self.max_seeds is not None and self.max_seeds < 1:
            raise ValueError(f"SeedsConfig.max_seeds must be at least 1 or None, got {self.max_seeds}")
        for field in ("num_shards", "max_characters"):
            if getattr(self, field) < 1:
                raise ValueError(f"SeedsConfig.{field} must be at least 1, got {getattr(self, field)}")


def inventory(config: SeedsConfig, seed_files: SeedFiles) -> dict[str, str]:
    """Digest what each set holds: its files, or its commit on the hub."""
    return {one.name: seed_files.inventory(one) for one in config.sets}


def collect_seeds(
    out: Path,
    *,
    config: SeedsConfig,
    seed_files: SeedFiles = SeedFiles(),  # noqa: B008  frozen
) -> dict[str, object]:
    """Read the seeds into shards by id."""
    read: list[rows.Row] = []
    rejected: list[rows.Row] = []
    for name in config.sources:
        read += _problems(name)
    for one in config.sets:
        good, bad = _read_set(one, config, seed_files)
        read, rejected = read + good, rejected + bad
    first: dict[str, rows.Row] = {}
    for row in read:
        first.setdefault(row["id"], row)  # the same text in two places is one row
    kept, merged = _merged(list(first.values()), config.jaccard)
    chosen = sorted(kept, key=lambda row: rows.digest(config.seed, row["id"]))[: config.max_seeds]
    return {**_write(out, chosen, rejected + merged, config.num_shards), "sets": dict(sorted(_origins(chosen).items()))}


def _write(out: Path, kept: Sequence[rows.Row], rejected: Sequence[rows.Row], num_shards: int) -> dict[str, object]:
    parts = []
    for index, (good, bad) in enumerate(
        zip(rows.by_shard(kept, num_shards), rows.by_shard(rejected, num_shards), strict=True)
    ):
        name = shards.shard_name(index, num_shards)
        parts.append(sieve.done(out, name) or rows.write(out, name, good, sorted(bad, key=lambda row: str(row["id"]))))
    return sieve.total(out, parts)


def _origins(kept: Sequence[rows.Row]) -> Counter[str]:
    return Counter(str(row["source"]).partition("/")[0] for row in kept)


def _merged(found: list[rows.Row], jaccard: float) -> tuple[list[rows.Row], list[rows.Row]]:
    """Part the rows that stay from those that are merged into them or contradict each other."""
    leaving = merge.merge(found, jaccard)
    rejected = [
        rows.rejection(found[number], one.reason, one.evidence, one.value, jaccard) for number, one in leaving.items()
    ]
    return [row for number, row in enumerate(found) if number not in leaving], rejected


def _problems(name: str) -> Iterator[rows.Row]:
    benchmark, _, split = name.partition(":")
    license_ = next(entry["license"] for entry in benchmarks.sources().values() if entry["benchmark"] == benchmark)
    for problem in benchmarks.load(benchmark, split):
        answer = golds.after_hashes(problem.answer)
        yield rows.problem(
            rows.SEED, problem.question.strip(), problem.answer.strip(), answer, source=problem.id, license=license_
        )


def _read_set(one: SeedSet, config: SeedsConfig, seed_files: SeedFiles) -> tuple[list[rows.Row], list[rows.Row]]:
    """Read one set; a set of which no row can be a seed is described wrongly, and ends the run with its first row."""
    kept, rejected = [], []
    for found in seed_files.rows(one):
        source = f"{one.name}/{_own_id(one, found)}"
        try:
            kept.append(_seed(one, found, source, config))
        except Unusable as problem:
            reason, _, detail = str(problem).partition(": ")
            evidence = f"{one.name}: {found.place}: {detail or reason}; {_CURES.get(reason, 'take the row out')}"
            name = rows.digest("rejected", one.name, found.place)
            rejected.append(rows.rejection({"id": name, "source": source}, reason, evidence))
    if not kept:
        first = rejected[0]["evidence"] if rejected else f"{one.name}: no row was found; correct luigi.cfg [seeds]"
        raise SchemaError(f"none of the {len(rejected)} rows of seed set {one.name} can be a seed; the first: {first}")
    return kept, rejected


def _own_id(one: SeedSet, found: rowfiles.Found) -> str:
    own = rowfiles.cell(found.row, one.id) if one.id and found.row else None
    return own or (f"{found.file}/{found.number}" if found.number else found.file)


def _seed(one: SeedSet, found: rowfiles.Found, source: str, config: SeedsConfig) -> rows.Row:
    """Make a row, or say why not: a reason, and after a colon what was found."""
    if found.row is None:
        raise Unusable(f"not_a_row: {found.problem}")
    license_ = (rowfiles.cell(found.row, one.license_column) if one.license_column else None) or one.license
    if license_ not in config.licenses:
        raise Unusable(f"license_not_allowed: licence {license_ or 'none'!r}")
    question = _text(one, found.row, "question")
    solution = _text(one, found.row, "solution") if one.solution else ""
    if len(question) + len(solution) > config.max_characters:
        raise Unusable(f"too_long: {len(question) + len(solution)} characters, at most {config.max_characters}")
    try:
        solution, answer = _READERS[one.style](one, found.row, solution)
    except Unusable as problem:
        detail = str(problem)
        raise problem if ": " in detail else Unusable(f"answer_not_read: {detail}") from None
    return rows.problem(rows.SEED, question, solution, answer, source=source, license=license_)


def _text(one: SeedSet, row: rowfiles.Row, field: str) -> str:
    """Give the text of a mapped column, as it can be stored."""
    column = getattr(one, field)
    text = (rowfiles.cell(row, column) or "").strip()
    if not text:
        raise Unusable(f"no_{field}: column {column!r} is empty or no text (the row has {', '.join(sorted(row))})")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unusable(f"not_utf8: column {column!r}") from None
    return text


def _hashes(_one: SeedSet, _row: rowfiles.Row, solution: str) -> tuple[str, str]:
    return solution, golds.after_hashes(solution)


def _boxed(_one: SeedSet, _row: rowfiles.Row, solution: str) -> tuple[str, str]:
    return solution, golds.boxed(solution)


def _plain(one: SeedSet, row: rowfiles.Row, solution: str) -> tuple[str, str]:
    return solution, _text(one, row, "answer")


def _chinese(one: SeedSet, row: rowfiles.Row, solution: str) -> tuple[str, str]:
    gold = _text(one, row, "answer")
    if one.equation:
        solution = golds.solution_of(_text(one, row, "equation"), gold)
    return solution, golds.written(gold)


_READERS = {Style.HASHES: _hashes, Style.BOXED: _boxed, Style.PLAIN: _plain, Style.CHINESE: _chinese}
