"""Compiled loops of deduplication: a sorted band, pairs that agree, one tree for each cluster, one survivor for each tree.

Texts are numbers here: 0, 1, ... over all parts (the indexes of earlier batches, then the corpus), and what is known of
them lies in memory-mapped arrays, one a part. A band is one array of eight bytes a text, sorted in place: the high bits
of the key above the number of the text. Runs of equal high bits are told apart by the whole key, so what is linked does
not depend on how many bits the numbers take. All loops are in this one file for numba's cache (see `corpora/kernels.py`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba as nb
import numpy as np

from corpora import kernels  # noqa: F401 - says where numba may keep what it compiled

F = TypeVar("F", bound=Callable[..., Any])
_compiled: Callable[[F], F] = nb.njit(cache=True, nogil=True)
_u64 = np.uint64
_SHOWN = np.int16(1)
"""Marks, while survivors are elected, the root of a cluster that has a text of the corpus."""


@_compiled
def fill(keys: Any, first: int, bits: int, entries: Any, count: int) -> int:
    """Append an entry for each text of a part that has a key; `first` is the number of its first text."""
    shift = _u64(bits)
    for i in range(keys.shape[0]):
        if keys[i] != _u64(0):
            entries[count] = ((keys[i] >> shift) << shift) | _u64(first + i)
            count += 1
    return count


@_compiled
def _part(starts: Any, text: int) -> int:
    part = 0
    while starts[part + 1] <= text:
        part += 1
    return part


@_compiled
def root(parents: Any, text: int) -> int:
    """Find the least text of a cluster, shortening the path to it."""
    while parents[text] != text:
        parents[text] = parents[parents[text]]
        text = parents[text]
    return text


@_compiled
def _agree(signatures: Any, starts: Any, a: int, b: int, agreement: int) -> bool:
    p, q = _part(starts, a), _part(starts, b)
    first, second = signatures[p][a - starts[p]], signatures[q][b - starts[q]]
    equal = 0
    for k in range(first.shape[0]):
        equal += first[k] == second[k]
    return equal >= agreement


@_compiled
def _word(ids: Any, starts: Any, text: int, start: int) -> Any:
    """Give eight bytes of an id as a number that orders as the id does."""
    part = _part(starts, text)
    value = _u64(0)
    for k in range(start, start + 8):
        value = (value << _u64(8)) | _u64(ids[part][text - starts[part], k])
    return value


@_compiled
def _by_id(texts: Any, ids: Any, starts: Any) -> Any:
    low, high = np.empty(texts.shape[0], np.uint64), np.empty(texts.shape[0], np.uint64)
    for i in range(texts.shape[0]):
        high[i], low[i] = _word(ids, starts, texts[i], 0), _word(ids, starts, texts[i], 8)
    order = np.argsort(low, kind="mergesort")
    return texts[order][np.argsort(high[order], kind="mergesort")]


@_compiled
def _unite(texts: Any, signatures: Any, starts: Any, agreement: int, widest: int, parents: Any) -> None:
    for i in range(1, texts.shape[0]):
        for j in range(min(i, widest)):
            p, q = root(parents, texts[i]), root(parents, texts[j])
            if p != q and _agree(signatures, starts, texts[i], texts[j], agreement):
                parents[max(p, q)] = min(p, q)


@_compiled
def link(
    entries: Any,
    bits: int,
    keys: Any,
    signatures: Any,
    ids: Any,
    starts: Any,
    agreement: int,
    widest: int,
    parents: Any,
) -> None:
    """Unite texts that share a band's key and agree in at least `agreement` bytes of their signatures.

    Every pair of a run of equal keys is looked at, unless already united, so what is linked does not depend on order; in
    a run of more than `widest` texts each is compared with the `widest` least ids only.
    """
    shift, mask = _u64(bits), (_u64(1) << _u64(bits)) - _u64(1)
    start = 0
    while start < entries.shape[0]:
        end = start + 1
        while end < entries.shape[0] and entries[end] >> shift == entries[start] >> shift:
            end += 1
        if end - start > 1:
            texts, whole = np.empty(end - start, np.int64), np.empty(end - start, np.uint64)
            for i in range(end - start):
                texts[i] = np.int64(entries[start + i] & mask)
                part = _part(starts, texts[i])
                whole[i] = keys[part][texts[i] - starts[part]]
            order = np.argsort(whole, kind="mergesort")
            texts, whole = texts[order], whole[order]
            first = 0
            while first < texts.shape[0]:
                last = first + 1
                while last < texts.shape[0] and whole[last] == whole[first]:
                    last += 1
                run = texts[first:last] if last - first <= widest else _by_id(texts[first:last], ids, starts)
                _unite(run, signatures, starts, agreement, widest, parents)
                first = last
        start = end


@_compiled
def _before(ids: Any, starts: Any, a: int, b: int) -> bool:
    p, q = _part(starts, a), _part(starts, b)
    for k in range(16):
        x, y = ids[p][a - starts[p], k], ids[q][b - starts[q], k]
        if x != y:
            return bool(x < y)
    return a < b


@_compiled
def _better(priorities: Any, origins: Any, ids: Any, starts: Any, a: int, b: int) -> bool:
    p, q = _part(starts, a), _part(starts, b)
    if p != q:
        return p < q
    x, y = priorities[p][a - starts[p]], priorities[q][b - starts[q]]
    if x != y:
        return bool(x < y)
    x, y = origins[p][a - starts[p]], origins[q][b - starts[q]]
    if x != y:
        return bool(x < y)
    return bool(_before(ids, starts, a, b))


@_compiled
def elect(
    parents: Any,
    priorities: Any,
    origins: Any,
    ids: Any,
    starts: Any,
    corpus: int,
    survivors: Any,
    names: Any,
    buckets: Any,
) -> None:
    """Give each text its cluster's survivor and its cluster's name, the member with the least id.

    The survivor is of the earliest part, there of the least priority number, then of the least origin, then of the least
    id. `buckets` gets the first byte of the name's id, or -1 where the text is alone or nothing of its cluster is at or
    above `corpus`.
    """
    for text in range(parents.shape[0]):
        top = root(parents, text)
        if top == text:
            survivors[text], names[text], buckets[text] = text, text, 0
            continue
        if text >= corpus:
            buckets[top] = _SHOWN
        if _better(priorities, origins, ids, starts, text, survivors[top]):
            survivors[top] = text
        if _before(ids, starts, text, names[top]):
            names[top] = text
    for text in range(parents.shape[0] - 1, -1, -1):  # a root, the least of its cluster, comes last
        top = root(parents, text)
        survivors[text], names[text] = survivors[top], names[top]
        part = _part(starts, names[top])
        buckets[text] = ids[part][names[top] - starts[part], 0] if buckets[top] == _SHOWN else -1
