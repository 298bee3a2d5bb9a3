"""Geometry of the line charts on the page of a run: paths and tick marks, which the template draws as inline SVG.

Numbers and short strings only, no markup: the template escapes and styles them, for light, dark and print. Long curves
are thinned to the extremes of each bucket, so that a spike is never lost. Values that are not finite break the line.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]

WIDTH, HEIGHT = 400, 220
"""Size of a chart in its own units; the page scales it."""
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 16, 32
"""Margins for the tick labels."""
_MAX_POINTS = 500
_SMOOTH_FROM = 24
"""Points from which a smoothed line is drawn over the raw one."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One curve with its axes; `raw` is empty where the line itself is not smoothed, `line` where nothing is finite."""

    title: str
    x_label: str
    summary: str
    y_ticks: tuple[tuple[float, str], ...] = ()
    x_ticks: tuple[tuple[float, str], ...] = ()
    raw: str = ""
    line: str = ""
    last: tuple[float, float, str] = (0.0, 0.0, "")


def line_chart(
    points: Sequence[Point], *, title: str, x_label: str, is_from_zero: bool = False, is_noisy: bool = False
) -> Chart:
    """Lay out one curve; a long noisy one is smoothed over its raw values."""
    finite = [point for point in points if math.isfinite(point[1])]
    if not finite:
        return Chart(title=title, x_label=x_label, summary=f"{title}: no finite value")
    low, high = min(y for _, y in finite), max(y for _, y in finite)
    y_marks = ticks(0.0 if is_from_zero else low, high, 4)
    first, final = points[0][0], points[-1][0]
    x_of = _scale(first, final, LEFT, WIDTH - RIGHT)
    y_of = _scale(y_marks[0], y_marks[-1], HEIGHT - BOTTOM, TOP)
    line = smooth(finite) if is_noisy and len(finite) >= _SMOOTH_FROM else list(points)
    end = line[-1] if math.isfinite(line[-1][1]) else finite[-1]
    return Chart(
        title=title,
        x_label=x_label,
        summary=f"{title}: {number(finite[0][1])} at first, {number(finite[-1][1])} at last, {_gaps(points, finite)}",
        y_ticks=tuple((round(y_of(mark), 1), number(mark)) for mark in y_marks),
        x_ticks=tuple(
            (round(x_of(mark), 1), number(mark)) for mark in ticks(first, final, 5) if first <= mark <= final
        ),
        raw=_path(points, x_of, y_of) if line != list(points) else "",
        line=_path(line, x_of, y_of),
        last=(round(x_of(end[0]), 1), round(y_of(end[1]), 1), number(end[1])),
    )


def ticks(low: float, high: float, count: int) -> list[float]:
    """Choose about `count` round numbers around [low, high], ends included.

    >>> ticks(0.0, 87.0, 4)
    [0.0, 25.0, 50.0, 75.0, 100.0]
    """
    if not high > low:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1.0, 2.0, 2.5, 5.0) if factor * power >= rough), 10.0 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def number(value: float) -> str:
    """Write a number in few characters.

    >>> [number(value) for value in (0.0, 6e-5, 0.8342, 12.0, 1500.0, 2_500_000.0)]
    ['0', '6e-5', '0.8342', '12', '1,500', '2.5M']
    """
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e9:
        return f"{value / 1e9:.4g}B"
    if size >= 1e6:
        return f"{value / 1e6:.4g}M"
    if size < 1e-3:
        mantissa, _, exponent = f"{value:.2e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"


def thin(points: Sequence[Point], limit: int = _MAX_POINTS) -> list[Point]:
    """Keep the extremes of each bucket and one of its gaps (a value that is not finite), in order.

    >>> (57.0, 1.0) in thin([(float(x), float(x == 57)) for x in range(100)], 10)
    True
    """
    if len(points) <= limit:
        return list(points)
    size = math.ceil(2 * len(points) / limit)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        gaps = [point for point in bucket if not math.isfinite(point[1])][:1]
        values = sorted((point for point in bucket if math.isfinite(point[1])), key=lambda point: point[1])
        kept.extend(sorted({*gaps, *values[:1], *values[-1:]}))
    return kept


def smooth(points: Sequence[Point]) -> list[Point]:
    """Average exponentially over about a twentieth of the curve, without the pull of a start at zero."""
    keep = 1.0 - min(1.0, 20.0 / max(len(points), 1))
    total, weight, line = 0.0, 0.0, []
    for x, y in points:
        total, weight = keep * total + y, keep * weight + 1.0
        line.append((x, total / weight))
    return line


def _path(points: Sequence[Point], x_of: Callable[[float], float], y_of: Callable[[float], float]) -> str:
    parts, pen = [], "M"
    for x, y in thin(points):
        if math.isfinite(y):
            parts.append(f"{pen}{x_of(x):.1f} {y_of(y):.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(parts)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    width = high - low
    return lambda value: start + (end - start) * ((value - low) / width if width else 0.5)


def _gaps(points: Sequence[Point], finite: Sequence[Point]) -> str:
    missing = len(points) - len(finite)
    return f"{len(points)} points" + (f", {missing} not finite" if missing else "")
