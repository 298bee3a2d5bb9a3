"""Finished shards of a map stage are taken where they lie: in what a killed run left, and in earlier outputs of the stage.

A shard that was made by the same function from the same bytes is the same shard, under any fingerprint and any name, so one
repository more costs one shard and not the corpus. What a shard was made from, what the function said of it and the digests
of its files are noted in `shards/` when it is done; the notes end in the manifest, where the next run finds them. A file is
taken only if it still has its digest; it becomes a hard link, so it costs no space, and removing either output leaves the
other whole. Nothing in the store is ever written in place.

Where outputs are joined from shards and the shards removed, as with tokens, a subclass cuts the shard out of the whole.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from corpora import SchemaError, progress, shards

NOTES = "shards"
"""Folder of the notes; it is no output."""

Note = dict[str, Any]


@dataclass(frozen=True)
class Earlier:
    """A shard of a finished output."""

    folder: Path
    name: str

    def __str__(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}/{self.name}"


@dataclass(frozen=True)
class Linked:
    """Shards whose files, `*/{shard}`, are linked; for stages that write each of their files from one shard alone."""

    out: Path
    inputs: Mapping[str, str]
    """SHA-256 of every shard that the stage reads, by path."""
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    """Shards of finished outputs by the SHA-256 of what they were made from."""

    def take(self, paths: Sequence[Path]) -> dict[Path, Note]:
        """Bring what is finished here; what is not in the answer is to be made."""
        found: dict[Path, Note] = {}
        for path in paths:
            note = self._resume(path) or self._bring(path)
            if note is not None:
                found[path] = note
                progress.report(len(found), len(paths), "shards")
        reused = sum("reused" in note for note in found.values())
        if found:
            print(f"{reused} of {len(paths)} shards reused, {len(found) - reused} resumed", flush=True)
        return found

    def made(self) -> Linked:
        """Give what a worker needs to note a shard, without the earlier ones."""
        return replace(self, earlier={})

    def note(self, path: Path, key: str | None, result: Any, **fields: Any) -> Note:
        """Write down that a shard is done; the last thing that is written of it."""
        note = {"input": key, "result": result, "files": self._files(path), **fields}
        shards.write_json(self._note_path(path), note)
        return note

    def key(self, path: Path) -> str | None:
        """Digest all that a shard is made from; None where that cannot be known."""
        return self.inputs.get(str(path))

    def _files(self, path: Path) -> dict[str, dict[str, Any]]:
        """Describe the files of a shard; what the function keeps for its own resumption goes at its end."""
        found = sorted(self.out.glob(f"*/{shard_of(path)}"))
        return {str(file.relative_to(self.out)): describe(file) for file in found}

    def _resume(self, path: Path) -> Note | None:
        """Give the note of a shard that a killed run finished; files without a note, or not as noted, are removed."""
        if self.key(path) is None:
            return None
        note = read_note(self._note_path(path)) if self._note_path(path).exists() else None
        bad = self._damaged(path, note) if note else None
        if note and bad is None:
            return note
        if bad:
            print(f"{bad} of a killed run is not as it was written; {shard_of(path)} is made again", flush=True)
        self._discard(path)
        return None

    def _discard(self, path: Path) -> None:
        """Remove what a killed run left of a shard, and what says to the function that it is finished."""
        name = shard_of(path)
        for file in (self._note_path(path), self.out / "counts" / f"{name}.json", *self.out.glob(f"*/{name}")):
            file.unlink(missing_ok=True)

    def _damaged(self, path: Path, note: Note) -> Path | None:
        if note.get("input") != self.key(path):
            return self._note_path(path)
        return next((self.out / name for name, was in note["files"].items() if not same(self.out / name, was)), None)

    def _bring(self, path: Path) -> Note | None:
        """Bring a shard of an earlier output; one that cannot be had, or is damaged, is made instead."""
        key = self.key(path)
        source = self.earlier.get(key) if key else None
        if source is None:
            return None
        try:
            self._copy(source, path)
        except (OSError, SchemaError) as error:
            print(f"{source} is not reused: {error}", flush=True)
            return None
        result = manifest_of(source.folder)["shards"][source.name]["result"]
        return self.note(path, key, result, reused=str(source))

    def _copy(self, source: Earlier, path: Path) -> None:
        """Link the files of a shard; `kept` last, for a collection takes what has it as finished."""
        files = manifest_of(source.folder)["files"]
        for name in sorted((name for name in files if name.endswith(f"/{source.name}")), reverse=True):
            if not same(source.folder / name, files[name]):
                raise SchemaError(f"{source.folder / name} is not as its manifest says")
            link(source.folder / name, self.out / name.rpartition("/")[0] / shard_of(path))

    def _note_path(self, path: Path) -> Path:
        return self.out / NOTES / f"{shard_of(path)}.json"


class Collected(Linked):
    """Shards that are read from the work lists of a collection: made of the list, and of the files that it names."""

    def key(self, path: Path) -> str | None:
        """Digest a work list with the size and times of what it names; None for a kind of repository not known here."""
        value = hashlib.sha256(path.read_bytes())
        for entry in shards.read_json(path):
            states = _STATES.get(entry["repository"].get("kind", "folder"))
            if states is None:
                return None
            for state in states(entry["repository"]):
                value.update(f"{state}\n".encode("utf-8", "surrogateescape"))
        return value.hexdigest()


def _folder_states(repository: dict[str, Any]) -> Iterator[str]:
    """Give the states of the files that are read, and of the licence files of the folders above them."""
    from corpora.sources import is_license_file

    root = Path(repository["root"])
    yield from (_state(root / file) for file in repository["files"])
    folders = {""} | {file[:cut] for file in repository["files"] for cut in _slashes(file)}
    for folder in sorted(folders):
        beside = sorted((root / folder).iterdir()) if (root / folder).is_dir() else []
        yield from (f"{path} {_state(path)}" for path in beside if is_license_file(path.name))


def _slashes(file: str) -> Iterable[int]:
    return (place for place, mark in enumerate(file) if mark == "/")


_STATES: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "folder": _folder_states,
    "archive": lambda repository: iter([_state(Path(repository["root"]))]),
    "bare": lambda repository: iter([repository["revision"]]),
}
"""What decides the content of a repository, besides its entry in the list, by its kind."""


def _state(path: Path) -> str:
    try:
        stat = path.lstat()
    except OSError:
        return "gone"
    return f"{stat.st_mode} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def make(path: Path, plan: Linked, reference: str, *arguments: Any) -> Any:
    """Make one shard and note it, in the process that makes it; what changed meanwhile is noted as made from nothing known."""
    module, _, name = reference.partition(":")
    key = plan.key(path)
    result = getattr(importlib.import_module(module), name)(path, *arguments)
    return plan.note(path, key if plan.key(path) == key else None, result)["result"]


def shard_of(path: Path) -> str:
    """Name the shard that is made of a file: that of a work list has `.json` behind it.

    >>> shard_of(Path("worklist/part-00000-of-00002.parquet.json"))
    'part-00000-of-00002.parquet'
    """
    return path.name.removesuffix(".json")


def read_notes(out: Path) -> dict[str, Note]:
    """Read the notes of all shards by name."""
    return {path.stem: read_note(path) for path in sorted((out / NOTES).glob("*.json"))}


def read_note(path: Path) -> Note:
    """Read one note; one that is no JSON speaks of no file, so its shard is made again."""
    try:
        return dict(shards.read_json(path))
    except SchemaError:
        return {"input": None}


def describe(path: Path) -> dict[str, Any]:
    """Give what a manifest says of a file."""
    return {"bytes": path.stat().st_size, "sha256": shards.sha256(path)}


def same(path: Path, was: Mapping[str, Any]) -> bool:
    """Whether a file is there and as it was."""
    return path.is_file() and path.stat().st_size == was["bytes"] and shards.sha256(path) == was["sha256"]


def link(source: Path, target: Path) -> None:
    """Give a finished file a second name, whole or not at all; where the file system cannot, copy it."""

    def write_to(temporary: Path) -> None:
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)

    shards.replace(target, write_to)


@functools.lru_cache(maxsize=8)
def manifest_of(folder: Path) -> dict[str, Any]:
    """Read the manifest of a finished output."""
    return dict(json.loads((folder / "manifest.json").read_text()))
