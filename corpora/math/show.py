"""`python -m corpora.math show N`: rows of a math dataset with their evidence, and packs as the model sees them.

Rows are taken in the order of a digest, so the same N are shown each time and are of all kinds. Of a pack, what is learned is
in colour; where there is no colour (a pipe, NO_COLOR) it stands between ⟦ and ⟧. Texts are hostile: control characters are
escaped, and nothing is read as markup. Folders are those of WriteMathData and PackMath, by default the newest of `runs`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora import SchemaError, records, shards
from corpora.math import card, rows

if TYPE_CHECKING:
    from rich.console import Console

DATASET, PACKS = "WriteMathData", "PackMath"
_SPANS = {True: "bold green", False: "dim"}
_COLUMNS = ("kind", "verdict", "evidence", "source", "license", "id")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a wrong folder or setting is one line on the error output."""
    parser = argparse.ArgumentParser(prog="python -m corpora.math", description="Look at math data.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="show rows with their evidence, and packs with what is learned of them")
    show.add_argument("count", type=int, metavar="N", nargs="?", default=5, help="rows shown (5)")
    show.add_argument("--dataset", type=Path, default=Path("runs"), help=f"folder of {DATASET}, or the store (runs)")
    show.add_argument("--kind", help="rows of this kind only")
    show.add_argument("--id", help="the row of this id, or of these first digits")
    show.add_argument("--packs", type=int, default=1, help="packs shown (1)")
    show.add_argument("--pack-folder", type=Path, help=f"folder of {PACKS}; by default the newest of this dataset")
    show.add_argument("--tokenizer", type=Path, help="folder with tokenizer.json; by default that of the pack's base")
    show.add_argument("--cost", action="store_true", help="also add up what the stages took")
    options = parser.parse_args(arguments)
    try:
        _show(options)
    except (SchemaError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _show(options: argparse.Namespace) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    dataset = find_dataset(options.dataset)
    for row in choose(dataset, options.count, kind=options.kind, prefix=options.id):
        show_row(console, row)
    packs = options.pack_folder or _packs_of(dataset)
    if packs and options.packs > 0:
        for number in range(options.packs):
            show_pack(console, packs, _tokenizer(packs, options.tokenizer), number)
    if options.cost:
        show_cost(console, packs or dataset)


def find_dataset(folder: Path) -> Path:
    """Give the dataset's folder: `folder` itself, or the newest of the store `folder`."""
    if (folder / "kept").is_dir():
        return folder
    found = [path.parent for path in folder.glob(f"{DATASET}/*/{card.MANIFEST}")]
    if not found:
        raise SchemaError(
            f"{folder} is neither a folder of {DATASET} nor a store with one; give --dataset runs/{DATASET}/0123456789ab"
        )
    return max(found, key=lambda path: (path / card.MANIFEST).stat().st_mtime_ns)


def choose(dataset: Path, count: int, *, kind: str | None = None, prefix: str | None = None) -> list[rows.Row]:
    """Choose rows by a digest of their ids; read whole only where they are chosen."""
    wanted = []
    for path in shards.shard_paths(dataset / "kept"):
        for row in shards.read(path, records.CONVERSATION, ["id", "kind"]).to_pylist():
            if (not kind or row["kind"] == kind) and row["id"].startswith(prefix or ""):
                wanted.append((rows.digest("show", row["id"]), row["id"], path))
    if not wanted and (kind or prefix):
        raise SchemaError(f"{dataset} has no row of {f'kind {kind!r}' if kind else f'id {prefix!r}'}")
    chosen = sorted(wanted)[: max(0, count)]
    return [_read(path, name) for _, name, path in chosen]


def _read(path: Path, name: str) -> rows.Row:
    import pyarrow.parquet as pq

    row: rows.Row = pq.read_table(path, filters=[("id", "=", name)]).to_pylist()[0]
    return row


def show_row(console: Console, row: rows.Row) -> None:
    """Print one row: what it is, why it is right, and its turns."""
    from rich.text import Text

    console.rule(_plain(f"{row['kind']} {row['id'][:12]}"), align="left")
    for name in _COLUMNS[1:]:
        console.print(Text(f"{name:9}{_plain(row[name] or 'none')}", style="dim"))
    for turn in row["messages"]:
        console.print(Text(f"{turn['role']}: ", style="bold"), Text(_plain(turn["content"])), sep="")
    console.print()


def show_pack(console: Console, folder: Path, tokenizer: Any, number: int) -> None:
    """Print one pack, conversation by conversation, what is learned in colour or between brackets."""
    from rich.text import Text

    conversations = list(pack_of(folder, number))
    learned = sum(int(mask.sum()) for _, mask in conversations)
    total = sum(len(ids) for ids, _ in conversations)
    console.rule(f"pack {number}: {len(conversations)} conversations, {total} tokens, {learned} learned", align="left")
    is_marked = not console.is_terminal or console.no_color
    for ids, mask in conversations:
        line = Text()
        for is_learned, text in spans(ids, mask, tokenizer):
            shown = _plain(text)
            line.append(f"⟦{shown}⟧" if is_learned and is_marked else shown, style=_SPANS[is_learned])
        console.print(line, end="")
        console.print(Text("─" * 8, style="dim"))


def pack_of(folder: Path, number: int) -> Iterator[tuple[Any, Any]]:
    """Give tokens and mask of each conversation of a pack."""
    from corpora.indexed import IndexedReader

    tokens, mask = IndexedReader(folder / "packs"), IndexedReader(folder / "mask")
    count = len(tokens.document_indices) - 1
    if not 0 <= number < count:
        raise ValueError(f"{folder} has {count} packs; the number must be from 0 to {count - 1}, got {number}")
    first, last = tokens.document_indices[number : number + 2].tolist()
    yield from ((tokens.get(sequence), mask.get(sequence)) for sequence in range(first, last))


def spans(ids: Any, mask: Any, tokenizer: Any) -> Iterator[tuple[bool, str]]:
    """Decode runs of tokens that are learned, or not."""
    for is_learned, run in groupby(zip(ids.tolist(), mask.tolist(), strict=True), key=lambda pair: bool(pair[1])):
        yield is_learned, tokenizer.decode([token for token, _ in run])


def show_cost(console: Console, folder: Path) -> None:
    """Print what every stage took, from the manifests above a folder."""
    from rich.table import Table

    stages = card.ancestors(folder)
    if not stages:
        raise SchemaError(f"{folder} has no {card.MANIFEST}, so what it took is not known; give a folder of the store")
    table = Table(title="What it took", title_justify="left")
    for name in ("stage", "rows", "CPU s", "peak MB", "teacher tokens"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for name, manifest in stages:
        metrics = manifest.get("metrics", {})
        tokens = metrics.get("prompt_tokens", 0) + metrics.get("reply_tokens", 0)
        peak = manifest.get("peak_memory_bytes", 0) / 1e6
        cells = (name, f"{metrics.get('kept', '')}", f"{manifest.get('cpu_seconds', 0):.1f}", f"{peak:.0f}")
        table.add_row(*cells, f"{tokens:,}" if tokens else "")
    total = sum(manifest.get("cpu_seconds", 0) for _, manifest in stages)
    table.add_row("all", "", f"{total:.1f}", "", "")
    console.print(table)


def _packs_of(dataset: Path) -> Path | None:
    """Find the newest packs that were made from a dataset of the store."""
    name = f"{DATASET}/{dataset.absolute().name}"
    found = []
    for path in dataset.absolute().parent.parent.glob(f"{PACKS}/*/{card.MANIFEST}"):
        if shards.read_json(path).get("inputs", {}).get("conversations") == name:
            found.append(path)
    return max(found, key=lambda path: path.stat().st_mtime_ns).parent if found else None


def _tokenizer(packs: Path, folder: Path | None) -> Any:
    from corpora.tokenizer import Tokenizer

    if folder is None:
        manifest = packs / card.MANIFEST
        if not manifest.is_file():
            raise SchemaError(f"{packs} has no {card.MANIFEST} that names its base; give --tokenizer FOLDER")
        folder = packs.absolute().parent.parent / shards.read_json(manifest)["inputs"]["base"] / "tokenizer"
    return Tokenizer.load(folder)


def _plain(text: str) -> str:
    """Escape control characters, so that a text cannot write to the terminal."""
    return "".join(mark if mark.isprintable() or mark == "\n" else ascii(mark)[1:-1] for mark in text)
