"""One work list to one shard: the files of its repositories are read, licensed and decoded, or rejected with a reason.

Reasons: `license_not_allowed` (of the whole repository, then with an empty path, or of a file), `file_bytes`, `empty`,
`binary`, `not_utf8`, `outside` (a link leads out of the repository), `unreadable`, `language` (of a name that several
languages share, and the content is in none that is read). Text is UTF-8 without byte order mark
and with Unix line ends; nothing else is changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora import records, shards
from corpora.code import languages, license_files, optout
from corpora.code import license as licenses
from corpora.collect import DESCRIPTION, CollectCodeConfig, CollectConfig, Entry, entry_of
from corpora.sources import Repository, digest, nearest_license

_CONTROL_FRACTION = 0.02
"""Share of control characters above which a file that decodes is still binary; ours."""
_CONTROL = {code: None for code in range(32) if chr(code) not in "\t\n\r\f\x1b"}


def collect_shard(worklist: Path, out: Path, config: CollectConfig, domain: str) -> dict[str, int]:
    """Read the repositories of one shard; a shard that a killed run finished is taken as it is."""
    name = worklist.stem
    kept_path, rejected_path = out / "kept" / name, out / "rejected" / name
    if not kept_path.exists():
        rows = [row for value in shards.read_json(worklist) for row in _read_entry(entry_of(value), config, domain)]
        shards.write(rejected_path, [row for row in rows if "reason" in row], records.REJECTION)
        shards.write(kept_path, [row for row in rows if "reason" not in row], records.DOCUMENT)
    texts = shards.read(kept_path, records.DOCUMENT, columns=["text"])["text"].to_pylist()
    size = sum(len(text.encode()) for text in texts)
    return {"kept": len(texts), "rejected": shards.num_rows(rejected_path), "bytes": size}


def _read_entry(entry: Entry, config: CollectConfig, domain: str) -> Iterator[dict[str, Any]]:
    repository = entry.repository
    where = {"source": repository.source, "repository": repository.name}
    if not entry.permitted:
        name = digest(repository.source, repository.name, repository.revision)
        refusal = _refusal(repository.license, repository.license_evidence)
        if entry.opt_out is not None:
            refusal = {"reason": optout.REASON, "evidence": entry.opt_out}
        yield {**where, "id": name, "path": "", **refusal}
    for file in repository.files:
        name = digest(repository.source, repository.name, repository.revision, file)
        yield {**where, "id": name, "path": file, **_read_file(entry, file, config, domain)}


def _read_file(entry: Entry, file: str, config: CollectConfig, domain: str) -> dict[str, Any]:
    """Read the columns of a document that depend on its file, or those of its rejection."""
    repository = entry.repository
    root, path = Path(repository.root), repository.path(file)
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        return {"reason": "outside", "evidence": os.path.realpath(path)}
    text = read_text(path, config.max_file_bytes)
    if isinstance(text, dict):
        return text
    if file.endswith(DESCRIPTION):
        text = text.partition("\n\n")[2]
        if not text.strip():
            return {"reason": "empty", "value": 0.0, "bound": 1.0, "evidence": "no description"}
    language = languages.detect(file, text) if domain == records.CODE else "English"
    if isinstance(config, CollectCodeConfig) and language not in config.languages:
        return {"reason": "language", "evidence": language or "unknown"}
    expression, evidence = _license(repository, file, text, domain)
    if not licenses.allowed(expression, config.licenses):
        return _refusal(expression, evidence)
    return {
        "text": text,
        "revision": repository.revision,
        "language": language,
        "license": expression,
        "license_evidence": evidence,
        "date": repository.date,
        "domain": domain,
        "split": entry.split,
    }


def _license(repository: Repository, file: str, text: str, domain: str) -> tuple[str, str]:
    """Decide the licence of a file: its SPDX tag, else the nearest licence file, else that of the repository.

    What the head of a source file grants in words is asked for as well.
    """
    if tag := licenses.spdx_tag(text):
        return licenses.normalize(tag) or tag, "SPDX-License-Identifier"
    nearest = None if file.endswith(DESCRIPTION) else nearest_license(Path(repository.root), file)
    expression, evidence = nearest or (repository.license, repository.license_evidence)
    header = license_files.from_header(text) if domain == records.CODE else licenses.UNKNOWN
    if not header or license_files.combine(expression, header) == expression:
        return expression, evidence
    return license_files.combine(header, expression) or header, f"header; {evidence}"


def _refusal(expression: str, evidence: str) -> dict[str, Any]:
    return {"reason": "license_not_allowed", "evidence": f"{expression or 'unknown'} ({evidence})"}


def read_text(path: Path, max_bytes: int) -> str | dict[str, Any]:
    """Read a file as text with Unix line ends, or say why it is none: reason, value and bound."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= max_bytes else b""
    except OSError as error:
        return {"reason": "unreadable", "evidence": error.strerror or str(error)}
    if size > max_bytes:
        return {"reason": "file_bytes", "value": float(size), "bound": float(max_bytes)}
    if b"\x00" in data:
        return {"reason": "binary", "value": float(data.count(b"\x00")), "bound": 0.0, "evidence": "null bytes"}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        evidence = f"byte {data[error.start]:#04x} at {error.start}"
        return {"reason": "not_utf8", "value": float(error.start), "evidence": evidence}
    if not text.strip():
        return {"reason": "empty", "value": float(len(data)), "bound": 1.0}
    control = (len(text) - len(text.translate(_CONTROL))) / len(text)
    if control > _CONTROL_FRACTION:
        return {"reason": "binary", "value": control, "bound": _CONTROL_FRACTION, "evidence": "control characters"}
    return text.replace("\r\n", "\n").replace("\r", "\n")
