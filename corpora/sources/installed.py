"""The running interpreter's standard library and every installed distribution, with the licence of each.

The licence of a distribution is read in this order, and where it was read is kept: License-Expression (PEP 639), a licence
classifier, the License field, the text of a licence file. All are needed: of 100 ordinary distributions about half declare
an expression, and some have only a file. Distributions that are installed for editing are skipped: they are folders.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sysconfig
from collections.abc import Iterator
from email.message import Message
from pathlib import Path, PurePosixPath
from typing import cast

from corpora.code import license as licenses
from corpora.sources import Repository, digest, is_license_file, walk

SOURCE = "installed"
_LIBRARY = "python"
_SKIPPED_LIBRARY_FOLDERS = ("site-packages/", "test/", "idlelib/idle_test/", "lib2to3/tests/", "ensurepip/_bundled/")
_MAXIMUM_LICENSE_BYTES = 200_000


def repositories() -> Iterator[Repository]:
    """List the standard library, then the distributions by name."""
    yield _standard_library()
    for distribution in _distributions():
        yield _repository(distribution)


def inventory() -> dict[str, str]:
    """Digest what is installed: the RECORD of each distribution without its compiled files, the interpreter's version."""
    found = {_LIBRARY: platform.python_version()}
    for distribution in _distributions():
        record = distribution.read_text("RECORD") or ""
        lines = sorted(line for line in record.splitlines() if ".pyc," not in line and not line.startswith("../"))
        found[_name(distribution)] = digest(distribution.version, *lines)
    return {SOURCE: digest(*(f"{name}={value}" for name, value in sorted(found.items())))}


def _distributions() -> list[importlib.metadata.Distribution]:
    """List what is installed, each name once, in order of names; the first on the path wins, as in an import."""
    found: dict[str, importlib.metadata.Distribution] = {}
    for distribution in importlib.metadata.distributions():
        if distribution.read_text("direct_url.json") is None and distribution.files:
            found.setdefault(_name(distribution), distribution)
    return [found[name] for name in sorted(found)]


def _name(distribution: importlib.metadata.Distribution) -> str:
    return str(distribution.metadata["Name"]).lower().replace("_", "-")


def _message(distribution: importlib.metadata.Distribution) -> Message:
    """The metadata as the mail message that it is; the type that `importlib.metadata` declares promises less."""
    return cast("Message", distribution.metadata)


def _standard_library() -> Repository:
    root = Path(sysconfig.get_path("stdlib"))
    files = tuple(file for file in walk(root) if not file.startswith(_SKIPPED_LIBRARY_FOLDERS) and "/test/" not in file)
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
        files=tuple(file for file in files if not file.endswith(".pyc")),
        license=expression,
        license_evidence=evidence,
    )


def _license(distribution: importlib.metadata.Distribution, root: Path, files: list[str]) -> tuple[str, str]:
    metadata = _message(distribution)
    if expression := metadata.get("License-Expression"):
        return expression, "License-Expression"
    if expression := licenses.from_classifiers(metadata.get_all("Classifier") or []):
        return expression, "classifiers"
    if expression := licenses.from_free_text(metadata.get("License") or ""):
        return expression, "License field"
    for file in files:
        if ".dist-info/" in file and is_license_file(file):
            path = root / file
            if path.is_file() and path.stat().st_size <= _MAXIMUM_LICENSE_BYTES:
                expression = licenses.from_license_text(path.read_text(encoding="utf-8", errors="replace"))
                if expression:
                    return expression, file
    return licenses.UNKNOWN, "no expression, classifier, field or licence text"
