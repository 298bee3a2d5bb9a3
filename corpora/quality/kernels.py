"""Compiled loops of the quality scorer: n-grams to buckets, the loss and its gradient, sums in one fixed order.

Every sum runs in the order of the rows on one thread, and the exponential is a polynomial of its own, so a model has the same
bytes for any number of threads and whatever the processor's mathematics library. A word is what `corpora.kernels` takes for
one, in lower case. Nothing here calls a kernel of another file: numba's cache would not see that change.
"""

from typing import Any

import numpy as np

from corpora.kernels import _compiled

_u64 = np.uint64
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FNV_START, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_LOG2_E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10


@_compiled
def _mix(x: Any) -> Any:
    x ^= x >> _u64(33)
    x *= _u64(0xFF51AFD7ED558CCD)
    x ^= x >> _u64(33)
    x *= _u64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> _u64(33))


@_compiled
def _exp(x: float) -> float:
    """Raise e to a power in [-700, 700], to 1e-15 of the value: reduced to [-0.35, 0.35], then Taylor's series."""
    k = np.floor(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    term, total = 1.0, 1.0
    for n in range(1, 16):
        term *= r / n
        total += term
    power, factor = 1.0, 2.0 if k >= 0 else 0.5
    for _ in range(int(abs(k))):
        power *= factor
    return total * power


@_compiled
def sigmoid(x: float) -> float:
    """Give the logistic function."""
    if x >= 0:
        return 1.0 / (1.0 + _exp(-min(x, 700.0)))
    e = _exp(max(x, -700.0))
    return e / (1.0 + e)


@_compiled
def buckets(
    data: Any, starts: Any, ends: Any, table: Any, longest: int, mask: Any, seen: Any, firsts: Any, found: Any
) -> int:
    """List the buckets of every text's n-grams of 1 to `longest` words, each once, in the order of the text.

    `firsts[text]` is where those of a text begin. `seen` has a place for each bucket and must not hold a text's number.
    Gives the number of all, which may exceed what `found` has room for: the caller then calls again with more.
    """
    total = 0
    recent = np.zeros(8, np.uint64)
    for text in range(starts.shape[0]):
        firsts[text] = total
        i, end, count = starts[text], ends[text], 0
        while i < end:
            byte = table[data[i]]
            if byte == 0:
                i += 1
                continue
            h = _FNV_START
            while byte != 0:
                h = (h ^ _u64(byte)) * _FNV_PRIME
                i += 1
                if i == end:
                    break
                byte = table[data[i]]
            recent[count & 7] = _mix(h)
            count += 1
            gram = _u64(0)
            for size in range(1, min(longest, count) + 1):
                gram = gram * _BASE + recent[(count - size) & 7]
                bucket = np.int64(_mix(gram ^ _u64(size)) & mask)
                if seen[bucket] != text:
                    seen[bucket] = text
                    if total < found.shape[0]:
                        found[total] = bucket
                    total += 1
    firsts[starts.shape[0]] = total
    return total


@_compiled
def places(data: Any, start: int, end: int, table: Any, longest: int, mask: Any, wanted: Any, hits: Any) -> int:
    """Find where n-grams of the wanted buckets lie in one text: (bucket, first byte, last byte); give their number."""
    total, count, i = 0, 0, start
    recent, begins = np.zeros(8, np.uint64), np.zeros(8, np.int64)
    while i < end:
        byte = table[data[i]]
        if byte == 0:
            i += 1
            continue
        begins[count & 7] = i
        h = _FNV_START
        while byte != 0:
            h = (h ^ _u64(byte)) * _FNV_PRIME
            i += 1
            if i == end:
                break
            byte = table[data[i]]
        recent[count & 7] = _mix(h)
        count += 1
        gram = _u64(0)
        for size in range(1, min(longest, count) + 1):
            gram = gram * _BASE + recent[(count - size) & 7]
            bucket = np.int64(_mix(gram ^ _u64(size)) & mask)
            if wanted[bucket] and total < hits.shape[0]:
                hits[total, 0], hits[total, 1], hits[total, 2] = bucket, begins[(count - size) & 7], i
                total += 1
    return total


@_compiled
def margins(
    firsts: Any, found: Any, dense: Any, weights: Any, which: Any, num_buckets: int, offsets: Any, out: Any
) -> None:
    """Score every text: its buckets' weights over the root of their number, its signals' weights, a constant, its offset.

    A row of `weights` has the buckets', then one for each column of `dense`, then the constant; `which` chooses the row.
    """
    signals = dense.shape[1]
    for text in range(firsts.shape[0] - 1):
        total, row = 0.0, which[text]
        first, last = firsts[text], firsts[text + 1]
        for j in range(first, last):
            total += weights[row, found[j]]
        if last > first:
            total /= np.sqrt(np.float64(last - first))
        for s in range(signals):
            total += dense[text, s] * weights[row, num_buckets + s]
        out[text] = total + weights[row, num_buckets + signals] + offsets[text]


@_compiled
def gradient(
    firsts: Any,
    found: Any,
    dense: Any,
    rows: Any,
    targets: Any,
    scores: Any,
    weights: Any,
    num_buckets: int,
    penalty: float,
    out: Any,
) -> None:
    """Differentiate the mean logistic loss of `rows` against targets in [0, 1], and of an L2 penalty on all but the constant."""
    signals = dense.shape[1]
    for k in range(weights.shape[0]):
        out[k] = penalty * weights[k]
    out[num_buckets + signals] = 0.0
    for n in range(rows.shape[0]):
        text = rows[n]
        slope = (sigmoid(scores[text]) - targets[text]) / rows.shape[0]
        first, last = firsts[text], firsts[text + 1]
        if last > first:
            step = slope / np.sqrt(np.float64(last - first))
            for j in range(first, last):
                out[found[j]] += step
        for s in range(signals):
            out[num_buckets + s] += slope * dense[text, s]
        out[num_buckets + signals] += slope


@_compiled
def dot(a: Any, b: Any) -> float:
    """Multiply two vectors, summed from first to last."""
    total = 0.0
    for k in range(a.shape[0]):
        total += a[k] * b[k]
    return total


@_compiled
def add(target: Any, factor: float, other: Any) -> None:
    """Add a multiple of a vector to another, in place."""
    for k in range(target.shape[0]):
        target[k] += factor * other[k]
