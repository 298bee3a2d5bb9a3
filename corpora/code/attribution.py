"""Whose work a model was trained on: every repository with its licence, commit, counts and copyright lines.

Read from the documents that are tokenised, after every filter, so that what is listed is what was trained on and no more;
held-out repositories are not listed. attribution.parquet has a row for each repository, revision and licence, in that
order; NOTICE.md says the same for people and travels with the weights. Copyright lines are those at the head of the files;
a repository may say more in its own licence file, which the evidence names. Memory: one row a repository.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from corpora import records, shards
from corpora.engine import Engine

_NOTICES = 50
"""Copyright lines that are listed of one repository; all are counted."""
_COLUMNS = ["source", "repository", "revision", "license", "license_evidence", "text", "split"]
_KEY = ("source", "repository", "revision", "license")

_Groups = dict[tuple[str, ...], dict[str, Any]]


def write_attribution(out: Path, *, documents: Path, text: Path, engine: Engine) -> dict[str, object]:
    """Write attribution.parquet and NOTICE.md of the code and the replay text that are trained on."""
    groups: _Groups = {}
    for name, folder in (("documents", documents), ("text", text)):
        parts = engine.map_shards(_count_shard, shards.shard_paths(folder / "kept"), out / "parts" / name)
        for part in parts:
            _add(groups, (((*row["key"],), row["value"]) for row in shards.read_json(Path(part))))
    rows = [_row(key, groups[key]) for key in sorted(groups)]
    shards.write(out / "attribution.parquet", rows, records.ATTRIBUTION)
    shards.replace(out / "NOTICE.md", lambda path: path.write_text("\n".join(_notice(rows)) + "\n", encoding="utf-8"))
    shutil.rmtree(out / "parts", ignore_errors=True)
    return {
        "repositories": len({row["repository"] for row in rows}),
        "files": sum(row["files"] for row in rows),
        "bytes": sum(row["bytes"] for row in rows),
        "licenses": dict(sorted(Counter(row["license"] for row in rows).items())),
    }


def _count_shard(path: Path, out: Path) -> str:
    """Count one shard into a JSON file, and give its path; a finished one is taken as it is."""
    from corpora.code.headers import copyright_notices

    target = out / f"{path.stem}.json"
    if not target.exists():
        groups: _Groups = {}
        table = shards.read(path, records.DOCUMENT, columns=_COLUMNS)
        for document in (row for batch in table.to_batches(max_chunksize=256) for row in batch.to_pylist()):
            if document["split"] == records.TRAIN:
                body = document["text"].encode()
                value = _value(document["license_evidence"], len(body), copyright_notices(body))
                _add(groups, [(tuple(document[name] or "" for name in _KEY), value)])
        shards.write_json(target, [{"key": list(key), "value": groups[key]} for key in sorted(groups)])
    return str(target)


def _value(evidence: str | None, size: int, notices: list[str]) -> dict[str, Any]:
    return {"files": 1, "bytes": size, "evidence": {evidence or "": 1}, "notices": dict.fromkeys(notices, 1)}


def _add(groups: _Groups, more: Iterable[tuple[tuple[str, ...], dict[str, Any]]]) -> None:
    """Add counts to groups, in place."""
    for key, value in more:
        group = groups.setdefault(key, {"files": 0, "bytes": 0, "evidence": {}, "notices": {}})
        for name in ("files", "bytes"):
            group[name] += value[name]
        for name in ("evidence", "notices"):
            for entry, count in value[name].items():
                group[name][entry] = group[name].get(entry, 0) + count


def _row(key: tuple[str, ...], group: dict[str, Any]) -> dict[str, Any]:
    notices = sorted(group["notices"], key=lambda one: (-group["notices"][one], one))
    evidence = sorted(group["evidence"], key=lambda one: (-group["evidence"][one], one))
    return {
        **dict(zip(_KEY, key, strict=True)),
        "files": group["files"],
        "bytes": group["bytes"],
        "license_evidence": evidence[0],
        "notices": notices[:_NOTICES],
        "num_notices": len(notices),
    }


def _notice(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Write the rows for people, by licence."""
    files, repositories = sum(row["files"] for row in rows), len({row["repository"] for row in rows})
    yield f"# Notice\n\nTrained on {files} files of {repositories} repositories, under the licences named here."
    for license_ in sorted({row["license"] for row in rows}):
        yield f"\n## {license_}\n\nTexts: {_addresses(license_)}\n"
        for row in rows:
            if row["license"] == license_:
                yield f"- {_one_line(row)}"
                yield from (f"    - {_escape(notice)}" for notice in row["notices"])
                if row["num_notices"] > len(row["notices"]):
                    yield f"    - and {row['num_notices'] - len(row['notices'])} more copyright lines"


def _one_line(row: dict[str, Any]) -> str:
    revision = f" at {_escape(row['revision'])}" if row["revision"] else ""
    return (
        f"{_escape(row['repository'])}{revision}: {row['files']} files, {row['bytes']} bytes"
        f" (licence read in: {_escape(row['license_evidence'])})"
    )


def _addresses(expression: str) -> str:
    words = [
        word for word in expression.replace("(", " ").replace(")", " ").split() if word not in ("AND", "OR", "WITH")
    ]
    return ", ".join(f"https://spdx.org/licenses/{word}.html" for word in dict.fromkeys(words))


def _escape(text: str) -> str:
    r"""Keep what a repository wrote from being read as markup.

    >>> print(_escape("Jane <b>*Doe*"))
    Jane &lt;b>\*Doe\*
    """
    for mark in "\\`*_[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())
