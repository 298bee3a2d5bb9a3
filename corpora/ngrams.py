"""Every run of words of a set of benchmarks, as hash tables that one pass over a column of texts is looked up in.

Three families of runs, each with its table: `NGRAM`, runs of n words of long parts; `WHOLE`, parts with fewer words, looked
up by their first words and compared without white space; `RENAMED`, long runs of code tokens of solutions in which names
are free. A hash only proposes: a hit counts when the texts agree.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from corpora import kernels, renaming
from corpora.run_tables import Ints, Lookup, Runs, Table

if TYPE_CHECKING:
    import pyarrow as pa

NGRAM, WHOLE, RENAMED = RULES = ("ngram", "whole", "renamed")
"""Rules by which a part is found, in the order of the kernel's families."""
CODE_FIELDS = ("solution", "program")
"""Fields in which names are free."""
MINIMUM_WORDS = 3
"""Words of two letters or more that a run must have: runs of numbers and single letters are in any table."""
MINIMUM_BINDINGS = 3
"""Repeated names that a run must have for a renaming of it to be told from chance."""
_LETTER = np.array([chr(byte).isalpha() or byte >= 128 for byte in range(256)])
_ESCAPE = re.compile(rb"\\[nrt]")
_WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")


class Text(NamedTuple):
    """A text of a benchmark to look for; `code` says whether names in it are free."""

    benchmark: str
    problem: str
    field: str
    text: str
    code: bool = False


class Part(NamedTuple):
    """A text as one rule looks for it: how many distinct runs it has."""

    benchmark: str
    problem: str
    field: str
    rule: str
    runs: int


class Hit(NamedTuple):
    """A run of a benchmark in a text: which, and the bytes of the text it covers."""

    text: int
    gram: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How long the runs of each family are."""

    ngram: int
    """Words."""
    shortest: int
    """Fewest words of a part that is looked for whole, by its first `shortest` words."""
    renamed: int
    """Tokens of code; 0 leaves the family out."""
    scaffold: int
    """A run in more problems of one benchmark stands around all its programs, and is not looked for."""


def words(text: bytes) -> list[bytes]:
    """Cut a text into words, as the kernels do, in lower case."""
    return [word.lower() for word in _WORD.findall(_ESCAPE.sub(b" ", text))]


def squeeze(text: bytes) -> bytes:
    """Leave white space, case and escapes out, for comparing short parts exactly."""
    return b"".join(_ESCAPE.sub(b" ", text).replace(b'\\"', b'"').lower().split())


class Index:
    """The runs of some benchmarks. A run is known by its number; `members` gives the parts that hold it."""

    def __init__(self, texts: Iterable[Text], sizes: Sizes) -> None:
        self.sizes = sizes
        self.parts: list[Part] = []
        self.too_short = 0
        """Texts with fewer than `shortest` words, which are not looked for."""
        self._contents: list[bytes] = []
        """Of each part."""
        self._byte_tables = kernels.word_table(fold_case=True), kernels.mark_table(), _kept_names()
        self._openings: dict[int, list[int]] = {}
        """First words of short parts: hash -> hashes of the parts."""
        runs: dict[str, list[Runs]] = {rule: [] for rule in RULES}
        for text in texts:
            self._add(text, runs)
        self._tables = self._sort(runs)
        self._bases = np.cumsum([0, *(len(table.keys) for table in self._tables)]).tolist()
        openings = np.array(list(self._openings), np.uint64)
        self._lookups = [Lookup.of(keys) for keys in (self._tables[0].keys, openings, self._tables[2].keys)]

    def __len__(self) -> int:
        """Give the number of distinct runs."""
        return int(self._bases[-1])

    def rule(self, gram: int) -> str:
        """Name the rule that looks for a run."""
        return RULES[self._place(gram)[0]]

    def members(self, gram: int) -> list[int]:
        """Give the parts that hold a run, in order."""
        rule, run = self._place(gram)
        return self._tables[rule].members(run)

    def text(self, gram: int) -> str:
        """Give a run as it stands in a benchmark."""
        content, start, end = self._example(gram)
        return content[start:end].decode()

    def hits(self, texts: pa.ChunkedArray) -> Iterator[Hit]:
        """Find all verified runs in a column of texts, in the order of the texts and of their offsets."""
        data, offsets = kernels.text_buffer(texts)
        for text, start, gram, end in sorted(self._proposed(data, offsets)):
            first = int(offsets[text])
            stop = self._verified(gram, data[: offsets[text + 1]], first, start, end)
            if stop is not None:
                yield Hit(text, gram, start - first, stop - first)

    def _add(self, text: Text, runs: dict[str, list[Runs]]) -> None:
        """Cut one text into the runs of each rule that it belongs to."""
        content, ngram, size = text.text.encode(), self.sizes.ngram, self.sizes.renamed
        hashes, spans, code, places = self._tokens(content)
        if len(hashes) < self.sizes.shortest:
            self.too_short += 1
        elif len(hashes) < ngram:
            opening = int(kernels.run_keys(hashes[: self.sizes.shortest], self.sizes.shortest)[0])
            key = _digest(squeeze(content[spans[0, 0] : spans[-1, 1]]))
            self._openings.setdefault(opening, []).append(key)
            runs[WHOLE].append(self._runs(text, WHOLE, np.array([key], np.uint64), spans[:1, 0], spans[-1:, 1]))
        else:
            keys, starts, ends = (
                kernels.run_keys(hashes, ngram),
                spans[: len(spans) - ngram + 1, 0],
                spans[ngram - 1 :, 1],
            )
            told = _telling(content, spans, ngram)
            runs[NGRAM].append(self._runs(text, NGRAM, keys[told], starts[told], ends[told]))
        if text.code and 0 < size <= len(code):
            keys, starts, ends = kernels.run_keys(code, size), places[: len(code) - size + 1, 0], places[size - 1 :, 1]
            told = np.isin(code[size - 1 :], kernels.CLOSERS) & (_bindings(content, size) >= MINIMUM_BINDINGS)
            runs[RENAMED].append(self._runs(text, RENAMED, keys[told], starts[told], ends[told]))

    def _runs(self, text: Text, rule: str, keys: kernels.Hashes, starts: Ints, ends: Ints) -> Runs:
        self.parts.append(Part(text.benchmark, text.problem, text.field, rule, 0))
        self._contents.append(text.text.encode())
        return Runs(len(self.parts) - 1, keys, starts, ends)

    def _sort(self, runs: dict[str, list[Runs]]) -> list[Table]:
        """Make the table of each rule, and tell the parts how many runs they have."""
        problems = _numbered([(part.benchmark, part.problem) for part in self.parts])
        names = _numbered([part.benchmark for part in self.parts])
        limits = {NGRAM: self.sizes.scaffold}
        tables = [Table.of(runs[rule], problems, names, limits.get(rule, len(self.parts))) for rule in RULES]
        counts = np.bincount(np.concatenate([table.parts for table in tables]), minlength=len(self.parts))
        self.parts = [part._replace(runs=int(count)) for part, count in zip(self.parts, counts, strict=True)]
        return tables

    def _tokens(self, content: bytes) -> tuple[kernels.Hashes, Ints, kernels.Hashes, Ints]:
        size, data = len(content), np.frombuffer(content, np.uint8)
        hashes, spans = np.empty((2, size), np.uint64), np.empty((2, size, 2), np.int64)
        count, length = kernels.tokens(data, 0, size, *self._byte_tables, hashes[0], spans[0], hashes[1], spans[1])
        return hashes[0, :count], spans[0, :count], hashes[1, :length], spans[1, :length]

    def _place(self, gram: int) -> tuple[int, int]:
        """Say in which table a run is, and where."""
        table = sum(gram >= base for base in self._bases[1:])
        return table, gram - self._bases[table]

    def _example(self, gram: int) -> tuple[bytes, int, int]:
        rule, run = self._place(gram)
        part, start, end = self._tables[rule].example(run)
        return self._contents[part], start, end

    def _proposed(self, data: kernels.Bytes, offsets: kernels.Offsets) -> Iterator[tuple[int, int, int, int]]:
        """Give text, first byte, run and end of what has the hash of a run, or of the first words of a short part."""
        for rule, rows in enumerate(self._scan(data, offsets)):
            for text, start, end, place in rows.tolist():
                if RULES[rule] != WHOLE:
                    yield text, start, self._bases[rule] + place, end
                    continue
                for key in self._openings[int(self._lookups[rule].keys[place])]:
                    run = int(np.searchsorted(self._tables[rule].keys, np.uint64(key)))
                    yield text, start, self._bases[rule] + run, end

    def _scan(self, data: kernels.Bytes, offsets: kernels.Offsets) -> tuple[Ints, ...]:
        sizes = np.array([self.sizes.ngram, self.sizes.shortest, max(self.sizes.renamed, 1)])
        keys, blooms = zip(*self._lookups, strict=True)
        rooms, found = np.full(len(RULES), 4096), np.zeros(len(RULES), np.int64)
        while True:
            hits = tuple(np.empty((room, 4), np.int64) for room in rooms)
            kernels.scan(data, offsets, *self._byte_tables, sizes, keys, blooms, hits, found)
            if (found <= rooms).all():
                return tuple(rows[:count] for rows, count in zip(hits, found, strict=True))
            rooms = np.maximum(rooms, found)

    def _verified(self, gram: int, data: kernels.Bytes, first: int, start: int, end: int) -> int | None:
        """Give the end of a run that is really there, or None; `data` ends where the text does that begins at `first`."""
        (content, begin, stop), rule = self._example(gram), self.rule(gram)
        if rule == NGRAM:
            return end if words(data[start:end].tobytes()) == words(content[begin:stop]) else None
        if rule == WHOLE:
            core = content[begin:stop]
            size = whole_at(data[start : start + 16 * len(core)].tobytes(), core)
            return None if size is None else start + size
        before = max(start - 2, first)  # what stands before the first name says whether it is a member
        found = renaming.tokens(data[before:end].tobytes(), start - before)
        return end if renaming.same(found, renaming.tokens(content[:stop], begin)) else None


def whole_at(window: bytes, core: bytes) -> int | None:
    """Say where in a window `core`, white space and case aside, ends when the window starts with it, else None.

    >>> whole_at(b"return a  +b ; c", b"return a + b"), whole_at(b"return a - b", b"return a + b")
    (12, None)
    """
    plain = _ESCAPE.sub(b"  ", window)
    ends = [match.end() for match, _ in zip(_WORD.finditer(plain), words(core), strict=False)]
    return ends[-1] if ends and squeeze(plain[: ends[-1]]) == squeeze(core) else None


def _telling(content: bytes, spans: Ints, size: int) -> npt.NDArray[np.bool_]:
    """Mark the runs of `size` words that have `MINIMUM_WORDS` words of two letters or more: tables and alphabets have none."""
    letters = np.cumsum(_LETTER[np.frombuffer(b"\0" + content, np.uint8)])
    long = np.cumsum([False, *(letters[spans[:, 1]] - letters[spans[:, 0]] > 1)])
    told: npt.NDArray[np.bool_] = long[size:] - long[:-size] >= MINIMUM_WORDS
    return told


def _bindings(content: bytes, size: int) -> Ints:
    """Count in each run of `size` tokens the free names that the run has before: what a renaming must respect."""
    last: dict[bytes, int] = {}
    previous = []
    for place, token in enumerate(renaming.tokens(content)):
        previous.append(last.get(token.text, -1) if token.free else -1)
        last[token.text] = place
    windows = np.lib.stride_tricks.sliding_window_view(np.array(previous, np.int64), size)
    counts: Ints = (windows >= np.arange(len(windows))[:, None]).sum(1)
    return counts


def _kept_names() -> kernels.Bytes:
    """Make the bitmap of names that are never free, by the top 16 bits of their hashes."""
    data, size = np.frombuffer(" ".join(sorted(renaming.KEPT)).encode(), np.uint8), len(renaming.KEPT)
    table, bits = kernels.word_table(fold_case=True), np.zeros(1 << 16, np.uint8)
    hashes, spans = np.empty((2, size), np.uint64), np.empty((2, size, 2), np.int64)
    kernels.tokens(data, 0, len(data), table, kernels.mark_table(), bits, hashes[0], spans[0], hashes[1], spans[1])
    bits[(hashes[0] >> np.uint64(48)).astype(np.int64)] = 1
    return np.packbits(bits, bitorder="little")


def _numbered(names: Sequence[Hashable]) -> Ints:
    """Number equal names equally."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _digest(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
