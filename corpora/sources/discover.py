"""Which repositories a folder holds: itself, or checkouts, bare clones and archives in it, also by owner.

A checkout, a bare clone or an archive is one repository. A folder of them, directly or one folder further down
(owner/repository), is many; whatever other folders lie beside them are plain ones. A folder with a licence or code of its
own is a project, and the archives in it are its data.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from corpora.code import languages
from corpora.sources import archives, is_license_file, is_name
from corpora.sources.gitfolder import is_bare, is_checkout

_OWNED = re.compile(r"([\w.-]+?)__([\w.-]+)")
"""owner__repository, as folders and archives are called where a name has to be flat."""


@dataclass(frozen=True)
class Part:
    """One repository of a source, before it is listed."""

    label: str
    """Place in the source: unique there."""
    root: Path
    name: str = ""
    """owner/repository where the layout says it."""
    top: Path | None = None
    """Folder of the checkout that it lies in, where it is not one itself."""
    within: Path = Path("/")
    """Where git may keep its history: anywhere for what the user names, else in the folder that was named."""
    depth: int = 0
    """Checkouts that it is a submodule in."""


def parts(name: str, root: Path) -> list[Part]:
    """Split a folder of repositories; loose files beside them belong to no repository and are not read."""
    if root.is_file() or is_checkout(root) or is_bare(root):
        return [Part(name, root)]
    return _below(name, "", root, root) or [Part(name, root, top=_checkout_above(root))]


def _below(label: str, owner: str, folder: Path, within: Path) -> list[Part]:
    """List the repositories of a folder that holds some; a folder with a licence or code of its own holds no archives."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry for entry in entries if is_name(entry.name)), key=lambda entry: entry.name)
    except OSError:
        return []
    files = [entry.name for entry in found if entry.is_file(follow_symlinks=False)]
    is_project = any(is_license_file(name) or languages.by_path(name) in languages.BLEND for name in files)
    repositories_, others = [], []
    for entry in (entry for entry in found if entry.is_dir(follow_symlinks=False)):
        path, place = Path(entry.path), f"{label}/{entry.name}"
        part = Part(place, path, _owned(owner, entry.name.removesuffix(".git")), within=within)
        if is_checkout(path) or is_bare(path):
            repositories_.append(part)
        elif not owner and not is_project and (inside := _below(place, entry.name, path, within)):
            repositories_ += inside
        else:
            others.append(part)
    for name in files if not is_project else ():
        if ending := archives.suffix(name):
            stem = name[: -len(ending)]
            repositories_.append(Part(f"{label}/{stem}", folder / name, _owned(owner, stem)))
    if not repositories_:
        return []
    return sorted([*repositories_, *others], key=lambda part: (part.label, part.root))


def _owned(owner: str, name: str) -> str:
    if owner:
        return f"{owner}/{name}"
    match = _OWNED.fullmatch(name)
    return f"{match[1]}/{match[2]}" if match else ""


def _checkout_above(root: Path) -> Path | None:
    return next((folder for folder in root.parents if is_checkout(folder)), None)
