"""From the hits in a document to what it overlaps: which benchmark parts, by which rule, where; and the rows that say so."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from corpora import ledger, sieve

if TYPE_CHECKING:
    from corpora.decontaminate import DecontaminateConfig
    from corpora.ngrams import Index

Span = tuple[int, int, int]
"""A hit in one document: which run, and the bytes it covers."""
VERBATIM = "verbatim"
_RENAMED = "renamed"


@dataclass
class Overlap:
    """What a document shares with one part of a benchmark: how many of its runs, and the first unbroken stretch."""

    part: int
    rule: str
    runs: int
    first: Span
    end: int


def judge(index: Index, spans: list[Span], boilerplate: frozenset[int], config: DecontaminateConfig) -> list[Overlap]:
    """Say which parts a document overlaps; empty when nothing counts against it. `spans` are in the order of the text.

    A run that several parts of a benchmark hold is put to the one of which the document holds most; what is found by its
    words is not told again as renamed.
    """
    held = {gram: index.members(gram) for gram in {gram for gram, _, _ in spans}}
    shared = Counter(part for parts in held.values() for part in parts)
    verbatim = {part for part, runs in shared.items() if runs >= _verbatim_runs(index, part, config)}
    found: dict[int, Overlap] = {}
    for span in spans:
        if span[0] in boilerplate and not verbatim.intersection(held[span[0]]):
            continue
        for _, parts in groupby(held[span[0]], key=lambda part: index.parts[part].benchmark):
            best = max(parts, key=lambda part: (part in verbatim, shared[part], -part))
            rule = VERBATIM if best in verbatim else index.parts[best].rule
            overlap = found.setdefault(best, Overlap(best, rule, shared[best], span, span[2]))
            if span[1] <= overlap.end:
                overlap.end = max(overlap.end, span[2])
    return _without_renamed(index, [found[part] for part in sorted(found)])


def _without_renamed(index: Index, overlaps: list[Overlap]) -> list[Overlap]:
    """Leave out renamed parts of problems that another rule finds."""
    parts = {overlap.part: index.parts[overlap.part] for overlap in overlaps}
    plain = {(part.benchmark, part.problem) for part in parts.values() if part.rule != _RENAMED}
    return [o for o in overlaps if parts[o.part].rule != _RENAMED or parts[o.part][:2] not in plain]


def _verbatim_runs(index: Index, part: int, config: DecontaminateConfig) -> float:
    """Give with how many runs a document holds a part though each run is ordinary; a renaming never does."""
    if index.parts[part].rule == _RENAMED:
        return math.inf
    return max(config.ngram, config.verbatim_share * index.parts[part].runs)


def reject(index: Index, row: int, overlaps: list[Overlap]) -> sieve.Reject:
    """Reject a row for the part of which it holds most."""
    most = max(overlaps, key=lambda overlap: (overlap.runs, -overlap.part))
    part = index.parts[most.part]
    return sieve.Reject(row, "contaminated", float(most.runs), 0.0, f"{part.benchmark} {part.problem} {part.field}")


def dropped_row(index: Index, document: str, text: bytes, overlap: Overlap) -> ledger.Row:
    """Write into the ledger that a row of data overlaps a part."""
    part, (_, start, end) = index.parts[overlap.part], overlap.first
    return {
        "id": document,
        "benchmark": part.benchmark,
        "problem": part.problem,
        "field": part.field,
        "rule": overlap.rule,
        "share": round(overlap.runs / part.runs, 4),
        "ngram": text[start:end].decode(),
        "offset": len(text[:start].decode()),
        "length": len(text[start : overlap.end].decode()),
        "decision": ledger.DROPPED,
    }


def ignored_row(index: Index, gram: int, holders: int) -> ledger.Row:
    """Write into the ledger that a run was not counted, being in so many documents."""
    part = index.parts[index.members(gram)[0]]
    return {
        "id": "",
        "benchmark": part.benchmark,
        "problem": part.problem,
        "field": part.field,
        "rule": part.rule,
        "ngram": index.text(gram),
        "decision": f"not counted: in {holders} training documents",
    }
