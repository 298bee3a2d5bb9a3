"""Published datasets by name, one pinned row each: where it is, which columns say what, whose terms hold.

A recipe names rows (`CollectConfig.datasets`); a row is read from the hub at its revision, or from a copy of the same layout
that luigi.cfg [sources] has under the row's name. Only revisions that were seen in public use are written here; a row
without one is read from a copy until the recipe pins it (`CollectConfig.revisions`). A table of the user's own is a row
too, written as `dataset.json` beside the files (`own`). A row decides bytes, so it is part of a source's identity.

"No licence is no permission" holds for rows: where the publisher names no licence of a file, the row's licence is a
`LicenseRef-` name that no default allow-list has, and a recipe that takes the publisher's word for it says so.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from corpora import records
from corpora.sources import digest

MAPPING = "dataset.json"
"""Beside the files of a table of the user's own."""
_OWN_FILES = ("**/*.parquet", "**/*.jsonl", "**/*.jsonl.gz", "**/*.jsonl.zst")
_REVISION = re.compile(r"[0-9a-f]{40}")
_DOMAINS = (records.CODE, records.COMMITS, records.ISSUES, records.DOCUMENTATION, records.TEXT)


class Unit(str, Enum):
    """How a repository, the unit of the held-out split, is read from its column."""

    NAME = "name"
    """The value itself."""
    FIRST = "first"
    """The first of several names with commas between: a commit is in every fork."""
    SITE = "site"
    """The host of an address: pages of one site repeat each other."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of a table says what, "" where none does; dots lead into nested ones."""

    text: str = ""
    """A file's text; where the table has none, `content` names it."""
    content: str = ""
    """Name under which the text lies in a store of contents."""
    events: str = ""
    """Of a thread: the list of its events, of which a text is made (corpora/sources/threads.py)."""
    before: str = ""
    """Of a commit: the file before it; `text` is the file after it."""
    message: str = ""
    repository: str = ""
    path: str = ""
    revision: str = ""
    license: str = ""
    """One SPDX expression, or a list of licences that are all asked for."""
    language: str = ""
    """Read only where there is no path to tell it by."""
    stars: str = ""
    date: str = ""
    """ISO 8601 text or a timestamp."""
    bytes: str = ""
    """Size of the text, so that planning need not read it."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One row: a table, or many files of one layout."""

    name: str
    columns: Columns
    hub: str = ""
    revision: str = ""
    """Commit of the hub, 40 hex digits."""
    files: tuple[str, ...] = ("**/*.parquet",)
    """Patterns of paths below the root."""
    domain: str = records.CODE
    unit: Unit = Unit.NAME
    repository: str = ""
    """Where there is no column or its value is missing, as are the next two."""
    license: str = ""
    language: str = ""
    contents: str = ""
    """Where texts lie that the table only names: a path or an address with {id}, whole or gzip."""
    evidence: str = ""
    """Who says what the licence is."""
    terms: str = ""
    """Where the terms of use are that whoever reads it accepts."""

    def __post_init__(self) -> None:
        where = f"dataset {self.name}"
        if sum(map(bool, (self.columns.text, self.columns.content, self.columns.events))) != 1:
            raise ValueError(f"{where}: name a column for either text or content or events, got several or none")
        if self.columns.events and self.domain != records.ISSUES:
            raise ValueError(f"{where}: events are named for the domain issues, and for no other")
        if self.columns.content and not self.columns.bytes:
            raise ValueError(f"{where}: content needs a column of bytes too, or planning would fetch every text")
        if self.revision and not _REVISION.fullmatch(self.revision):
            raise ValueError(f"{where}: revision must be a commit of 40 hex digits, got {self.revision!r}")
        if self.domain not in _DOMAINS:
            raise ValueError(f"{where}: domain must be of {', '.join(_DOMAINS)}, got {self.domain!r}")
        if not (self.columns.repository or self.repository):
            raise ValueError(f"{where}: name a column for repository, or give one repository for all rows")
        if not (self.columns.license or self.license):
            raise ValueError(
                f"{where}: name a column for license, or give one license for all rows; none is no permission"
            )
        parts = {bool(self.columns.before), bool(self.columns.message)}
        if parts != {self.domain == records.COMMITS}:
            raise ValueError(f"{where}: before and message are named for the domain commits, and for no other")
        if not self.files:
            raise ValueError(f"{where}: give at least one pattern of files")

    def identity(self) -> str:
        """Digest all that decides what is read from the files."""
        return digest(json.dumps(dataclasses.asdict(self), sort_keys=True))


_STACK_V2 = Columns(
    content="blob_id",
    repository="repo_name",
    path="path",
    revision="revision_id",
    license="detected_licenses",
    language="language",
    stars="star_events_count",
    date="committer_date",
    bytes="length_bytes",
)
_SOFTWARE_HERITAGE = "s3://softwareheritage/content/{id}"
_STACK_TERMS = "https://huggingface.co/datasets/bigcode/{} (gated: accept them there)"

_ROWS = (
    Dataset(
        name="the-stack-v2-dedup",
        hub="bigcode/the-stack-v2-dedup",
        # no revision: none was seen in public use
        files=("data/*/*.parquet",),
        columns=_STACK_V2,
        contents=_SOFTWARE_HERITAGE,
        evidence="detected_licenses of The Stack v2",
        terms=f"{_STACK_TERMS.format('the-stack-v2-dedup')}; bulk download of contents needs an agreement with Software Heritage",
    ),
    Dataset(
        name="the-stack-v1-dedup",
        hub="bigcode/the-stack-dedup",
        revision="1d5c2bd9e6a7b7407332f0e004c2f4b22e7e9358",
        files=("data/*/*.parquet",),
        columns=Columns(
            text="content",
            repository="max_stars_repo_name",
            path="max_stars_repo_path",
            revision="max_stars_repo_head_hexsha",
            license="max_stars_repo_licenses",
            language="lang",
            stars="max_stars_count",
            date="max_stars_repo_stars_event_max_datetime",
            bytes="size",
        ),
        evidence="max_stars_repo_licenses of The Stack",
        terms=_STACK_TERMS.format("the-stack-dedup"),
    ),
    Dataset(
        name="starcoderdata",
        hub="bigcode/starcoderdata",
        revision="9fc30b578cedaec69e47302df72cf00feed7c8c4",
        # folders of issues, notebooks and commits have other columns
        files=("[a-z0-9]*/train-*.parquet",),
        columns=Columns(
            text="content", repository="max_stars_repo_name", path="max_stars_repo_path", stars="max_stars_count"
        ),
        license="LicenseRef-starcoderdata",
        evidence="the publisher: of The Stack's permissive licences, which one is not said",
        terms=_STACK_TERMS.format("starcoderdata"),
    ),
    Dataset(
        name="stack-edu",
        hub="HuggingFaceTB/stack-edu",
        revision="eeec5caac5cc3758a18f1d3ba4416837a9ba814c",
        files=("*/*.parquet",),
        columns=Columns(
            content="blob_id",
            repository="repo_name",
            path="path",
            license="detected_licenses",
            language="language",
            bytes="length_bytes",
        ),
        contents=_SOFTWARE_HERITAGE,
        evidence="detected_licenses of Stack-Edu",
        terms="those of The Stack v2: https://huggingface.co/datasets/bigcode/the-stack-v2",
    ),
    Dataset(
        name="commitpack",
        hub="bigcode/commitpack",
        revision="5eee2c845bf88dbffcafedb6e80d2a72a43fe575",
        files=("data/*/*.jsonl",),
        domain=records.COMMITS,
        unit=Unit.FIRST,
        columns=Columns(
            text="new_contents",
            before="old_contents",
            message="message",
            repository="repos",
            path="new_file",
            revision="commit",
            license="license",
            language="lang",
        ),
        evidence="license of CommitPack",
        terms="https://huggingface.co/datasets/bigcode/commitpack",
    ),
    Dataset(
        name="the-stack-github-issues",
        hub="bigcode/the-stack-github-issues",
        # no revision: none was seen in public use
        files=("data/*.parquet",),
        domain=records.ISSUES,
        columns=Columns(events="events", repository="repo", path="issue_number"),
        license="LicenseRef-the-stack-github-issues",
        evidence="the publisher: threads are their authors', under GitHub's terms",
        terms=_STACK_TERMS.format("the-stack-github-issues"),
    ),
    Dataset(
        name="fineweb-edu",
        hub="HuggingFaceFW/fineweb-edu",
        revision="87f09149ef4734204d70ed1d046ddc9ca3f2b8f9",
        files=("sample/10BT/*.parquet",),
        domain=records.TEXT,
        unit=Unit.SITE,
        columns=Columns(text="text", repository="url", path="id", revision="dump"),
        license="ODC-By-1.0",
        evidence="the dataset card: of the collection, not of the pages",
        terms="https://huggingface.co/datasets/HuggingFaceFW/fineweb-edu; Common Crawl's terms of use",
    ),
    Dataset(
        name="wikipedia-en",
        hub="wikimedia/wikipedia",
        revision="b04c8d1ceb2f5cd4588862100d08de323dccfbaa",
        files=("20231101.en/*.parquet",),
        domain=records.TEXT,
        columns=Columns(text="text", repository="url", path="id"),
        license="CC-BY-SA-3.0",
        evidence="the dataset card",
        terms="https://huggingface.co/datasets/wikimedia/wikipedia; share-alike",
    ),
)
CATALOG = {row.name: row for row in _ROWS}


def own(name: str, folder: Path) -> Dataset | None:
    """Read the mapping of a table of the user's own; None for a folder that has none."""
    path = folder / MAPPING
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not readable JSON ({error}); see docs/data.md for its form") from None
    if not isinstance(value, dict) or not isinstance(value.get("columns"), dict):
        raise ValueError(f'{path} must be an object with "columns", such as {{"columns": {{"text": "content"}}}}')
    columns = Columns(**_strings(path, "columns.", value.pop("columns"), Columns, frozenset()))
    files = value.pop("files", list(_OWN_FILES))
    if isinstance(files, str):
        files = [files]
    if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
        raise ValueError(f'{path}: "files" must be a pattern or a list of them, got {files!r}')
    unit = value.pop("unit", Unit.NAME.value)
    if unit not in [one.value for one in Unit]:
        raise ValueError(f'{path}: "unit" must be of {", ".join(one.value for one in Unit)}, got {unit!r}')
    rest = _strings(path, "", value, Dataset, _NOT_OWN)
    rest.setdefault("evidence", MAPPING)
    try:
        return Dataset(name=name, columns=columns, files=tuple(files), unit=Unit(unit), **rest)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


_NOT_OWN = frozenset({"name", "columns", "files", "unit", "hub", "revision"})


def _strings(path: Path, where: str, value: dict[str, Any], kind: type[Any], without: frozenset[str]) -> dict[str, str]:
    known = [one.name for one in dataclasses.fields(kind) if one.name not in without]
    for key, one in value.items():
        if key not in known:
            raise ValueError(f"{path} has {where}{key}, which is not known; choose {', '.join(known)}")
        if not isinstance(one, str):
            raise ValueError(f"{path}: {where}{key} must be a text, got {one!r}")
    return dict(value)
