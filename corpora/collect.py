"""Collection: files of licensed repositories become documents; what cannot be one is rejected with its reason.

Repositories are taken in the order of digest(seed, name) up to the byte budget, so the choice does not depend on how many
workers read or in which order a folder lists. Each repository goes whole into one shard and one split; a held-out one is
held out as code and as text. What lies beyond the budget is not read; its bytes are counted.
"""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records
from corpora.code import languages
from corpora.code.languages import BY_NAME
from corpora.code.license import PERMISSIVE, allowed
from corpora.code.optout import opted_out, read_opt_outs
from corpora.sources import Repository, digest

if TYPE_CHECKING:
    from corpora.engine import Engine

KINDS = ("installed", "folders", "fixture")
FIXTURE = Path(__file__).parent / "fixture"
TEXT_SUFFIXES = (".rst", ".md", ".txt")
DESCRIPTION = ".dist-info/METADATA"
_NOT_PROSE = re.compile(
    r"requirements|licen[cs]e|copying|notice|authors|contributors|record|top_level|entry_points|sources|cmakelists|vendor",
    re.IGNORECASE,
)
"""Beginnings of the names of text files that hold lists."""


@dataclass(frozen=True, kw_only=True)
class CollectConfig:
    """What is read, how much of it, and what is set apart."""

    kinds: tuple[str, ...]
    """Of `installed` (this interpreter and its distributions), `folders` (luigi.cfg [sources]), `fixture`."""
    budget_bytes: int
    """Bytes of files read at most, over all repositories."""
    max_repository_bytes: int
    """Bytes of files read at most from one repository, so that none is the corpus."""
    max_file_bytes: int = 1_000_000
    """The Stack and Granite: 1 MB (table in docs/data.md)."""
    heldout_fraction: float = 0.1
    """Share of the repositories, at least one, that never trains; ours."""
    licenses: tuple[str, ...] = PERMISSIVE
    """SPDX names that are allowed; no licence is no permission."""
    num_shards: int = 8
    seed: int = 1234

    def __post_init__(self) -> None:
        name = type(self).__name__
        for kind in self.kinds:
            if kind not in KINDS:
                raise ValueError(f"{name}.kinds must be of {', '.join(KINDS)}, got {kind!r}")
        for field in ("budget_bytes", "max_repository_bytes", "max_file_bytes", "num_shards"):
            if getattr(self, field) < 1:
                raise ValueError(f"{name}.{field} must be at least 1, got {getattr(self, field)}")
        if not 0 <= self.heldout_fraction < 1:
            raise ValueError(f"{name}.heldout_fraction must be at least 0 and below 1, got {self.heldout_fraction}")


@dataclass(frozen=True, kw_only=True)
class CollectCodeConfig(CollectConfig):
    """Source files."""

    languages: tuple[str, ...] = ("Python",)
    """Linguist names of what is read; `languages.BLEND` has all that a full-size corpus is made of."""

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.languages) - BY_NAME.keys())
        if unknown or not self.languages:
            raise ValueError(
                f"{type(self).__name__}.languages must be names of corpora/code/languages.py, got {', '.join(unknown) or 'none'}"
            )


class CollectTextConfig(CollectConfig):
    """English documentation and package descriptions, the replay of continued pretraining."""


@dataclass(frozen=True)
class Sources:
    """Folders and checkouts of the user's: (name, path) from luigi.cfg [sources]."""

    folders: tuple[tuple[str, str], ...] = ()
    opt_out: str | None = None
    """Path of a list of owners and repositories that are not read (corpora/code/optout.py)."""

    def opt_outs(self) -> frozenset[str]:
        """Read the list; one that is not there is refused."""
        return read_opt_outs(Path(self.opt_out).expanduser() if self.opt_out else None)

    def roots(self) -> Iterator[tuple[str, Path]]:
        """List them; a folder that is not there is refused."""
        for name, path in self.folders:
            root = Path(path).expanduser()
            if name in KINDS:
                raise ValueError(
                    f"luigi.cfg [sources] {name} = {path}: {name} names a source of ours; choose another name"
                )
            if not root.is_dir():
                raise ValueError(
                    f"luigi.cfg [sources] {name} = {path}: no such folder; correct the path or take the line out"
                )
            yield name, root.resolve()


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


def collect_code(out: Path, *, config: CollectCodeConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read source files into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, records.CODE)


def collect_text(out: Path, *, config: CollectTextConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read English text into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, records.TEXT)


def inventory(config: CollectConfig, sources: Sources) -> dict[str, str]:
    """Digest what each source holds, fast: it is asked at every start of a run."""
    from corpora.sources import folders, installed, walk

    found: dict[str, str] = {}
    if opt_outs := sources.opt_outs():
        found["opt_out"] = digest(*sorted(opt_outs))
    if "installed" in config.kinds:
        found |= installed.inventory()
    if "folders" in config.kinds:
        for name, root in sources.roots():
            found |= folders.inventory(name, root)
    if "fixture" in config.kinds:
        contents = ((file, hashlib.sha256((FIXTURE / file).read_bytes()).hexdigest()) for file in walk(FIXTURE))
        found["fixture"] = digest(*(part for pair in contents for part in pair))
    return found


def list_repositories(config: CollectConfig, sources: Sources) -> Iterator[Repository]:
    """List every repository of the sources that the config names."""
    from corpora.sources import folders, installed

    if "installed" in config.kinds:
        yield from installed.repositories()
    if "folders" in config.kinds:
        for name, root in sources.roots():
            yield from folders.repositories(name, root)
    if "fixture" in config.kinds:
        for root in sorted(path for path in FIXTURE.iterdir() if path.is_dir()):
            yield folders.plain(root.name, root, source="fixture")


def _collect(out: Path, config: CollectConfig, sources: Sources, engine: Engine, domain: str) -> dict[str, object]:
    from corpora import shards
    from corpora.sources.read import collect_shard

    plan, unread = make_plan(config, list_repositories(config, sources), domain, sources.opt_outs())
    worklists = []
    for index in range(config.num_shards):
        path = out / "worklist" / f"{shards.shard_name(index, config.num_shards)}.json"
        shards.write_json(path, [asdict(entry) for entry in plan if entry.shard == index])
        worklists.append(path)
    counts = engine.map_shards(collect_shard, worklists, out, config, domain)
    shutil.rmtree(out / "worklist")
    return {
        **{name: sum(count[name] for count in counts) for name in ("kept", "rejected", "bytes")},
        "repositories": len(plan),
        "heldout_repositories": sorted(entry.repository.name for entry in plan if entry.split == records.HELDOUT),
        "unread_bytes": unread,
    }


def make_plan(
    config: CollectConfig, repositories: Iterable[Repository], domain: str, opt_outs: Collection[str] = ()
) -> tuple[list[Entry], int]:
    """Choose repositories and files up to the budget, and their splits; count the bytes that are left unread."""
    found = sorted(repositories, key=lambda one: (digest(str(config.seed), one.name), one.source))
    wanted = _is_code(config) if domain == records.CODE else _is_prose
    plan: list[Entry] = []
    left, unread = config.budget_bytes, 0
    for repository in found:
        sizes = _sizes(repository, domain, wanted)
        opt_out = opted_out(opt_outs, repository.name)
        permitted = opt_out is None and (repository.by_folder or allowed(repository.license, config.licenses))
        room = min(left, config.max_repository_bytes) if permitted else 0
        chosen = _choose(repository.name, sizes, config, room)
        beyond = sum(sizes.values()) - sum(sizes[file] for file in chosen) if permitted else 0
        unread += beyond
        if not sizes or not left:
            continue
        cost = sum(sizes[file] for file in chosen if sizes[file] <= config.max_file_bytes)
        left = 0 if beyond and room == left else left - cost
        reduced = replace(repository, files=tuple(chosen))
        shard = place(repository) * config.num_shards >> 128
        plan.append(Entry(repository=reduced, shard=shard, split=records.TRAIN, permitted=permitted, opt_out=opt_out))
    plan.sort(key=lambda entry: place(entry.repository))
    heldout = _heldout(config, found, plan)
    return [
        replace(entry, split=records.HELDOUT) if entry.repository.name in heldout else entry for entry in plan
    ], unread


def place(repository: Repository) -> int:
    """Number of 128 bits that orders repositories; a shard is a range of it, so any number of shards has one order."""
    return int(digest("shard", repository.source, repository.name), 16)


def _heldout(config: CollectConfig, found: Sequence[Repository], plan: Sequence[Entry]) -> set[str]:
    """Choose names by digest: of all repositories, so that code and text agree; at least one of the plan, never all."""

    def rank(name: str) -> str:
        return digest("heldout", str(config.seed), name)

    names = {repository.name for repository in found}
    wanted = set(sorted(names, key=rank)[: math.ceil(config.heldout_fraction * len(names))])
    readable = sorted({entry.repository.name for entry in plan if entry.repository.files}, key=rank)
    count = min(max(1, len(wanted.intersection(readable))), len(readable) - 1) if wanted else 0
    return set(readable[: max(count, 0)])


def _sizes(repository: Repository, domain: str, wanted: Callable[[str], bool]) -> dict[str, int]:
    """List the regular files of a domain with their bytes; links and what is gone are left out.

    A source file that only its first line can tell is one when that line names an interpreter.
    """
    found: dict[str, int] = {}
    for file in repository.files:
        size = _size(repository.path(file)) if wanted(file) else None
        by_first_line = domain == records.CODE and languages.is_script(file)
        if size is not None and (not by_first_line or _has_shebang(repository.path(file))):
            found[file] = size
    return found


def _has_shebang(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"#!"
    except OSError:
        return False


def _size(path: Path) -> int | None:
    import stat

    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _choose(repository: str, sizes: dict[str, int], config: CollectConfig, room: int) -> list[str]:
    """Take files in the order of their digest while they fit; one over the size cap is only rejected, and costs nothing."""
    chosen: list[str] = []
    for file in sorted(sizes, key=lambda file: digest(str(config.seed), repository, file)) if room else ():
        cost = sizes[file] if sizes[file] <= config.max_file_bytes else 0
        if cost <= room:
            chosen.append(file)
            room -= cost
    return sorted(chosen)


def _is_code(config: CollectConfig) -> Callable[[str], bool]:
    """Give a test for paths of files that may be in a language of the config."""
    wanted = frozenset(config.languages) if isinstance(config, CollectCodeConfig) else frozenset()
    return lambda file: not wanted.isdisjoint(languages.possible(file))


def _is_prose(file: str) -> bool:
    name = file.rpartition("/")[2]
    return file.endswith(DESCRIPTION) or (file.endswith(TEXT_SUFFIXES) and not _NOT_PROSE.match(name))


def entry_of(value: dict[str, Any]) -> Entry:
    """Read an entry back from a work list."""
    repository = value["repository"] | {"files": tuple(value["repository"]["files"])}
    return Entry(**value | {"repository": Repository(**repository)})
