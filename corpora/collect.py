"""Collection: files of licensed repositories become documents; what cannot be one is rejected with its reason.

Repositories are taken in the order of digest(seed, name) up to the byte budget, so the choice does not depend on how many
workers read or in which order a folder lists. Each repository goes whole into one shard and one split. Files that are not
UTF-8, empty, binary or over the size cap become rejections, and so does a repository without an allowed licence. What
lies beyond the budget is not read; it is counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.code.license import PERMISSIVE

if TYPE_CHECKING:
    from corpora.engine import Engine
    from corpora.sources import Repository

KINDS = ("installed", "folders", "fixture")
FIXTURE = Path(__file__).parent / "fixture"
ENGLISH = "English"
CODE_LANGUAGES = {".py": "Python", ".pyi": "Python"}
"""Extension to Linguist name: what the laptop has a grammar for."""
TEXT_SUFFIXES = (".rst", ".md", ".txt")
_NOT_PROSE = re.compile(
    r"(^|/)(requirements|licen[cs]e|copying|notice|authors|record|top_level|entry_points|sources)", re.I
)
_CONTROL_FRACTION = 0.02
"""Share of control characters above which a file that decodes is still binary; ours."""
_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r\f\x1b"}


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
            raise ValueError(f"{name}.heldout_fraction must be in 0 to 1, got {self.heldout_fraction}")


class CollectCodeConfig(CollectConfig):
    """Source files."""


class CollectTextConfig(CollectConfig):
    """English documentation and package descriptions, the replay of continued pretraining."""


@dataclass(frozen=True)
class Sources:
    """Folders and checkouts of the user's: (name, path) from luigi.cfg [sources]."""

    folders: tuple[tuple[str, str], ...] = ()

    def roots(self) -> Iterator[tuple[str, Path]]:
        """List them; a folder that is not there is refused."""
        for name, path in self.folders:
            root = Path(path).expanduser()
            if not root.is_dir():
                raise ValueError(
                    f"luigi.cfg [sources] {name} = {path}: no such folder; correct the path or take the line out"
                )
            yield name, root.resolve()


def collect_code(out: Path, *, config: CollectCodeConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read source files into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, code=True)


def collect_text(out: Path, *, config: CollectTextConfig, sources: Sources, engine: Engine) -> dict[str, object]:
    """Read English text into `kept/` and `rejected/`."""
    return _collect(out, config, sources, engine, code=False)


def code_inventory(config: CollectConfig, sources: Sources) -> dict[str, str]:
    """Digest what each source holds, fast: it is asked at every start of a run."""
    from corpora.sources import digest, folders, installed

    found: dict[str, str] = {}
    if "installed" in config.kinds:
        found |= installed.inventory()
    if "folders" in config.kinds:
        for name, root in sources.roots():
            found |= folders.inventory(name, root)
    if "fixture" in config.kinds:
        files = (path for path in sorted(FIXTURE.rglob("*")) if path.is_file())
        found["fixture"] = digest(*(part for path in files for part in (path.name, digest(path.read_bytes().hex()))))
    return found


text_inventory = code_inventory


def _collect(out: Path, config: CollectConfig, sources: Sources, engine: Engine, *, code: bool) -> dict[str, object]:
    from corpora import records, shards

    plan, unread = _plan(config, sources, code=code)
    worklists = []
    for index in range(config.num_shards):
        path = out / "worklist" / f"{shards.shard_name(index, config.num_shards)}.json"
        shards.write_json(path, [entry for entry in plan if entry["shard"] == index])
        worklists.append(path)
    counts = engine.map_shards(collect_shard, worklists, out, config, code)
    for path in worklists:
        path.unlink()
    worklists[0].parent.rmdir()
    heldout = sorted({entry["repository"]["name"] for entry in plan if entry["split"] == records.HELDOUT})
    return {
        "kept": sum(count["kept"] for count in counts),
        "rejected": sum(count["rejected"] for count in counts),
        "bytes": sum(count["bytes"] for count in counts),
        "repositories": len(plan),
        "heldout_repositories": heldout,
        "unread_bytes": unread,
    }


def _plan(config: CollectConfig, sources: Sources, *, code: bool) -> tuple[list[dict[str, Any]], int]:
    """Choose repositories and files inside the budget; give each repository its shard and split."""
    from corpora import records
    from corpora.code.license import allowed
    from corpora.sources import digest

    found = sorted(_repositories(config, sources), key=lambda one: (digest(str(config.seed), one.name), one.source))
    plan: list[dict[str, Any]] = []
    left, unread = config.budget_bytes, 0
    for repository in found:
        permitted = allowed(repository.license, config.licenses)
        files, skipped = _choose(repository, config, min(left, config.max_repository_bytes), code=code)
        if not files:
            unread += skipped
            continue
        size = sum(size for _, size in files)
        unread += skipped
        left -= size if permitted else 0
        record = asdict(repository) | {"files": tuple(file for file, _ in files)}
        shard = int(digest("shard", repository.source, repository.name), 16) % config.num_shards
        plan.append({"repository": record, "shard": shard, "split": records.TRAIN, "permitted": permitted})
    candidates = [entry for entry in plan if entry["permitted"]]
    heldout = math.ceil(config.heldout_fraction * len(candidates)) if config.heldout_fraction else 0
    order = sorted(candidates, key=lambda entry: digest("heldout", str(config.seed), entry["repository"]["name"]))
    for entry in order[: min(heldout, len(candidates) - 1)]:
        entry["split"] = records.HELDOUT
    return plan, unread


def _repositories(config: CollectConfig, sources: Sources) -> Iterator[Repository]:
    from corpora.sources import folders, installed

    if "installed" in config.kinds:
        yield from installed.repositories()
    if "folders" in config.kinds:
        for name, root in sources.roots():
            yield from folders.repositories(name, root)
    if "fixture" in config.kinds:
        for root in sorted(path for path in FIXTURE.iterdir() if path.is_dir()):
            yield folders.plain(root.name, root, source="fixture")


def _choose(
    repository: Repository, config: CollectConfig, budget: int, *, code: bool
) -> tuple[list[tuple[str, int]], int]:
    """Take files in the order of their digest until the budget is full; return them in order of paths, and what is left."""
    from corpora.sources import digest

    wanted = [file for file in repository.files if (file.endswith(tuple(CODE_LANGUAGES)) if code else _is_prose(file))]
    sizes = [(file, _size(repository.path(file))) for file in wanted]
    chosen, total, skipped = [], 0, 0
    for file, size in sorted(sizes, key=lambda item: digest(str(config.seed), repository.name, item[0])):
        if size is None:
            continue
        if total + size > budget:
            skipped += size
            continue
        chosen.append((file, size))
        total += size
    return sorted(chosen), skipped


def _is_prose(file: str) -> bool:
    metadata = file.endswith(".dist-info/METADATA")
    return metadata or (file.endswith(TEXT_SUFFIXES) and not _NOT_PROSE.search(file.rpartition("/")[2]))


def _size(path: Path) -> int | None:
    """Size of a regular file; links and what is gone have none."""
    import stat

    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def collect_shard(worklist: Path, out: Path, config: CollectConfig, code: bool) -> dict[str, int]:  # noqa: FBT001
    """Read the repositories of one shard; a shard that a killed run finished is taken as it is."""
    from corpora import records, shards

    name = worklist.stem
    kept_path, rejected_path = out / "kept" / name, out / "rejected" / name
    if not kept_path.exists():
        kept: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        for entry in shards.read_json(worklist):
            for row in _read_repository(entry, config, code=code):
                (rejected if "reason" in row else kept).append(row)
        shards.write(rejected_path, rejected, records.REJECTION)
        shards.write(kept_path, kept, records.DOCUMENT)
    texts = shards.read(kept_path, records.DOCUMENT, columns=["text"])["text"].to_pylist()
    size = sum(len(text.encode()) for text in texts)
    return {"kept": len(texts), "rejected": shards.num_rows(rejected_path), "bytes": size}


def _read_repository(entry: dict[str, Any], config: CollectConfig, *, code: bool) -> Iterator[dict[str, Any]]:
    from corpora import records
    from corpora.code import license as licenses
    from corpora.sources import Repository, digest, folders

    repository = Repository(**entry["repository"] | {"files": tuple(entry["repository"]["files"])})
    where = {"source": repository.source, "repository": repository.name}
    if not entry["permitted"]:
        identity = digest(repository.source, repository.name, repository.revision)
        evidence = f"{repository.license or 'unknown'} ({repository.license_evidence})"
        yield {**where, "id": identity, "path": "", "reason": "license_not_allowed", "evidence": evidence}
        return
    for file in repository.files:
        identity = digest(repository.source, repository.name, repository.revision, file)
        text = read_text(repository.path(file), config.max_file_bytes)
        if isinstance(text, dict):
            yield {**where, "id": identity, "path": file, **text}
            continue
        if file.endswith(".dist-info/METADATA"):
            text = text.partition("\n\n")[2]
            if not text.strip():
                continue
        expression, evidence = repository.license, repository.license_evidence
        if repository.source != "installed" and "/" in file:
            expression, evidence = folders.nearest_license(Path(repository.root), file)
        if tag := licenses.spdx_tag(text):
            expression, evidence = tag, "SPDX-License-Identifier"
        if not licenses.allowed(expression, config.licenses):
            evidence = f"{expression or 'unknown'} ({evidence})"
            yield {**where, "id": identity, "path": file, "reason": "license_not_allowed", "evidence": evidence}
            continue
        yield {
            **where,
            "id": identity,
            "text": text,
            "revision": repository.revision,
            "path": file,
            "language": CODE_LANGUAGES["." + file.rpartition(".")[2]] if code else ENGLISH,
            "license": expression,
            "license_evidence": evidence,
            "stars": None,
            "date": repository.date,
            "domain": records.CODE if code else records.TEXT,
            "split": entry["split"],
        }


def read_text(path: Path, max_bytes: int) -> str | dict[str, Any]:
    """Read a file as UTF-8 with Unix line ends, or say why it is no text: reason, value and bound."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return {"reason": "unreadable", "evidence": error.strerror or str(error)}
    if len(data) > max_bytes:
        return {"reason": "file_bytes", "value": float(len(data)), "bound": float(max_bytes)}
    if b"\x00" in data:
        return {"reason": "binary", "value": float(data.count(b"\x00")), "bound": 0.0, "evidence": "null bytes"}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return {
            "reason": "not_utf8",
            "value": float(error.start),
            "evidence": f"byte {data[error.start]:#04x} at {error.start}",
        }
    if not text.strip():
        return {"reason": "empty", "value": float(len(data)), "bound": 1.0}
    control = (len(text) - len(text.translate(_CONTROL))) / len(text)
    if control > _CONTROL_FRACTION:
        return {"reason": "binary", "value": control, "bound": _CONTROL_FRACTION, "evidence": "control characters"}
    return text.replace("\r\n", "\n").replace("\r", "\n")
