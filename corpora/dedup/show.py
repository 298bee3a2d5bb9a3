"""`python -m corpora.dedup show ID`: a cluster of near duplicates side by side.

First the members: where each is from, its licence, its stars, how like the survivor it is. Then, for each removed one, what
differs, the survivor on the left. A text is hostile: it is never read as markup, control characters are escaped, and at
most so many lines of it are compared, because comparing costs up to the square of them.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import SchemaError
from corpora.dedup.lookup import LISTED, Member, find_cluster, find_stage

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

COMPARED_LINES = 3000
"""Lines of a text that are compared."""
LINE_CHARACTERS = 500
CONTEXT_LINES = 2
_GAP = "⋯"
_STYLES = {"equal": ("dim", "dim"), "replace": ("red", "green"), "delete": ("red", ""), "insert": ("", "green")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Show a cluster; a wrong id or folder is one line on the error output."""
    parser = argparse.ArgumentParser(prog="python -m corpora.dedup", description="Look at near duplicates.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="show the cluster of a document side by side")
    show.add_argument("id", help="id of a document, kept or removed, or its first digits")
    show.add_argument(
        "--folder",
        type=Path,
        default=Path("runs"),
        help="folder of DropNearDuplicates, or the store (runs: its newest)",
    )
    show.add_argument(
        "--earlier", type=Path, action="append", help="folder of an earlier index that is not in the store"
    )
    show.add_argument("--members", type=int, default=5, help="removed members that are compared with the survivor (5)")
    show.add_argument("--lines", type=int, default=60, help="lines shown of each comparison (60)")
    options = parser.parse_args(arguments)
    try:
        cluster = find_cluster(find_stage(options.folder), options.id, options.earlier or ())
        show_cluster(cluster, options.members, options.lines)
    except (SchemaError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def show_cluster(cluster: Sequence[Member], members: int, lines: int, console: Console | None = None) -> None:
    """Print a cluster, the survivor first."""
    from rich.console import Console

    console = console or Console(highlight=False)
    console.print(_members(cluster))
    first, *removed = cluster
    for member in removed[: max(0, members)]:
        console.print(_comparison(first, member, lines))
    if len(removed) > members:
        console.print(f"{len(removed) - members} more members are not compared; --members shows more")


def _members(cluster: Sequence[Member]) -> Table:
    from rich.table import Table

    many = f"{LISTED} or more" if len(cluster) == LISTED else f"{len(cluster)}"
    table = Table(title=f"{many} near duplicates", title_justify="left")
    for name in ("", "id", "similarity", "repository", "path", "licence", "stars", "date", "split"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    survivor = cluster[0]
    for member in cluster:
        mark = "survivor" if member.is_survivor else "removed"
        table.add_row(*(_cell(value) for value in (mark, member.id, _similarity(survivor, member), *_origin(member))))
    return table


def _origin(member: Member) -> list[str]:
    """Give repository, path, licence, stars, date and split."""
    if not member.files:
        return [f"text is not here: {member.batch or 'its documents were removed'}", "", "", "", "", ""]
    columns = ("repository", "path", "license", "stars", "date", "split")
    values = ["" if member.files[0][name] is None else str(member.files[0][name]) for name in columns]
    if member.batch:
        values[0] += f" (earlier: {member.batch})"
    if len(member.files) > 1:
        values[1] = f"{len(member.files)} files"
    return values


def _similarity(survivor: Member, member: Member) -> str:
    """Estimate the Jaccard similarity, as the stage does."""
    if member is survivor or survivor.signature is None or member.signature is None:
        return ""
    return f"{float((survivor.signature == member.signature).mean()):.2f}"


def _comparison(survivor: Member, member: Member, lines: int) -> RenderableType:
    from rich.table import Table

    table = Table(expand=True, show_lines=False, padding=(0, 1))
    for one in (survivor, member):
        table.add_column(
            _cell(f"{'survivor' if one is survivor else 'removed'} {one.id[:12]}"), ratio=1, overflow="fold"
        )
    rows = list(side_by_side(survivor.text, member.text))
    for kind, left, right in rows[: max(0, lines)]:
        table.add_row(*(_cell(text, style) for text, style in zip((left, right), _STYLES[kind], strict=True)))
    if len(rows) > lines:
        table.add_row(_cell(f"{len(rows) - lines} more lines; --lines shows more"), "")
    if not rows:
        table.add_row(
            _cell(
                f"no difference in the first {COMPARED_LINES} lines"
                if survivor.files and member.files
                else "a text is not here"
            ),
            "",
        )
    return table


def side_by_side(first: str, second: str) -> Iterator[tuple[str, str, str]]:
    r"""Give (kind, left line, right line) of what differs, with two lines around it.

    >>> list(side_by_side("a\nb", "a\nc"))
    [('equal', 'a', 'a'), ('replace', 'b', 'c')]
    """
    left, right = _lines(first), _lines(second)
    groups = difflib.SequenceMatcher(None, left, right).get_grouped_opcodes(CONTEXT_LINES)
    for number, group in enumerate(groups):
        if number:
            yield "equal", _GAP, _GAP
        for kind, a, b, c, d in group:
            for k in range(max(b - a, d - c)):
                yield kind, left[a + k] if a + k < b else "", right[c + k] if c + k < d else ""


def _lines(text: str) -> list[str]:
    return [line[:LINE_CHARACTERS] for line in text.split("\n", COMPARED_LINES)[:COMPARED_LINES]]


def _cell(text: str, style: str = "") -> RenderableType:
    """Make a cell that shows the text as it is."""
    from rich.text import Text

    shown = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text.expandtabs(4))
    return Text(shown, style=style)
