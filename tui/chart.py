"""A scatter plot as characters: scales, ticks and a grid of cells. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui import figures
from tui.glyphs import Glyphs
from tui.paint import Line, Piece, merged

_LEFT = 7
_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_LOG_FROM = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One mark at (*x*, *y*); a click on it does *target*. Later points lie above earlier ones."""

    x: float
    y: float
    mark: str
    ink: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps values to positions from 0 to 1, evenly or by their logarithm."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return where *value* lies."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def value(self, position: float) -> float:
        """Return what lies at *position*."""
        if self.log:
            return self.low * math.pow(self.high / self.low, position)
        return self.low + (self.high - self.low) * position

    def cell(self, value: float, cells: int) -> int:
        """Return which of so many *cells* holds *value*, the first or last for what is outside."""
        return _cell(self.at(value), cells)

    def ticks(self, most: int) -> list[float]:
        """Return round values within the scale, *most* of them at the most."""
        if not self.log:
            return _even_ticks(self.low, self.high, most)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [s * 10.0**d for d in decades for s in steps]
            kept = [v for v in found if self.low <= v * 1.0001 and v <= self.high * 1.0001]
            if len(kept) <= most:
                return kept
        return kept[:: max(1, math.ceil(len(kept) / max(1, most)))]


def scale(values: Iterable[float], *, may_be_log: bool = False) -> Scale:
    """Return a scale with some room around *values*, logarithmic where they span much."""
    known = list(values)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if may_be_log and low > 0 and high / low >= _LOG_FROM:
        return Scale(low=low / 1.15, high=high * 1.15, log=True)
    room = (high - low) * 0.08 or abs(high) * 0.2 or 1.0
    floor = 0.0 if low >= 0 and low - room < 0 else low - room
    return Scale(low=floor, high=high + room)


def draw(
    points: Sequence[Point],
    front: Sequence[tuple[float, float]],
    bound: float | None,
    size: tuple[int, int],
    glyphs: Glyphs,
) -> list[Line]:
    """Return the lines of a plot of *size* columns and rows, axes included.

    *front* is joined by a line, *bound* is a vertical line at that x.
    """
    columns, rows = size[0] - _LEFT - 2, size[1] - 2
    if columns < 8 or rows < 2:
        return []
    xs = scale([p.x for p in points] + ([bound] if bound else []), may_be_log=True)
    ys = scale([p.y for p in points])
    cells = [[Piece(" ")] * columns for _ in range(rows)]
    if bound is not None:
        x = xs.cell(bound, columns)
        for row in cells:
            row[x] = Piece(glyphs.budget, "budget")
    _draw_front(cells, [(xs.at(x), ys.at(y)) for x, y in front], glyphs)
    for point in points:
        x, y = xs.cell(point.x, columns), rows - 1 - ys.cell(point.y, rows)
        cells[y][x] = Piece(point.mark, point.ink, point.target)
    below = ((Piece(" " * _LEFT), *line) for line in floor(xs, bound, columns, glyphs))
    return [*_with_axis(cells, ys, glyphs), *below]


def _draw_front(
    cells: list[list[Piece]], corners: Sequence[tuple[float, float]], glyphs: Glyphs
) -> None:
    rows, columns = len(cells), len(cells[0])
    wide, high = (columns * 2, rows * 4) if glyphs.braille else (columns, rows)
    dots: dict[tuple[int, int], int] = {}
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        steps = max(2, round(max(abs(x1 - x0) * wide, abs(y1 - y0) * high)))
        for step in range(steps + 1):
            part = step / steps
            x = _cell(x0 + (x1 - x0) * part, wide)
            y = high - 1 - _cell(y0 + (y1 - y0) * part, high)
            if glyphs.braille:
                key = (y // 4, x // 2)
                dots[key] = dots.get(key, 0) | _DOTS[y % 4][x % 2]
            else:
                dots[y, x] = 0
    for (y, x), bits in dots.items():
        cells[y][x] = Piece(chr(_BRAILLE + bits) if glyphs.braille else glyphs.front, "front")


def _with_axis(cells: list[list[Piece]], ys: Scale, glyphs: Glyphs) -> list[Line]:
    rows = len(cells)
    labels: dict[int, str] = {}
    for tick in ys.ticks(max(2, rows // 3)):
        labels[rows - 1 - ys.cell(tick, rows)] = figures.plain(tick)
    return [
        (
            Piece(labels.get(y, "").rjust(_LEFT - 1) + " ", "dim"),
            Piece(glyphs.axis, "rail"),
            *merged(row),
        )
        for y, row in enumerate(cells)
    ]


def floor(xs: Scale, bound: float | None, columns: int, glyphs: Glyphs) -> tuple[Line, Line]:
    """Return the axis below a plot and the labels of its ticks, the bound's among them.

    Both are one column wider than the plot, for the corner at their left.
    """
    axis = (Piece(glyphs.corner + glyphs.floor * columns, "rail"),)
    text = [" "] * (columns + 1)
    inks = ["dim"] * (columns + 1)
    if bound is not None:
        _write(text, inks, xs.cell(bound, columns), figures.plain(bound), "budget")
    for tick in xs.ticks(max(2, columns // 8)):
        _write(text, inks, xs.cell(tick, columns), figures.plain(tick), "dim")
    pieces = [Piece(char, ink) for char, ink in zip(text, inks, strict=True)]
    return axis, merged(pieces)


def _write(text: list[str], inks: list[str], x: int, label: str, ink: str) -> None:
    """Write *label* centred below column *x*, unless something stands there already."""
    start = max(0, min(len(text) - len(label), x + 1 - len(label) // 2))
    around = text[max(0, start - 1) : start + len(label) + 1]
    if len(label) > len(text) or any(char != " " for char in around):
        return
    text[start : start + len(label)] = label
    inks[start : start + len(label)] = [ink] * len(label)


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _cell(position: float, cells: int) -> int:
    return max(0, min(cells - 1, int(position * cells)))
