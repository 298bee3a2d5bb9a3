"""One work list to one shard: the files of its repositories are read, licensed and decoded, or rejected with a reason.

Reasons: `license_not_allowed` (of the whole repository, then with an empty path, or of a file), `file_bytes`, `empty`,
`binary`, `not_utf8`, `unreadable`, `language` (of a name that several languages share, and the content is in none that is
read), and what the listing of a folder, an archive or a checkout refused: `link`, `not_regular`, `outside`, `file_name`,
`duplicate_name`, `encrypted`, `corrupt`, `bomb`, `submodule`, `git`. Text is UTF-8 without byte order mark and with Unix line
ends; nothing else is changed. Rows of a repository lie in the order of their paths, its commits after them.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from corpora import records, shards
from corpora.code import languages, license_files, optout
from corpora.code import license as licenses
from corpora.collect import CollectCodeConfig, CollectConfig
from corpora.sources import Repository, archives, bare, beneath, commits, digest, notebooks
from corpora.sources.nearest import Answer, nearest
from corpora.sources.plan import DESCRIPTION, NOTEBOOK, Entry, entry_of, is_documentation

READERS = {"folder": beneath.contents, "archive": archives.contents, "bare": bare.contents}
"""Kind of a repository and what gives its files, each as bytes or as its rejection."""
_CONTROL_FRACTION = 0.02
"""Share of control characters above which a file that decodes is still binary; ours."""
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""Marks of text in two or four bytes a character."""
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\r\f\x1b")


def collect_shard(worklist: Path, out: Path, config: CollectConfig, domain: str) -> dict[str, int]:
    """Read the repositories of one shard; a shard that a killed run finished is taken as it is."""
    name = worklist.stem
    kept_path, rejected_path = out / "kept" / name, out / "rejected" / name
    if not kept_path.exists():
        rows = [row for value in shards.read_json(worklist) for row in entry_rows(entry_of(value), config, domain)]
        shards.write(rejected_path, [row for row in rows if "reason" in row], records.REJECTION)
        shards.write(kept_path, [row for row in rows if "reason" not in row], records.DOCUMENT)
    return count(kept_path, rejected_path)


def count(kept_path: Path, rejected_path: Path) -> dict[str, int]:
    """Count the rows of one shard, and the bytes of its texts."""
    texts = shards.read(kept_path, records.DOCUMENT, columns=["text"])["text"].to_pylist()
    size = sum(len(text.encode()) for text in texts)
    return {"kept": len(texts), "rejected": shards.num_rows(rejected_path), "bytes": size}


def entry_rows(entry: Entry, config: CollectConfig, domain: str) -> Iterator[dict[str, Any]]:
    """Give the documents and rejections of one repository."""
    repository = entry.repository
    where = {"source": repository.source, "repository": repository.name}

    def row(path: str, columns: dict[str, Any], revision: str = repository.revision) -> dict[str, Any]:
        parts = (repository.source, repository.name, revision, *([path] if path else ()))
        return {**where, "id": digest(*parts), "path": path, **columns}

    if not entry.permitted:
        refusal = _refusal(repository.license, repository.license_evidence)
        if entry.opt_out is not None:
            refusal = {"reason": optout.REASON, "evidence": entry.opt_out}
        yield row("", refusal)
    yield from (row(path, {"reason": reason, "evidence": text}) for path, reason, text in repository.refused)
    look_up = nearest(repository)
    found = READERS[repository.kind](repository, config.max_file_bytes) if repository.files else ()
    rows = [row(file, _read_file(entry, file, data, config, domain, look_up)) for file, data in found]
    yield from sorted(rows, key=lambda one: str(one["path"]))
    if entry.permitted and domain == records.CODE and isinstance(config, CollectCodeConfig):
        yield from _read_commits(entry, config, look_up, row)


def _read_file(
    entry: Entry, file: str, data: bytes | dict[str, Any], config: CollectConfig, domain: str, look_up: _LookUp
) -> dict[str, Any]:
    """Give the columns of a document that depend on its file, or those of its rejection."""
    text = decode(data) if isinstance(data, bytes) else data
    if isinstance(text, dict):
        return text
    if file.endswith(DESCRIPTION):
        text = text.partition("\n\n")[2]
        if not text.strip():
            return {"reason": "empty", "value": 0.0, "bound": 1.0, "evidence": "no description"}
    if isinstance(config, CollectCodeConfig):
        found = domain_and_language(file, text, config)
        if isinstance(found, dict):
            return found
        domain, language, text = found
    else:
        language = "English"
    columns = licensed(entry.repository, file, text, domain, config, look_up)
    return (
        {
            "text": text,
            "revision": entry.repository.revision,
            "language": language,
            "date": entry.repository.date,
            "domain": domain,
            "split": entry.split,
            **columns,
        }
        if "reason" not in columns
        else columns
    )


def domain_and_language(file: str, text: str, config: CollectCodeConfig) -> tuple[str, str, str] | dict[str, Any]:
    """Say what a file is read as, with its text; or why it is not read."""
    if records.DOCUMENTATION in config.domains and is_documentation(file):
        return records.DOCUMENTATION, languages.detect(file, text) or "Text", text
    if config.notebooks and file.endswith(NOTEBOOK):
        found = notebooks.script(text)
        if isinstance(found, dict):
            return found
        language, text = found
        if not text.strip():
            return {"reason": "empty", "value": 0.0, "bound": 1.0, "evidence": "no cells with text"}
    else:
        language = languages.detect(file, text)
    if language not in config.languages:
        return {"reason": "language", "evidence": language or "unknown"}
    return records.CODE, language, text


def _read_commits(
    entry: Entry, config: CollectCodeConfig, look_up: _LookUp, row: Callable[..., dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give the rows of a repository's commits, where the recipe asks for them; a file's licence is that which it has now."""
    repository = entry.repository
    if not config.reads_history(repository):
        return
    for found in commits.changes(
        Path(repository.git),
        repository.revision.removesuffix("-dirty"),
        wanted=lambda file: not languages.possible(file).isdisjoint(config.languages),
        decode=decode,
        max_commits=config.max_commits,
        max_files=config.max_commit_files,
        max_bytes=config.max_commit_bytes,
    ):
        if isinstance(found, tuple):
            commit, refusal = found
            yield row("", refusal | {"evidence": f"{commit} {refusal.get('evidence', '')}".strip()}, commit)
            continue
        language = languages.detect(found.path, found.after)
        columns = licensed(repository, found.path, found.after, records.CODE, config, look_up)
        if language not in config.languages:
            columns = {"reason": "language", "evidence": language or "unknown"}
        kept = {
            "text": found.text,
            "revision": found.commit,
            "language": language,
            "date": found.date,
            "domain": records.COMMITS,
            "split": entry.split,
        }
        yield row(found.path, columns if "reason" in columns else kept | columns, found.commit)


_LookUp = Callable[[str], "Answer | None"]


def licensed(
    repository: Repository, file: str, text: str, domain: str, config: CollectConfig, look_up: _LookUp
) -> dict[str, Any]:
    """Give the licence columns of a file, or its rejection where they are not allowed."""
    expression, evidence = _license(repository, file, text, domain, look_up, config.licenses)
    if not licenses.allowed(expression, config.licenses):
        return _refusal(expression, evidence)
    return {"license": expression, "license_evidence": evidence}


def _license(
    repository: Repository, file: str, text: str, domain: str, look_up: _LookUp, allow: Collection[str]
) -> tuple[str, str]:
    """Decide the licence of a file: its SPDX tag, else the nearest licence file, else that of the repository.

    What the head of a source file grants in words is asked for as well; alone, where it is one of several that lie there.
    """
    if tag := licenses.spdx_tag(text):
        return licenses.normalize(tag) or tag, "SPDX-License-Identifier"
    found = None if file.endswith(DESCRIPTION) else look_up(file)
    expression, evidence = found or (repository.license, repository.license_evidence)
    if domain != records.CODE:
        return expression, evidence
    asked, header = expression, license_files.from_header(text)
    if header and (" OR " in header or license_files.combine(expression, header) != expression):
        asked = license_files.combine(header, expression) or header
    if not licenses.allowed(asked, allow) and (own := license_files.alone(text, expression, allow)):
        return own, f"header, of {evidence}"
    return asked, evidence if asked == expression else f"header; {evidence}"


def _refusal(expression: str, evidence: str) -> dict[str, Any]:
    return {"reason": "license_not_allowed", "evidence": f"{expression or 'unknown'} ({evidence})"}


def read_text(path: Path, max_bytes: int) -> str | dict[str, Any]:
    """Read a file that the user names, through links, as text with Unix line ends, or say why it is none."""
    path = Path(os.path.realpath(path))
    try:
        with beneath.Beneath(path.parent) as below:
            data = below.read(path.name, max_bytes)
    except OSError as error:
        return {"reason": "unreadable", "evidence": error.strerror or str(error)}
    return decode(data) if isinstance(data, bytes) else data


def decode(data: bytes) -> str | dict[str, Any]:
    """Give text with Unix line ends, or say why bytes are none."""
    if data.startswith(_WIDE):
        return {"reason": "not_utf8", "value": 0.0, "evidence": "the byte order mark of UTF-16 or UTF-32"}
    if b"\x00" in data:
        return {"reason": "binary", "value": float(data.count(b"\x00")), "bound": 0.0, "evidence": "null bytes"}
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        evidence = f"byte {data[error.start]:#04x} at {error.start}"
        return {"reason": "not_utf8", "value": float(error.start), "evidence": evidence}
    if not text.strip():
        return {"reason": "empty", "value": float(len(data)), "bound": 1.0}
    control = (len(data) - len(data.translate(None, _CONTROL))) / len(text)  # a byte below 32 is a character of its own
    if control > _CONTROL_FRACTION:
        return {"reason": "binary", "value": control, "bound": _CONTROL_FRACTION, "evidence": "control characters"}
    return text.replace("\r\n", "\n").replace("\r", "\n")
