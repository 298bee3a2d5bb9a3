"""What is read: repositories in an order that nothing but their names decides, up to the budget, each in a shard and a split.

A repository goes whole into one shard and one split. Its shard is a range of a digest, so the rows of all shards have one
order for any number of them; the held-out names are chosen of code and text together, so that both agree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from corpora import records
from corpora.code import languages
from corpora.code.license import allowed
from corpora.code.optout import opted_out
from corpora.collect import CollectCodeConfig, CollectConfig
from corpora.sources import Repository, digest

if TYPE_CHECKING:
    from corpora.sources.chosen import Rows

TEXT_SUFFIXES = (".rst", ".md", ".txt")
DOCUMENTATION_SUFFIXES = (*TEXT_SUFFIXES, ".adoc")
NOTEBOOK = ".ipynb"
DESCRIPTION = ".dist-info/METADATA"
_NOT_PROSE = re.compile(
    r"requirements|licen[cs]e|copying|notice|authors|contributors|record|top_level|entry_points|sources|cmakelists|vendor",
    re.IGNORECASE,
)
"""Beginnings of the names of text files that hold lists."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is read from one repository, and where it goes."""

    repository: Repository
    """With the chosen files only; with none where its licence is not allowed."""
    shard: int
    split: str
    permitted: bool
    opt_out: str | None = None
    """Line of the opt-out list that takes it out."""


def make_plan(
    config: CollectConfig,
    repositories: Iterable[Repository],
    domain: str,
    opt_outs: Collection[str] = (),
    rows: Rows | None = None,
) -> tuple[list[Entry], int]:
    """Choose repositories and files up to the budget, and their splits; count the bytes that are left unread."""
    found = sorted(repositories, key=lambda one: (digest(str(config.seed), one.name), one.source))
    wanted = is_code(config) if domain == records.CODE else _is_prose
    plan: list[Entry] = []
    left, unread = config.budget_bytes, 0
    for repository in rows.between(found) if rows else found:
        if isinstance(repository, int):
            left, beyond = rows.take(repository, left) if rows else (left, 0)
            unread += beyond
            continue
        sizes = _sizes(repository, domain, wanted)
        opt_out = opted_out(opt_outs, repository.name, *repository.aliases)
        permitted = opt_out is None and (repository.by_folder or allowed(repository.license, config.licenses))
        room = min(left, config.max_repository_bytes) if permitted else 0
        chosen = _choose(repository.name, sizes, config, room)
        beyond = sum(sizes.values()) - sum(sizes[file] for file in chosen) if permitted else 0
        unread += beyond
        history = _reads_history(config, repository)
        refused = (
            repository.refused if domain == records.CODE else tuple(one for one in repository.refused if not one[0])
        )
        if not (sizes or refused or history) or not left:
            continue
        cost = sum(sizes[file] for file in chosen if sizes[file] <= config.max_file_bytes)
        left = 0 if beyond and room == left else left - cost
        reduced = replace(repository, files=tuple(chosen), sizes=(), refused=refused if permitted else ())
        shard = place(repository) * config.num_shards >> 128
        plan.append(Entry(repository=reduced, shard=shard, split=records.TRAIN, permitted=permitted, opt_out=opt_out))
    plan.sort(key=lambda entry: place(entry.repository))
    heldout = _heldout(config, found, plan)
    if rows:
        heldout = rows.hold_out(heldout, {entry.repository.name for entry in plan if _is_read(config, entry)})
    return [
        replace(entry, split=records.HELDOUT) if entry.repository.name in heldout else entry for entry in plan
    ], unread


def place(repository: Repository) -> int:
    """Number of 128 bits that orders repositories; a shard is a range of it, so any number of shards has one order."""
    return int(digest("shard", repository.source, repository.name), 16)


def rank(config: CollectConfig, name: str) -> str:
    """Order names for the held-out split."""
    return digest("heldout", str(config.seed), name)


def _heldout(config: CollectConfig, found: Sequence[Repository], plan: Sequence[Entry]) -> set[str]:
    """Choose names by digest: of all repositories, so that code and text agree; at least one of the plan, never all."""
    rank_of = partial(rank, config)
    names = {repository.name for repository in found}
    wanted = set(sorted(names, key=rank_of)[: math.ceil(config.heldout_fraction * len(names))])
    readable = sorted({entry.repository.name for entry in plan if _is_read(config, entry)}, key=rank_of)
    count = min(max(1, len(wanted.intersection(readable))), len(readable) - 1) if wanted else 0
    return set(readable[: max(count, 0)])


def _is_read(config: CollectConfig, entry: Entry) -> bool:
    """Whether a repository gives files or commits."""
    return bool(entry.repository.files) or (entry.permitted and _reads_history(config, entry.repository))


def _reads_history(config: CollectConfig, repository: Repository) -> bool:
    return isinstance(config, CollectCodeConfig) and config.reads_history(repository)


def _sizes(repository: Repository, domain: str, wanted: Callable[[str], bool]) -> dict[str, int]:
    """List the regular files of a domain with their bytes; links and what is gone are left out.

    A source file that only its first line can tell is one when that line names an interpreter.
    """
    from corpora.sources.beneath import Beneath

    if repository.sizes:
        return {file: size for file, size in zip(repository.files, repository.sizes, strict=True) if wanted(file)}
    found: dict[str, int] = {}
    if not repository.files:
        return found
    try:
        below = Beneath(repository.root)
    except OSError:  # it went away since it was listed
        return found
    with below:
        for file in repository.files:
            size = below.size(file) if wanted(file) else None
            by_first_line = domain == records.CODE and languages.is_script(file)
            if size is not None and (not by_first_line or below.head(file, 2) == b"#!"):
                found[file] = size
    return found


def _choose(repository: str, sizes: dict[str, int], config: CollectConfig, room: int) -> list[str]:
    """Take files in the order of their digest while they fit; one over the size cap is only rejected, and costs nothing."""
    chosen: list[str] = []
    for file in sorted(sizes, key=lambda file: digest(str(config.seed), repository, file)) if room else ():
        cost = sizes[file] if sizes[file] <= config.max_file_bytes else 0
        if cost <= room:
            chosen.append(file)
            room -= cost
    return sorted(chosen)


def is_code(config: CollectConfig) -> Callable[[str], bool]:
    """Give a test for paths of files that may be in a language of the config."""
    if not isinstance(config, CollectCodeConfig):
        return lambda _: False
    wanted = frozenset(config.languages) if records.CODE in config.domains else frozenset()
    documentation = records.DOCUMENTATION in config.domains
    return lambda file: (
        (documentation and is_documentation(file))
        or (config.notebooks and file.endswith(NOTEBOOK))
        or not wanted.isdisjoint(languages.possible(file))
    )


def is_documentation(file: str) -> bool:
    """Whether a file of a repository is prose for people."""
    return file.lower().endswith(DOCUMENTATION_SUFFIXES) and not _NOT_PROSE.match(file.rpartition("/")[2])


def _is_prose(file: str) -> bool:
    name = file.rpartition("/")[2]
    return file.endswith(DESCRIPTION) or (file.endswith(TEXT_SUFFIXES) and not _NOT_PROSE.match(name))


def entry_of(value: dict[str, Any]) -> Entry:
    """Read an entry back from a work list."""
    return Entry(**value | {"repository": Repository(**_tuples(value["repository"]))})


def _tuples(value: Any) -> Any:
    """Give the lists of JSON back as the tuples that they were."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
