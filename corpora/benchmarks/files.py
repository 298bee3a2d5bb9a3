"""Benchmarks of the user's: named and pinned by digest in the recipe, located in `luigi.cfg`, read by named columns.

For sets that may not be shipped (MATH: its problems are under a claim of their publisher) and sets of one's own. The digest
is part of the recipe, so what is kept out of the training data has an identity, and where the file lies has none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import SchemaError, benchmarks

_COLUMNS = ("prompt", "solution", "tests", "question", "answer")
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class BenchmarkFile:
    """A benchmark in a Parquet, JSONL or gzipped JSONL file: its digest, and the column of each field ("" for none)."""

    name: str
    """Its key in luigi.cfg [benchmarks], and its name in the ledger."""
    sha256: str
    """Of the file."""
    id: str = ""
    """Column of the problem's id; "" numbers the rows from 0."""
    prompt: str = ""
    solution: str = ""
    tests: str = ""
    """With tests the solution is code, whose names may have been changed."""
    question: str = ""
    answer: str = ""

    def __post_init__(self) -> None:
        if not self.name or self.name in benchmarks.names() or ":" in self.name:
            raise ValueError(f"BenchmarkFile.name must be no shipped benchmark and hold no colon, got {self.name!r}")
        if len(self.sha256) != 64 or not _HEX.issuperset(self.sha256):
            raise ValueError(f"BenchmarkFile.sha256 of {self.name} must be 64 hex digits, got {self.sha256!r}")
        if not any(getattr(self, column) for column in _COLUMNS):
            raise ValueError(f"BenchmarkFile {self.name} must name a column of {', '.join(_COLUMNS)}; it names none")


@dataclass(frozen=True)
class BenchmarkFiles:
    """Where the files of benchmarks lie: luigi.cfg [benchmarks], `name = path`."""

    paths: tuple[tuple[str, str], ...] = ()

    def load(self, file: BenchmarkFile) -> list[benchmarks.BenchmarkProblem]:
        """Read a benchmark after checking its digest; one that is not there is refused, since nothing would be kept out."""
        path = dict(self.paths).get(file.name)
        if path is None or not Path(path).expanduser().is_file():
            found = f"{path}, where there is no file" if path else "not set"
            raise ValueError(
                f"luigi.cfg [benchmarks] {file.name} is {found}, but the recipe keeps that benchmark out of the data: "
                f"name the file with sha256 {file.sha256}, or take it out of the recipe's `files`"
            )
        rows = benchmarks.checked_rows(Path(path).expanduser(), file.sha256)
        return [_problem(file, path, number, row) for number, row in enumerate(rows)]


def load_all(
    names: Sequence[str], files: Sequence[BenchmarkFile] = (), located: BenchmarkFiles | None = None
) -> Iterator[benchmarks.BenchmarkProblem]:
    """Read shipped benchmarks, written `name:split`, then the user's."""
    for name in names:
        yield from benchmarks.load(*name.split(":"))
    for file in files:
        yield from (located or BenchmarkFiles()).load(file)


def check_names(where: str, names: Sequence[str], files: Sequence[BenchmarkFile]) -> None:
    """Refuse names that are not written `name:split`, and two files of one name; `where` is the config, for the message."""
    for name in names:
        if name.count(":") != 1:
            raise ValueError(f"{where}.benchmarks must be written name:split, got {name!r}")
    twice = {file.name for file in files if [other.name for other in files].count(file.name) > 1}
    if twice:
        raise ValueError(f"{where}.files has {min(twice)} twice; give each file a name of its own")


def _problem(file: BenchmarkFile, path: str, number: int, row: Mapping[str, Any]) -> benchmarks.BenchmarkProblem:
    values = {}
    for field in ("id", *_COLUMNS):
        column = getattr(file, field)
        if column and (column not in row or not isinstance(row[column], str | int)):
            found = f"{type(row[column]).__name__} in" if column in row else "no"
            has = ", ".join(sorted(row))
            raise SchemaError(f"{path}, row {number}: {found} column {column!r}, wanted text; the row has {has}")
        values[field] = str(row[column]) if column else ""
    return benchmarks.BenchmarkProblem(
        id=f"{file.name}/{values['id'] or number}",
        benchmark=file.name,
        split="test",
        prompt=values["prompt"] or values["question"],
        solution=values["solution"] or values["answer"],
        tests=values["tests"],
        question=values["question"],
        answer=values["answer"],
    )
