"""The running interpreter's standard library and every installed distribution, with the licence of each.

The licence of a distribution is read in this order, and where it was read is kept: License-Expression (PEP 639), licence
classifiers, the License field, the licence files. All are needed: of 100 ordinary distributions half declare an expression,
a third a classifier, and some have only a file. What a distribution vendors has licences of its own and is left out, and so
are distributions that are installed for editing: they are folders.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import sysconfig
from collections.abc import Iterator
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import cast

from corpora.code import license as licenses
from corpora.code.license_texts import from_license_texts
from corpora.sources import Repository, digest, is_license_file
from corpora.sources.beneath import read_beneath, walk
from corpora.sources.nearest import MAXIMUM_LICENSE_BYTES

SOURCE = "installed"
_LIBRARY = "python"
_NOT_LIBRARY = re.compile(
    r"^(site-packages|dist-packages|test|idlelib/idle_test|lib2to3|ensurepip/_bundled)/|/tests?/|^config-"
)
"""Folders of the standard library that are not read: tests, grammars, wheels, build settings of this machine."""
_VENDORED = re.compile(r"(^|/)_?(vendor|vendored|vendors|third_party|extern|bundled)/")


def repositories() -> Iterator[Repository]:
    """List the standard library, then the distributions by name."""
    yield _standard_library()
    for distribution in _distributions():
        yield _repository(distribution)


def inventory() -> dict[str, str]:
    """Digest what is installed: the sizes of the standard library's files, the RECORD of each distribution.

    Compiled files and scripts are left out: they appear with the first import, or hold this machine's paths.
    """
    root, files = _library_files()
    found = {_LIBRARY: digest(platform.python_version(), *(f"{file} {(root / file).stat().st_size}" for file in files))}
    for distribution in _distributions():
        record = distribution.read_text("RECORD") or ""
        lines = sorted(line for line in record.splitlines() if ".pyc," not in line and not line.startswith("../"))
        found[_name(distribution)] = digest(distribution.version, *lines)
    return {SOURCE: digest(*(f"{name}={value}" for name, value in sorted(found.items())))}


def _distributions() -> list[importlib.metadata.Distribution]:
    """List what is installed, each name once, in order of names; the first on the path wins, as in an import."""
    found: dict[str, importlib.metadata.Distribution] = {}
    for distribution in importlib.metadata.distributions():
        if distribution.metadata["Name"] and not _is_editable(distribution):
            found.setdefault(_name(distribution), distribution)
    return [found[name] for name in sorted(found)]


def _is_editable(distribution: importlib.metadata.Distribution) -> bool:
    origin = distribution.read_text("direct_url.json")  # PEP 610
    return bool(origin and json.loads(origin).get("dir_info", {}).get("editable"))


def _name(distribution: importlib.metadata.Distribution) -> str:
    return re.sub(r"[-_.]+", "-", str(distribution.metadata["Name"])).lower()  # PEP 503


def _library_files() -> tuple[Path, tuple[str, ...]]:
    root = Path(sysconfig.get_path("stdlib")).resolve()
    suffixes = (".py", ".pyi", ".txt", ".rst")
    return root, tuple(file for file in walk(root) if file.endswith(suffixes) and not _NOT_LIBRARY.search(file))


def _standard_library() -> Repository:
    root, files = _library_files()
    return Repository(
        name=_LIBRARY,
        source=SOURCE,
        revision=platform.python_version(),
        root=str(root),
        files=files,
        license="PSF-2.0",
        license_evidence="the licence of CPython",
    )


def _repository(distribution: importlib.metadata.Distribution) -> Repository:
    root = Path(str(distribution.locate_file(""))).resolve()
    files = sorted(str(PurePosixPath(file)) for file in distribution.files or () if ".." not in file.parts)
    expression, evidence = _license(distribution, root, files)
    return Repository(
        name=_name(distribution),
        source=SOURCE,
        revision=distribution.version,
        root=str(root),
        files=tuple(file for file in files if not file.endswith(".pyc") and not _VENDORED.search(file)),
        license=expression,
        license_evidence=evidence,
    )


def _license(distribution: importlib.metadata.Distribution, root: Path, files: list[str]) -> tuple[str, str]:
    metadata = cast("Message", distribution.metadata)  # what it is; importlib.metadata's own protocol promises less
    if expression := licenses.normalize(metadata.get("License-Expression") or ""):
        return expression, "License-Expression"
    if expression := licenses.from_classifiers(metadata.get_all("Classifier") or []):
        return expression, "classifiers"
    if expression := licenses.from_free_text(metadata.get("License") or ""):
        return expression, "License field"
    found = [file for file in files if _is_own_license(file) and (root / file).is_file()]
    if said := from_license_texts(read_beneath(root, found, MAXIMUM_LICENSE_BYTES)):
        return said
    return licenses.UNKNOWN, "no expression, classifier, field or licence file"


def _is_own_license(file: str) -> bool:
    """Whether this is a licence file of the distribution itself: in its .dist-info, not in a folder of a third party."""
    folder = file.rpartition("/")[0].removesuffix("/licenses")
    return folder.endswith(".dist-info") and "/" not in folder and is_license_file(file)
