"""Sets of seed problems: which columns say what, how the answer is read, whose licence holds, and where they lie.

A recipe names sets (`SeedsConfig.sets`): rows of `SEED_SETS`, or descriptions of the user's own. luigi.cfg [seeds] says where
a file or folder lies; a set that is on the hub is read from there, at its pinned commit, where nothing is said. Only commits
that were seen in public use are written here. "No licence is no permission": where the publisher names none, the licence is
a `LicenseRef-` name that the recipe has to allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpora.benchmarks import check_digest, rowfiles
from corpora.benchmarks.rowfiles import Found
from corpora.math.golds import Style
from corpora.sources import hub
from corpora.sources.catalog import Columns, Dataset

_REVISION = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class SeedSet:
    """One set: columns by name ("" for none; `a + b` joins two, `a | b` takes the first that is there)."""

    name: str
    """Its key in luigi.cfg [seeds], and the beginning of `source` of its rows."""
    question: str
    solution: str = ""
    """Worked solution; the answer stands in it for the styles `hashes` and `boxed`."""
    answer: str = ""
    equation: str = ""
    """Of the style `chinese`: what gives the answer."""
    id: str = ""
    """"" names a row by its file and number."""
    style: Style = Style.PLAIN
    license: str = ""
    """SPDX name of all rows, or where a row has none in `license_column`."""
    license_column: str = ""
    files: tuple[str, ...] = ()
    """Patterns of paths below the root; () takes every file of rows."""
    sha256: str = ""
    """Of the file or folder, as `python -m corpora.benchmarks digest PATH` prints it; "" takes what lies there."""
    hub: str = ""
    revision: str = ""
    """Commit of the hub, 40 hex digits."""
    evidence: str = ""
    """Who says what the licence is."""

    def __post_init__(self) -> None:
        where = f"SeedSet {self.name}"
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"SeedSet.name must be letters, digits, dots and dashes, got {self.name!r}")
        if not self.question:
            raise ValueError(f"{where}: name the column of the question")
        needs = "solution" if self.style in (Style.HASHES, Style.BOXED) else "answer"
        if not getattr(self, needs):
            raise ValueError(f"{where}: style {self.style.value} needs a column for {needs}")
        if self.equation and self.style is not Style.CHINESE:
            raise ValueError(f"{where}: equation is read for the style chinese, not for {self.style.value}")
        if not (self.license or self.license_column):
            raise ValueError(f"{where}: give one license for all rows, or license_column; none is no permission")
        if self.revision and not _REVISION.fullmatch(self.revision):
            raise ValueError(f"{where}: revision must be a commit of 40 hex digits, got {self.revision!r}")
        if self.sha256 and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"{where}: sha256 must be 64 hex digits, got {self.sha256!r}")

    def dataset(self) -> Dataset:
        """Describe it as the sources of documents do, for the files on the hub."""
        return Dataset(
            name=self.name,
            columns=Columns(text=self.question),
            hub=self.hub,
            revision=self.revision,
            files=self.files or ("**/*.parquet", "**/*.jsonl"),
            repository=self.name,
            license=self.license or self.license_column,
        )


MATH = SeedSet(
    name="math-train",
    question="problem",
    solution="solution",
    style=Style.BOXED,
    license="MIT",
    files=("*/train-*.parquet", "train/*/*.json", "*.jsonl"),
    hub="EleutherAI/hendrycks_math",
    revision="21a5633873b6a120296cce3e2df9d5550074f4a3",
    evidence="the authors' repository; the publisher of the problems claims them, and has had copies taken down",
)
APE210K = SeedSet(
    name="ape210k",
    question="original_text",
    answer="ans",
    equation="equation",
    id="id",
    style=Style.CHINESE,
    license="LicenseRef-ape210k",
    files=("train.ape.json", "**/train*.jsonl", "**/train*.parquet"),
    evidence="the authors' repository has no licence",
)
MATH23K = SeedSet(
    name="math23k-train",
    question="original_text",
    answer="ans",
    equation="equation",
    id="id",
    style=Style.CHINESE,
    license="LicenseRef-math23k",
    files=("*train*.json", "**/*train*.jsonl", "**/train*.parquet"),
    evidence="no licence was found with the copies in use",
)
SEED_SETS = {row.name: row for row in (MATH, APE210K, MATH23K)}


@dataclass(frozen=True)
class SeedFiles:
    """Where sets lie: luigi.cfg [seeds], `name = file or folder`."""

    paths: tuple[tuple[str, str], ...] = ()

    def root(self, one: SeedSet) -> Path | None:
        """Find a set; None is the hub."""
        path = dict(self.paths).get(one.name)
        if path is not None:
            root = Path(path).expanduser()
            if not root.exists():
                raise ValueError(f"luigi.cfg [seeds] {one.name} = {path}: no such file or folder; correct the path")
            return root
        if one.hub and one.revision:
            return None
        commit = f", or pin its commit on the hub ({one.hub}) as revision" if one.hub else ""
        raise ValueError(f"seed set {one.name} is nowhere: add luigi.cfg [seeds] {one.name} = FILE or FOLDER{commit}")

    def inventory(self, one: SeedSet) -> str:
        """Give what decides the rows of a set beside its description: the digest of its files, or the commit."""
        root = self.root(one)
        if root is None:
            return one.revision
        return one.sha256 or rowfiles.digest(root, one.files)

    def rows(self, one: SeedSet) -> Iterator[Found]:
        """Read the rows of a set, file by file."""
        root = self.root(one)
        if root is None:
            for source in hub.inputs(one.dataset()):
                with source.reading(), source.open() as stream:
                    content = stream.read()
                yield from rowfiles.rows_of(source.path, content)
            return
        if one.sha256:
            check_digest(root, rowfiles.digest(root, one.files), one.sha256)
        for name, path in rowfiles.files_below(root, one.files):
            yield from rowfiles.rows_of(name, path.read_bytes())
