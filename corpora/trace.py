"""Where a token comes from: `python -m corpora.trace PREFIX OFFSET` names file, commit and licence, and shows the place.

PREFIX is what a Tokenize stage wrote, without `.bin`; OFFSET counts tokens from its start. The index of the prefix gives
the sequence, `documents.parquet` the file, and the tokens themselves the place in it: the layout is taken apart, so
line and character are those of the file also where its middle was moved. Reads one row group and one file's tokens.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpora import SchemaError, markers
from corpora.code.fim import MIDDLE, PREFIX, SUFFIX, Piece, restore
from corpora.indexed import IndexedReader
from corpora.tokenizer import Tokenizer

END = "end"
MARK = "mark"
"""What a token is that is of no file: a special token, the name of a repository, a path."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One token: which file it is from, and where in it."""

    file: dict[str, Any]
    """The row of `documents.parquet`."""
    role: str
    """`text`, `fim_prefix`, `fim_middle`, `fim_suffix` or `mark`."""
    character: int | None
    """Characters of the file before the token; None for a mark."""
    text: str
    """The whole file, normalized (NFC) as the tokenizer does."""
    before: str
    """The tokens before it as they are trained on, whatever file they are from."""
    token: str
    after: str

    @property
    def line(self) -> int | None:
        """Line of the file, from 1."""
        return None if self.character is None else self.text.count("\n", 0, self.character) + 1


class Tracer:
    """One prefix, opened with its tokenizer."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self._reader = IndexedReader(prefix)
        self._starts = self._reader.pointers // self._reader.dtype.itemsize
        self._tokenizer = Tokenizer.load(prefix.parent / "tokenizer")
        self._roles = _roles(self._tokenizer)

    def locate(self, offset: int, around: int = 24) -> Place:
        """Find the file of a token, and the place in it, with `around` tokens on both sides."""
        tokens = self._reader.tokens
        if not 0 <= offset < len(tokens):
            raise ValueError(
                f"the offset must be from 0 to below the {len(tokens)} tokens of {self.prefix}, got {offset}"
            )
        sequence = int(self._starts.searchsorted(offset, side="right")) - 1
        row, ids = _row(self.prefix, sequence), self._reader.get(sequence).tolist()
        mark, place = unicodedata.normalize("NFC", row["mark"]), offset - int(self._starts[sequence])
        whole = _runs(self._take_apart(ids), mark)
        before = [] if ids[place] in self._roles else self._take_apart(ids[:place])
        role, character = _position(before, mark, whole)
        bounds = (max(0, offset - around), offset, offset + 1, offset + 1 + around)
        shown = [self._tokenizer.decode(tokens[low:high].tolist()) for low, high in itertools.pairwise(bounds)]
        return Place(
            file=row,
            role=role,
            character=character,
            text=restore(list(whole.items())),
            before=shown[0],
            token=shown[1],
            after=shown[2],
        )

    def _take_apart(self, ids: Sequence[int]) -> list[Piece]:
        """Split tokens into special tokens and the text after each."""
        runs: list[tuple[str | None, list[int]]] = [(None, [])]
        for token in ids:
            if token in self._roles:
                runs.append((self._roles[token], []))
            else:
                runs[-1][1].append(token)
        return [(role, self._tokenizer.decode(run)) for role, run in runs]


def _row(prefix: Path, sequence: int) -> dict[str, Any]:
    import pyarrow.parquet as pq

    path = prefix.parent / "documents.parquet"
    filters = [("prefix", "=", prefix.name), ("sequence", "=", sequence)]
    rows: list[dict[str, Any]] = pq.read_table(path, filters=filters).to_pylist() if path.is_file() else []
    if len(rows) != 1:
        raise SchemaError(f"{path} has {len(rows)} rows for sequence {sequence} of {prefix.name}; run the stage again")
    return rows[0]


def _roles(tokenizer: Tokenizer) -> dict[int, str]:
    """Say what each special token of a layout stands for, by id."""
    found = {tokenizer.eod_id: END}
    for kind in markers.SPELLINGS:
        for role, token in (markers.spelling(tokenizer, kind) or {}).items():
            found[tokenizer.token_id(token)] = role
    return found


def _runs(pieces: Sequence[Piece], mark: str) -> dict[str | None, str]:
    """Give the text of the file by role, without what marks it."""
    runs: dict[str | None, str] = {}
    for role, text in pieces:
        if role in (None, markers.FILE):
            runs[None] = runs.get(None, "") + text
        elif role in (PREFIX, MIDDLE, SUFFIX):
            runs[role] = text
    return runs | {None: runs[None][len(mark) :]}


def _position(before: Sequence[Piece], mark: str, whole: dict[str | None, str]) -> tuple[str, int | None]:
    """Say in which run the token after `before` is, and how many characters of the file come before it."""
    role, text = before[-1] if before else (END, "")
    marked = len(mark) if role in (None, markers.FILE) else 0
    text = text.rstrip("\ufffd")  # of a character that the token goes on with
    if role in (markers.REPOSITORY, END) or len(text) < marked:
        return MARK, None
    ahead = {MIDDLE: (PREFIX,), SUFFIX: (PREFIX, MIDDLE)}.get(role or "", ())
    character = len(text) - marked + sum(len(whole[name]) for name in ahead)
    return role if role in (PREFIX, MIDDLE, SUFFIX) else "text", character


def describe(place: Place) -> str:
    """Write a place for a person.

    The token stands between two arrows; control characters are escaped, so that a text cannot write to the terminal.
    """
    file = place.file
    where = "a mark" if place.line is None else f"line {place.line}, character {place.character} ({place.role})"
    order = f"{file['fim']}, middle at characters {file['fim_start']} to {file['fim_end']}" if file["fim"] else "none"
    rows = {
        "file": f"{file['path']}, {where}",
        "repository": f"{file['repository']} ({file['source']})",
        "revision": file["revision"] or "none",
        "licence": file["license"],
        "document": f"{file['id']}, row {file['row']}, sequence {file['sequence']}, {file['tokens']} tokens from {file['start']}",
        "middle moved": order,
    }
    lines = [f"{name:13}{_printable(str(value))}" for name, value in rows.items()]
    return "\n".join([*lines, "", f"{_printable(place.before)}→{_printable(place.token)}←{_printable(place.after)}"])


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() or mark == "\n" else ascii(mark)[1:-1] for mark in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trace one token; a wrong prefix or offset is one line on the error output."""
    parser = argparse.ArgumentParser(prog="python -m corpora.trace", description="Say which file a token comes from.")
    parser.add_argument("prefix", type=Path, help="token files without .bin, as TokenizeCode/.../code_python_train")
    parser.add_argument("offset", type=int, help="tokens from the start of the prefix")
    parser.add_argument("--around", type=int, default=24, help="tokens shown on both sides (24)")
    options = parser.parse_args(arguments)
    try:
        print(describe(Tracer(options.prefix).locate(options.offset, max(0, options.around))))
    except (SchemaError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
