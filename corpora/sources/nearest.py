"""Which licence holds for a file: that of the nearest folder up the tree which says one, in licence texts or in metadata.

A licence text decides; the licence field of package.json, Cargo.toml, pyproject.toml and the like says how several texts
join, and speaks alone where there is no text. A text that nobody knows is unknown, whatever metadata says. Only folders of
the user's and archives are asked for metadata: a distribution's own has been read already. Repositories that cannot be
looked into while they are read (archives, bare ones) have each folder's answer from when they were listed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from corpora.code import license_files
from corpora.code.license_texts import from_license_texts
from corpora.sources import Repository, is_license_file
from corpora.sources.beneath import Beneath, read_beneath

MAXIMUM_LICENSE_BYTES = 200_000
"""Longer collections of third parties' licences are not read; they name no single one."""
Answer = tuple[str, str]
"""(SPDX expression, evidence)."""


def says_license(path: str) -> bool:
    """Whether a file may say under which licence its folder is."""
    return is_license_file(path) or license_files.is_manifest(path.rpartition("/")[2])


def answer(texts: Mapping[str, str]) -> Answer | None:
    """Name what the licence files and the metadata of one folder ask for together; None where they say nothing.

    >>> answer({"a/package.json": '{"license": "ISC"}'}), answer({"package.json": "{}"}), answer({"LICENSE": "hm"})
    (('ISC', 'a/package.json'), None, ('', 'LICENSE: not a known licence text'))
    """
    stated = {name: _stated(name, texts[name]) for name in sorted(texts) if not is_license_file(name)}
    stated = {name: expression for name, expression in stated.items() if expression}
    together = _all_of(list(dict.fromkeys(stated.values())))
    found = from_license_texts({name: text for name, text in texts.items() if is_license_file(name)})
    if found is None:
        return (together, ", ".join(stated)) if stated else None
    expression, evidence = found
    joined = license_files.combine(together, expression)
    return (joined, evidence) if joined == expression else (joined, f"{evidence}; {', '.join(stated)}")


def answers(texts: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Name the licence of each folder whose files say one, from the texts of a whole repository by path."""
    folders: dict[str, dict[str, str]] = {}
    for path in sorted(texts):
        folders.setdefault(path.rpartition("/")[0], {})[path] = texts[path]
    found = ((folder, answer(inside)) for folder, inside in folders.items())
    return tuple((folder, *one) for folder, one in found if one)


@functools.lru_cache(maxsize=65536)
def license_beside(root: Path, folder: str, *, metadata: bool = False) -> Answer | None:
    """Name what the licence files in one folder ask for, with their names as evidence; None without such files."""
    try:
        with Beneath(root) as below:
            names = [entry.name for entry in below.entries(folder) if entry.is_file(follow_symlinks=False)]
    except OSError:  # the reader says of each file below it why it cannot be read
        return None
    wanted = says_license if metadata else is_license_file
    files = [f"{folder}/{name}" if folder else name for name in names if wanted(name)]
    return answer(read_beneath(root, files, MAXIMUM_LICENSE_BYTES)) if files else None


def nearest(repository: Repository) -> Callable[[str], Answer | None]:
    """Give a look-up for the files of a repository: the nearest folder below its root that says a licence, or None."""
    listed = {folder: (expression, evidence) for folder, expression, evidence in repository.licenses}
    root = Path(repository.root)

    def beside(folder: str) -> Answer | None:
        if repository.kind == "folder":
            return license_beside(root, folder, metadata=repository.by_folder)
        return listed.get(folder)

    def look_up(file: str) -> Answer | None:
        folder = file.rpartition("/")[0]
        while folder:
            if found := beside(folder):
                return found
            folder = folder.rpartition("/")[0]
        return None

    return look_up


def _stated(path: str, text: str) -> str:
    return license_files.from_manifest(path.rpartition("/")[2], text)


def _all_of(expressions: list[str]) -> str:
    if len(expressions) < 2:
        return "".join(expressions)
    return " AND ".join(f"({one})" if " " in one else one for one in expressions)
