"""Decontamination, looked at and undone: what a row was dropped for, and what another config would drop.

`python -m corpora.decontaminate explain FOLDER ID` shows a row of the data beside the benchmark item that it holds;
`python -m corpora.decontaminate compare FOLDER --set boilerplate_documents=3` names the rows that would return and those that
would go. FOLDER is the output of a Decontaminate stage: its manifest names the input and the config, its ledger the rows. Nothing
is written. `explain` reads one row; `compare` searches the whole input again, at the speed of the stage.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, benchmarks, ledger, overlaps, records, shards
from corpora.benchmarks.files import BenchmarkFile, BenchmarkFiles
from corpora.benchmarks.texts import texts_of

if TYPE_CHECKING:
    from corpora.decontaminate import DecontaminateConfig, Pass

_INPUTS = ("documents", "conversations", "problems")
_LINES = 12


def explain(folder: Path, name: str, files: BenchmarkFiles, lines: int = _LINES) -> str:
    """Show each entry of the ledger about a row: the place in its text, and the text of the benchmark's field."""
    import pyarrow.parquet as pq

    path = folder / "ledger.parquet"
    if not path.is_file():
        raise SchemaError(f"{folder} has no ledger.parquet; wanted the output of a Decontaminate stage")
    entries = pq.read_table(path, filters=[("id", "=", name)]).to_pylist()
    if not entries:
        raise SchemaError(f"{path} has no row for {name!r}: nothing of a benchmark was counted in it")
    text, config = _text(folder, name), _config(folder)
    return "\n\n".join(_entry(entry, text, _item(entry, config, files), lines) for entry in entries)


def compare(folder: Path, changes: Mapping[str, Any], files: BenchmarkFiles) -> tuple[list[str], list[str]]:
    """Give the rows that return and those that go with a changed config."""
    from corpora.decontaminate import Pass

    kind, source = _input(folder)
    if kind == "problems":
        raise ValueError(f"{folder} is of math problems; compare reads documents and conversations")
    config = replace(config_of(_config(folder)), **changes)
    now = {entry["id"] for entry in _ledger(folder) if entry["decision"].startswith(ledger.DROPPED)}
    then = set(_dropped(source, Pass(kind, config, files)))
    return sorted(now - then), sorted(then - now)


def config_of(value: Mapping[str, Any]) -> DecontaminateConfig:
    """Make a config from the JSON of a manifest."""
    from corpora.decontaminate import DecontaminateConfig

    plain: dict[str, Any] = {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}
    return DecontaminateConfig(**plain | {"files": tuple(BenchmarkFile(**file) for file in value.get("files", ()))})


def _dropped(source: Path, given: Pass) -> Iterator[str]:
    """Decide as the stage does, without writing: hits of all shards first, since what is ordinary is known at the end."""
    from corpora.decontaminate import find, index_of

    holders: Counter[int] = Counter()
    found: list[tuple[str, list[overlaps.Span]]] = []
    for path in shards.shard_paths(source / "kept"):
        table = shards.read(path, given.schema())
        ids, splits = table["id"].to_pylist(), table["split"].to_pylist() if given.kind == "documents" else None
        for row, hits in groupby(find(table, given), key=lambda hit: hit.text):
            spans = [(hit.gram, hit.start, hit.end) for hit in hits]
            found.append((ids[row], spans))
            if splits is None or splits[row] == records.TRAIN:
                holders.update({gram for gram, _, _ in spans})
    ordinary = frozenset(gram for gram, count in holders.items() if count > given.config.boilerplate_documents)
    index, _ = index_of(given)
    return (name for name, spans in found if overlaps.judge(index, spans, ordinary, given.config))


def _ledger(folder: Path) -> list[ledger.Row]:
    rows: list[ledger.Row] = shards.read(folder / "ledger.parquet", records.LEDGER).to_pylist()
    return rows


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = shards.read_json(folder / "manifest.json")["identity"]["config"]
    return config


def _input(folder: Path) -> tuple[str, Path]:
    """Give the kind of a stage's rows and the folder that it read."""
    inputs = shards.read_json(folder / "manifest.json")["inputs"]
    for kind in _INPUTS:
        if kind in inputs:
            return kind, folder.absolute().parent.parent / inputs[kind]
    raise SchemaError(
        f"{folder / 'manifest.json'} names no input of {', '.join(_INPUTS)}; is it a Decontaminate stage?"
    )


def _text(folder: Path, name: str) -> str:
    """Read what was searched of one row, out of the stage's input."""
    import pyarrow.parquet as pq

    kind, source = _input(folder)
    columns = {"documents": ["text"], "conversations": ["messages", "tests"], "problems": ["question"]}[kind]
    for path in shards.shard_paths(source / "kept"):
        for row in pq.read_table(path, columns=["id", *columns], filters=[("id", "=", name)]).to_pylist():
            if kind == "conversations":
                return "\n".join([*(message["content"] for message in row["messages"]), row["tests"] or ""])
            return str(row[columns[0]])
    raise SchemaError(f"{source} has no row {name!r}, though the ledger of {folder} does; was the input made anew?")


def _item(entry: ledger.Row, config: Mapping[str, Any], files: BenchmarkFiles) -> str:
    """Give the text of the benchmark field that an entry names."""
    own = {file["name"]: BenchmarkFile(**file) for file in config.get("files", ())}
    name = entry["benchmark"]
    wanted = [split.split(":") for split in config["benchmarks"] if split.split(":")[0] == name]
    found = files.load(own[name]) if name in own else [p for pair in wanted for p in benchmarks.load(*pair)]
    for problem in found:
        if problem.id == entry["problem"]:
            return texts_of(problem).get(entry["field"]) or problem.question or problem.prompt
    raise SchemaError(
        f"benchmark {name} has no problem {entry['problem']}; was it changed since the ledger was written?"
    )


def _entry(entry: ledger.Row, text: str, item: str, lines: int) -> str:
    start, end = entry["offset"], entry["offset"] + entry["length"]
    first, last = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    title = f"{entry['benchmark']} {entry['problem']}, {entry['field']}: {entry['rule']}, {entry['share']:.0%} of it; "
    place = f"--- the row, lines {first} to {last}, characters {start} to {end}"
    return "\n".join(
        [title + entry["decision"], place, _shown(text[start:end], lines), "--- the benchmark", _shown(item, lines)]
    )


def _shown(text: str, lines: int) -> str:
    """Give the first lines of a text; control characters are escaped, so that it cannot write to the terminal."""
    all_lines = text.strip("\n").split("\n")
    rest = [f"    ... {len(all_lines) - lines} more lines"] if len(all_lines) > lines else []
    printable = (
        "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line) for line in all_lines[:lines]
    )
    return "\n".join([*(f"    {line}" for line in printable), *rest])


def _changes(settings: Sequence[str]) -> dict[str, Any]:
    """Read `field=value`; names of benchmarks are separated by commas."""
    from corpora.decontaminate import DecontaminateConfig

    changes: dict[str, Any] = {}
    known = {field.name for field in fields(DecontaminateConfig)} - {"files"}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known or not value:
            raise ValueError(f"--set takes field=value, with a field of {', '.join(sorted(known))}; got {setting!r}")
        changes[name] = tuple(value.split(",")) if name == "benchmarks" else _number(name, value)
    return changes


def _number(name: str, value: str) -> float:
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        raise ValueError(f"--set {name} takes a number, got {value!r}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a wrong folder, row or setting is one line on the error output."""
    parser = argparse.ArgumentParser(prog="python -m corpora.decontaminate", description="Look at a decontamination.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (("explain", "show what a row was dropped for"), ("compare", "try another config")):
        sub = commands.add_parser(command, help=text)
        sub.add_argument(
            "folder", type=Path, help="output of a Decontaminate stage, as DecontaminateCorpus/11ae1e7f7c02"
        )
        sub.add_argument("--file", action="append", default=[], metavar="NAME=PATH", help="where a benchmark file lies")
    commands.choices["explain"].add_argument("id", help="id of a row, as in rejected/ and ledger.parquet")
    commands.choices["explain"].add_argument("--lines", type=int, default=_LINES, help=f"lines shown ({_LINES})")
    commands.choices["compare"].add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    options = parser.parse_args(arguments)
    files = BenchmarkFiles(tuple(tuple(given.partition("=")[::2]) for given in options.file))
    try:
        if options.command == "explain":
            print(explain(options.folder, options.id, files, options.lines))
        else:
            returned, gone = compare(options.folder, _changes(options.set), files)
            print("\n".join([*(f"returns {name}" for name in returned), *(f"goes    {name}" for name in gone)]))
            print(f"{len(returned)} return, {len(gone)} go", file=sys.stderr)
    except (SchemaError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
