"""Benchmarks of the user's: named and pinned by digest in the recipe, located in `luigi.cfg`, read by named columns.

A file, or a folder of files, of any form that `rowfiles` reads; `known` has the columns of the usual math sets.

For sets that may not be shipped (MATH: its problems are under a claim of their publisher) and sets of one's own. The digest
is part of the recipe, so what is kept out of the training data has an identity, and where the file lies has none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora import SchemaError, benchmarks
from corpora.benchmarks import rowfiles

_COLUMNS = ("prompt", "solution", "tests", "question", "answer")
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class BenchmarkFile:
    """A benchmark in a file or folder of rows: its digest, and the column of each field ("" for none).

    `Body + Question` joins two columns, `question | input` takes the first that a row has.
    """

    name: str
    """Its key in luigi.cfg [benchmarks], and its name in the ledger."""
    sha256: str
    """Of the file or folder, as `python -m corpora.benchmarks digest PATH` prints it."""
    id: str = ""
    """Column of the problem's id; "" numbers the rows from 0, and names a file of one problem by its path."""
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
        root = Path(path).expanduser() if path else None
        if root is None or not root.exists():
            found = f"{path}, where there is no file" if path else "not set"
            raise ValueError(
                f"luigi.cfg [benchmarks] {file.name} is {found}, but the recipe keeps that benchmark out of the data: "
                f"name the file with sha256 {file.sha256}, or take it out of the recipe's `files`"
            )
        benchmarks.check_digest(root, rowfiles.digest(root), file.sha256)
        found_rows = [
            one for name, below in rowfiles.files_below(root) for one in rowfiles.rows_of(name, below.read_bytes())
        ]
        return [_problem(file, root, number, one) for number, one in enumerate(found_rows)]


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


def _problem(file: BenchmarkFile, root: Path, number: int, found: rowfiles.Found) -> benchmarks.BenchmarkProblem:
    where = str(root.parent / found.place if root.is_file() else root / found.place)
    if found.row is None:
        raise SchemaError(f"{where} {found.problem}; a benchmark is JSONL, JSON or Parquet")
    values = {}
    for field in ("id", *_COLUMNS):
        column = getattr(file, field)
        value = rowfiles.cell(found.row, column) if column else ""
        if value is None:
            kind = type(found.row[column]).__name__ if column in found.row else ""
            what = f"{kind} in" if kind else "no"
            raise SchemaError(
                f"{where}: {what} column {column!r}, wanted text; the row has {', '.join(sorted(found.row))}"
            )
        values[field] = value
    own = number if found.number else found.file.removesuffix(".json")
    return benchmarks.BenchmarkProblem(
        id=f"{file.name}/{values['id'] or own}",
        benchmark=file.name,
        split="test",
        prompt=values["prompt"] or values["question"],
        solution=values["solution"] or values["answer"],
        tests=values["tests"],
        question=values["question"],
        answer=values["answer"],
    )
