"""Second and third pass over tables: the chosen rows of each input become documents or rejections, then each shard is gathered.

An input's rows lie in one Arrow file, cut by shard, with an index beside it that is written last: a file that was read is not
read again. A shard takes its pieces of all inputs and its folders, and sorts them by place of the repository, path and
revision: the same bytes whatever the number and order of inputs and rows, and of workers. In memory are some megabytes of
an input, and one shard.

Reasons beside those of `read`: `no_text` (the cell is empty), `content_missing` (the store of contents lacks it), `duplicate_id`
(source, repository, revision and path of an earlier row), `no_repository`, `file_name`, and of JSON lines `not_json`,
`wrong_type`, `line_bytes`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import records, shards
from corpora.code import languages, optout
from corpora.collect import CollectCodeConfig, CollectConfig
from corpora.sources import Repository, contents, digest, is_name, read, shown, tables
from corpora.sources.catalog import Dataset
from corpora.sources.chosen import CUTS, PLAN
from corpora.sources.commits import commit_text
from corpora.sources.narrow import judge, language_of, schema
from corpora.sources.tables import Input, input_of

if TYPE_CHECKING:
    import pyarrow as pa

_FLUSH_BYTES = 32 << 20
_FLUSH_ROWS = 16_384
_MAXIMUM_STARS = (1 << 31) - 1


def spilled() -> pa.Schema:
    """Columns of documents and rejections together, and what orders them."""
    import pyarrow as pa

    large = [pa.field(one.name, pa.large_string() if one.name == "text" else one.type) for one in records.DOCUMENT]
    more = [one for one in records.REJECTION if one.name not in records.DOCUMENT.names]
    return pa.schema([("place", pa.string()), *large, *more])


def scatter(worklist: Path, out: Path, config: CollectConfig, opt_outs: frozenset[str]) -> list[int]:
    """Write the chosen rows of one input, cut by shard; give the shards that it has rows of."""
    index_path, spill = out / "spill" / f"{worklist.stem}.json", out / "spill" / f"{worklist.stem}.arrow"
    if not index_path.exists():
        index: dict[int, list[int]] = {}
        source = input_of(shards.read_json(worklist))
        plan = shards.read(out / "plan" / f"{worklist.stem}.parquet", schema(PLAN))
        rows = _rows(source, plan, _cuts(out, source, plan), config, opt_outs)
        shards.replace(spill, lambda temporary: _write(temporary, rows, index))
        shards.write_json(index_path, index)
    return sorted(int(shard) for shard in shards.read_json(index_path))


def _write(path: Path, rows: Iterator[tuple[int, dict[str, Any]]], index: dict[int, list[int]]) -> None:
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, spilled(), options=options) as writer:
        batches = itertools.count()
        held: list[tuple[int, dict[str, Any]]] = []
        size = 0
        for shard, row in itertools.chain(rows, [(-1, {})]):
            if shard >= 0:
                held.append((shard, row))
                size += len(row.get("text") or "")
            if size > _FLUSH_BYTES or len(held) >= _FLUSH_ROWS or shard < 0:
                held.sort(key=lambda one: one[0])
                for piece, group in itertools.groupby(held, key=lambda one: one[0]):
                    writer.write_batch(pa.RecordBatch.from_pylist([one for _, one in group], spilled()))
                    index.setdefault(piece, []).append(next(batches))
                held, size = [], 0


def _cuts(out: Path, source: Input, plan: pa.Table) -> frozenset[tuple[str, str, str]]:
    """Read which rows are chosen of the repositories that do not fit, of those that this input has rows of."""
    import pyarrow.compute as pc

    mine = plan.filter(pc.equal(plan["cut"], 1))["repository"]
    if not len(mine):
        return frozenset()
    table = shards.read(out / "cuts.parquet", schema(CUTS))
    asked = pc.and_(pc.equal(table["source"], source.dataset.name), pc.is_in(table["repository"], mine))
    return frozenset((row["repository"], row["path"], row["revision"]) for row in table.filter(asked).to_pylist())


def _rows(
    source: Input,
    plan: pa.Table,
    cuts: frozenset[tuple[str, str, str]],
    config: CollectConfig,
    opt_outs: frozenset[str],
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the rows of one input that its plan asks for, each with its shard."""
    import pyarrow.compute as pc

    names = plan["repository"]
    shard, heldout, cut = (plan[name].to_pylist() for name in ("shard", "heldout", "cut"))

    def judged(batch: pa.Table) -> pa.Table:
        batch = judge(batch, source.dataset, config, opt_outs)
        batch = batch.append_column("planned", pc.index_in(batch["repository"], names))
        asked = pc.and_(batch["wanted"], pc.or_(pc.is_valid(batch["planned"]), pc.is_valid(batch["opt_out"])))
        return batch.filter(pc.or_(asked, pc.invert(batch["sound"])))

    every = (*tables.NARROW, *tables.WIDE, "content")
    fetch = contents.address(source.dataset.contents) if source.dataset.columns.content else ""
    for batch in tables.batches(source, every, config.max_file_bytes, keep=lambda one: len(judged(one))):
        rows = judged(batch).to_pylist()
        kept = [row for row in rows if row["planned"] is None or not cut[row["planned"]] or _is_cut_in(row, cuts)]
        found = _contents(fetch, kept, config) if fetch else itertools.repeat(None)
        for row, content in zip(kept, found, strict=False):
            planned = row["planned"]
            split = records.HELDOUT if planned is not None and heldout[planned] else records.TRAIN
            value = _row(source, row, content, split, config)
            yield shard[planned] if planned is not None else int(value["place"], 16) * config.num_shards >> 128, value


def _is_cut_in(row: dict[str, Any], cuts: frozenset[tuple[str, str, str]]) -> bool:
    """Whether a row of a repository that does not fit is read: it was chosen, or is only rejected, which costs nothing."""
    return not row["cost"] or (row["repository"], row["path"], row["revision"]) in cuts


def _contents(place: str, rows: list[dict[str, Any]], config: CollectConfig) -> list[contents.Content | None]:
    """Fetch the texts that rows name, but for those that are rejected before they are looked at."""
    most = config.max_file_bytes
    asked = [row for row in rows if row["counted"] and row["opt_out"] is None and row["bytes"] <= most]
    found = dict(zip(map(id, asked), contents.fetch(place, [row["content"] for row in asked], most), strict=True))
    large: dict[str, Any] = {"reason": "file_bytes", "bound": float(most)}
    return [found.get(id(row), large | {"value": float(row["bytes"])} if row["counted"] else None) for row in rows]


def _row(
    source: Input, row: dict[str, Any], content: contents.Content | None, split: str, config: CollectConfig
) -> dict[str, Any]:
    """Make a document or a rejection of one row."""
    dataset = source.dataset
    name = row["repository"] if row["repository"] is not None else ""
    path, revision = row["path"], row["revision"]
    columns = _refused(source, row) or _document(source, row, content, config)
    if row["opt_out"] is not None:
        path, revision = "", ""
        columns = {"reason": optout.REASON, "evidence": row["opt_out"]}
    parts = (dataset.name, name, revision, *([path] if path else ()))
    return {
        "place": digest("shard", dataset.name, name),
        "id": digest(*parts),
        "source": dataset.name,
        "repository": shown(name),
        "path": shown(path),
        "revision": revision,
        "stars": None if row.get("stars") is None else max(0, min(row["stars"], _MAXIMUM_STARS)),
        "date": row.get("date"),
        "split": split,
        **columns,
    }


def _refused(source: Input, row: dict[str, Any]) -> dict[str, Any] | None:
    """Say why a row is not looked at."""
    where = f"{source.path}:{row['row']}"
    if row["problem"]:
        return {
            "reason": row["problem"],
            "path": where,
            "id": digest(source.dataset.name, where),
            "evidence": row["evidence"],
        }
    if row["repository"] is None:
        return {"reason": "no_repository", "path": where, "id": digest(source.dataset.name, where)}
    for name in ("repository", "path"):
        if not is_name(row[name]):
            return {"reason": "file_name", "evidence": f"{name} of {where}"}
    return None


def _document(
    source: Input, row: dict[str, Any], content: contents.Content | None, config: CollectConfig
) -> dict[str, Any]:
    dataset = source.dataset
    if not row["counted"]:
        return {"reason": "license_not_allowed", "evidence": f"{row['expression'] or 'unknown'} ({dataset.evidence})"}
    data = content if content is not None else row.get("text")
    if data is None:
        return {"reason": "no_text"}
    text = data if isinstance(data, dict) else _text(data, config.max_file_bytes)
    found = text if isinstance(text, dict) else _read_as(dataset, row, text, config)
    if isinstance(found, dict):
        return found
    domain, language, whole = found
    repository = Repository(
        name=row["repository"],
        source=dataset.name,
        revision=row["revision"],
        root="",
        files=(),
        license=row["expression"],
        license_evidence=dataset.evidence,
    )
    head = records.CODE if domain == records.COMMITS else domain
    columns = read.licensed(repository, row["path"], str(text), head, config, lambda _: None)
    return columns if "reason" in columns else {"text": whole, "language": language, "domain": domain, **columns}


def _text(data: bytes, max_bytes: int) -> str | dict[str, Any]:
    if len(data) > max_bytes:
        return {"reason": "file_bytes", "value": float(len(data)), "bound": float(max_bytes)}
    return read.decode(data)


def _read_as(
    dataset: Dataset, row: dict[str, Any], text: str, config: CollectConfig
) -> tuple[str, str, str] | dict[str, Any]:
    """Give domain, language and whole text of a row; or why it is not read."""
    if not isinstance(config, CollectCodeConfig):
        return records.TEXT, "English", text
    if dataset.domain == records.CODE and dataset.columns.path:
        return read.domain_and_language(row["path"], text, config)
    named = language_of(row.get("language") or "", dataset)
    by_path = dataset.columns.path and dataset.domain != records.ISSUES  # whose paths are numbers
    language = languages.detect(row["path"], text) if by_path else named
    if dataset.domain not in (records.CODE, records.COMMITS):
        return dataset.domain, language or "Text", text
    if language not in config.languages:
        return {"reason": "language", "evidence": language or "unknown"}
    return (dataset.domain, language, text) if dataset.domain == records.CODE else _commit(row, text, language, config)


def _commit(
    row: dict[str, Any], after: str, language: str, config: CollectConfig
) -> tuple[str, str, str] | dict[str, Any]:
    before, message = (
        _text(row[name], config.max_file_bytes) if row[name] and row[name].strip() else ""
        for name in ("before", "message")
    )
    if isinstance(before, dict):
        return {**before, "evidence": f"before: {before.get('evidence', '')}"}
    if isinstance(message, dict):
        return {**message, "evidence": f"message: {message.get('evidence', '')}"}
    return records.COMMITS, language, commit_text(before, message.strip(), after)
