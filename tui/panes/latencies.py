"""The latencies of one trial: their histogram, and below it the percentiles on the same scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from autotuner.core.objective import Objective
from autotuner.core.outcome import Histogram, Measurement
from tui import figures, goal
from tui.chart import Scale, floor, scale
from tui.glyphs import Glyphs
from tui.paint import LABEL, Line, Piece, label, labelled, merged

_PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
_LEFT = LABEL + 29
_FEWEST_COLUMNS = 12
_FARTHEST_BUDGET = 3.0
"""A budget is drawn while it is at most so many times the longest latency."""

_ROWS = 4
_NONE = 1e-6


def latencies(
    objective: Objective | None, measured: Measurement, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return the histogram, each percentile with its interval as a whisker, and the axis."""
    known = _known(measured)
    if not known:
        return labelled("latency", "not measured", width)
    bound = objective.latency_bound[1] if objective and objective.latency_bound else None
    sides = [s for name in known for s in measured.intervals.get(name, ()) if s is not None]
    seen = [*known.values(), *sides]
    if (histogram := measured.histogram) is not None:
        seen.append(histogram.low_ms)
    wall = bound if bound is not None and bound <= _FARTHEST_BUDGET * max(seen) else None
    xs = scale([*seen, *([] if wall is None else [wall])], may_be_log=True)
    columns = width - _LEFT - 1
    drawn = columns >= _FEWEST_COLUMNS
    facts = _facts(measured)
    if histogram is not None and drawn:
        lines = _histogram(histogram, facts, xs, wall, columns, glyphs)
    else:
        lines = labelled("latency", ", ".join(facts), width)
    counted = goal.latency_metric(objective)
    for name, value in known.items():
        interval = measured.intervals.get(name)
        over = bound is not None and name == counted and value > bound
        ink = "strong over" if over else "strong" if name == counted else ""
        text = [
            Piece(figures.milliseconds(value, 7), ink),
            Piece(f" {in_words(interval):<18}", "dim"),
        ]
        cells = _whisker(value, interval, xs, wall, columns, glyphs) if drawn else ()
        lines.append((label(name.removesuffix("_ms")), *text, *cells))
    axis, ticks = floor(xs, wall, columns, glyphs) if drawn else ((), ())
    budget = "" if bound is None else figures.milliseconds(bound, 7)
    if drawn:
        lines.append((Piece(" " * (_LEFT - 1)), *axis))
    if drawn or budget:
        room = _LEFT - 1 - LABEL
        lines.append(
            (label("budget" if budget else ""), Piece(f"{budget:<{room}}", "budget"), *ticks)
        )
    return lines


def in_words(interval: Sequence[float | None] | None) -> str:
    """Return both sides of *interval*, ``?`` for one that is not known, nothing without one."""
    if interval is None:
        return ""
    low, high = ("?" if side is None else figures.number(side).strip() for side in interval)
    return f"{low} to {high}"


def _known(measured: Measurement) -> dict[str, float]:
    """Return the percentiles and the maximum, as far as they were measured."""
    extra = sorted(n for n in measured.extra if n.startswith("p") and n.endswith("_ms"))
    names = (*_PERCENTILES, *extra, "max_ms")
    values = {name: measured.extra.get(name, getattr(measured, name, None)) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _facts(measured: Measurement) -> list[str]:
    """Return in words how many latencies there are and how they spread."""
    counted = "requests" if "offered_ips" in measured.extra else "batches"
    facts = [f"{measured.n} {counted}"] if measured.n is not None else []
    if measured.window_s is not None:
        facts.append(f"in {measured.window_s:.2f} s")
    if measured.mean_ms is not None:
        facts.append(f"mean {figures.milliseconds(measured.mean_ms)}")
    if measured.cv is not None:
        facts.append(f"cv {figures.percent(100.0 * measured.cv).strip()}")
    return facts


def _histogram(
    histogram: Histogram,
    facts: Sequence[str],
    xs: Scale,
    wall: float | None,
    columns: int,
    glyphs: Glyphs,
) -> list[Line]:
    """Draw how often each latency was seen, with *facts* at its left; over the budget in its ink.

    What was seen at all is seen here: the lowest bar is never empty.
    """
    edges = [xs.value(column / columns) for column in range(columns + 1)]
    shares = [b - a for a, b in itertools.pairwise(_seen_below(histogram, e) for e in edges)]
    steps = len(glyphs.bars) - 1
    levels = [
        max(1, round(share / max(shares) * steps * _ROWS)) if share > _NONE else 0
        for share in shares
    ]
    at_wall = None if wall is None else xs.cell(wall, columns)
    inks = ["over" if wall is not None and edge >= wall else "bar" for edge in edges]
    lines: list[Line] = []
    for row in range(_ROWS):
        cells = []
        for column, level in enumerate(levels):
            filled = max(0, min(steps, level - (_ROWS - 1 - row) * steps))
            empty = Piece(glyphs.budget, "budget") if column == at_wall else Piece(" ")
            cells.append(Piece(glyphs.bars[filled], inks[column]) if filled else empty)
        text = facts[row] if row < len(facts) else ""
        head = label("latency" if row == 0 else "")
        lines.append((head, Piece(f"{text:<{_LEFT - LABEL}}", "dim"), *merged(cells)))
    return lines


def _seen_below(histogram: Histogram, value: float) -> float:
    """Return how many latencies lie below *value*, each bucket taken as evenly filled."""
    low, high, counts = histogram.low_ms, histogram.high_ms, histogram.counts
    if value <= low:
        return 0.0
    if value >= high or low == high:
        return float(sum(counts))
    place = math.log(value / low) / math.log(high / low) * len(counts)
    whole = min(len(counts) - 1, int(place))
    return sum(counts[:whole]) + (place - whole) * counts[whole]


def _whisker(
    value: float,
    interval: Sequence[float | None] | None,
    xs: Scale,
    wall: float | None,
    columns: int,
    glyphs: Glyphs,
) -> list[Piece]:
    """Draw the interval with the value in it; an unknown upper side runs on to the edge."""
    cells = [Piece(" ")] * columns
    if interval is not None:
        low = xs.cell(interval[0], columns) if interval[0] is not None else 0
        high = xs.cell(interval[1], columns) if interval[1] is not None else columns - 1
        for x in range(low, high + 1):
            unknown = interval[1] is None and x > xs.cell(value, columns)
            cells[x] = Piece(glyphs.open_end if unknown else glyphs.floor, "interval")
        if interval[0] is not None:
            cells[low] = Piece(glyphs.low_end, "interval")
        if interval[1] is not None:
            cells[high] = Piece(glyphs.high_end, "interval")
    if wall is not None:
        cells[xs.cell(wall, columns)] = Piece(glyphs.budget, "budget")
    cells[xs.cell(value, columns)] = Piece(glyphs.good, "good")
    return cells
