"""Collection: files of licensed repositories become documents; what cannot be one is rejected with its reason.

Repositories are taken in the order of digest(seed, name) up to the byte budget, so the choice does not depend on how many
workers read or in which order a folder lists. Each repository goes whole into one shard and one split; a held-out one is
held out as code and as text. What lies beyond the budget is not read; its bytes are counted.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import records
from corpora.code.languages import BY_NAME
from corpora.code.license import PERMISSIVE
from corpora.code.optout import read_opt_outs
from corpora.sources import Repository, digest

if TYPE_CHECKING:
    from corpora.engine import Engine

KINDS = ("installed", "folders", "fixture")
FIXTURE = Path(__file__).parent / "fixture"
DOMAINS = (records.CODE, records.DOCUMENTATION, records.COMMITS)


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
    datasets: tuple[str, ...] = ()
    """Rows of `sources.catalog`, from the hub or from copies in luigi.cfg [sources]; a dataset's licence must be in `licenses`."""
    revisions: tuple[tuple[str, str], ...] = ()
    """(dataset, commit of the hub) where another commit than the catalog's is meant, or it has none."""

    def __post_init__(self) -> None:
        name = type(self).__name__
        for dataset, revision in self.revisions:
            if dataset not in self.datasets or not re.fullmatch("[0-9a-f]{40}", revision):
                raise ValueError(
                    f"{name}.revisions must pair a name of datasets with 40 hex digits, got {dataset!r}, {revision!r}"
                )
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
    domains: tuple[str, ...] = (records.CODE,)
    """Of `code`, `documentation` (prose of the repositories, in any language) and `commits` (of those that git keeps)."""
    notebooks: bool = False
    """Whether notebooks are read, as scripts in their kernel's language."""
    max_commits: int = 200
    """Newest commits of a repository that are looked at, merges not counted; ours."""
    max_commit_files: int = 1
    """Files that a commit may change: CommitPack (arXiv 2308.07124) takes commits of one file, whose message is about it."""
    max_commit_bytes: int = 2_000_000
    """Of the commits of one repository that are kept, in bytes of text, so that no history is the corpus; ours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.languages) - BY_NAME.keys())
        if unknown or not self.languages:
            raise ValueError(
                f"{type(self).__name__}.languages must be names of corpora/code/languages.py, got {', '.join(unknown) or 'none'}"
            )
        if unknown := sorted(set(self.domains) - set(DOMAINS)):
            raise ValueError(f"{type(self).__name__}.domains must be of {', '.join(DOMAINS)}, got {', '.join(unknown)}")
        for field in ("max_commits", "max_commit_files", "max_commit_bytes"):
            if getattr(self, field) < 1:
                raise ValueError(f"{type(self).__name__}.{field} must be at least 1, got {getattr(self, field)}")

    def reads_history(self, repository: Repository) -> bool:
        """Whether commits of a repository are asked for, and kept by git."""
        return records.COMMITS in self.domains and bool(repository.git and repository.revision)


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
        """List them; a folder or archive that is not there is refused."""
        from corpora.sources.archives import suffix as archive_suffix
        from corpora.sources.passes import is_table

        for name, path in self.folders:
            root = Path(path).expanduser()
            if is_table(name, path):
                continue
            if name in KINDS:
                raise ValueError(
                    f"luigi.cfg [sources] {name} = {path}: {name} names a source of ours; choose another name"
                )
            if not root.is_dir() and not (root.is_file() and archive_suffix(root.name)):
                raise ValueError(
                    f"luigi.cfg [sources] {name} = {path}: no such folder or archive; correct the path or take the line out"
                )
            yield name, root.resolve()


def collect_code(out: Path, *, config: CollectCodeConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read source files into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, records.CODE)


def collect_text(out: Path, *, config: CollectTextConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read English text into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, records.TEXT)


def inventory(config: CollectConfig, sources: Sources) -> dict[str, str]:
    """Digest what each source holds, fast: it is asked at every start of a run."""
    from corpora.sources import folders, installed, passes
    from corpora.sources.beneath import walk

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
    domain = records.TEXT if isinstance(config, CollectTextConfig) else records.CODE
    return found | passes.inventory(config, sources, domain)


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
    from corpora.sources import passes
    from corpora.sources.gather import gather
    from corpora.sources.plan import make_plan
    from corpora.sources.read import collect_shard

    tables = out / "tables"
    rows = passes.survey(tables, config, sources, engine, domain)
    plan, unread = make_plan(config, list_repositories(config, sources), domain, sources.opt_outs(), rows)
    inputs = passes.scatter(tables, rows, config, sources, engine) if rows else []
    worklists = []
    for index in range(config.num_shards):
        path = out / "worklist" / f"{shards.shard_name(index, config.num_shards)}.json"
        entries = [asdict(entry) for entry in plan if entry.shard == index]
        shards.write_json(path, {"entries": entries, "inputs": inputs[index], "shard": index} if rows else entries)
        worklists.append(path)
    if rows:
        counts = engine.map_shards(gather, worklists, out, config, domain, tables / "spill")
    else:
        counts = engine.map_shards(collect_shard, worklists, out, config, domain)
    for folder in ("worklist", "tables"):
        shutil.rmtree(out / folder, ignore_errors=True)
    heldout = sorted(entry.repository.name for entry in plan if entry.split == records.HELDOUT)
    return {
        **{name: sum(count[name] for count in counts) for name in ("kept", "rejected", "bytes")},
        "repositories": len(plan) + (rows.num_taken() if rows else 0),
        "heldout_repositories": heldout + (rows.heldout_names() if rows else []),
        "unread_bytes": unread,
    }
