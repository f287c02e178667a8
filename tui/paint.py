"""Lines of coloured text as values: what every pane is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.glyphs import Glyphs


class Piece(NamedTuple):
    """Some text in one ink; a click on it does *target*.

    *ink* names one or more styles of the style sheet, divided by spaces; *target* is the id of an
    action, or words that the page of the pane understands.
    """

    text: str
    ink: str = ""
    target: str = ""


Line = tuple[Piece, ...]

BLANK: Line = ()

LABEL = 12
"""How many columns a label takes."""


def line(*pieces: Piece | str) -> Line:
    """Return a line of *pieces*; a bare text has no ink."""
    return tuple(piece if isinstance(piece, Piece) else Piece(piece) for piece in pieces)


def width_of(pieces: Iterable[Piece]) -> int:
    """Return how many columns *pieces* take."""
    return sum(cell_len(piece.text) for piece in pieces)


def fit(pieces: Iterable[Piece], width: int, glyphs: Glyphs) -> Line:
    """Return *pieces* cut to *width* columns; where something is cut off stands an ellipsis."""
    kept: list[Piece] = []
    left = width
    for piece in pieces:
        size = cell_len(piece.text)
        if size <= left:
            kept.append(piece)
            left -= size
            continue
        cut = set_cell_size(piece.text, max(0, left - 1)) + glyphs.ellipsis if left > 0 else ""
        kept.append(piece._replace(text=cut))
        break
    return tuple(kept)


def spread(
    left: Iterable[Piece], right: Iterable[Piece], width: int, glyphs: Glyphs, ink: str = ""
) -> Line:
    """Return one line with *left* and *right* at its sides; *left* gives way."""
    right = tuple(right)
    room = width - width_of(right)
    if room <= 0:
        return fit(right, width, glyphs)
    kept = fit(left, room, glyphs)
    return (*kept, Piece(" " * (room - width_of(kept)), ink), *right)


def wrap(text: str, width: int) -> list[str]:
    """Return *text* in lines of at most *width* columns, divided at spaces where it has some."""
    lines: list[str] = []
    current = ""
    for word in text.split():
        rest = word
        while cell_len(rest) > width > 0:
            if current:
                lines.append(current)
                current = ""
            lines.append(rest[:width])
            rest = rest[width:]
        joined = f"{current} {rest}" if current else rest
        if cell_len(joined) > width:
            lines.append(current)
            current = rest
        else:
            current = joined
    return [*lines, current] if current else lines


def strip(values: Sequence[float], width: int, low: float, high: float, glyphs: Glyphs) -> str:
    """Return the newest *values* as a history strip of *width* columns, the newest at the right."""
    if width <= 0:
        return ""
    top = len(glyphs.bars) - 1
    span = high - low
    cells = [
        glyphs.bars[max(1, min(top, 1 + round((value - low) / span * (top - 1)))) if span else 1]
        for value in values[-width:]
    ]
    return "".join(cells).rjust(width)


def graph(
    values: Sequence[float], size: tuple[int, int], low: float, high: float, glyphs: Glyphs
) -> list[str]:
    """Return the newest *values* as an area of *size* columns and rows, the top row first."""
    width, rows = size
    if rows == 1 or width <= 0:
        return [strip(values, width, low, high, glyphs)]
    steps = len(glyphs.bars) - 1
    span = high - low
    levels = [
        max(1, min(steps * rows, round((value - low) / span * steps * rows))) if span else 1
        for value in values[-width:]
    ]
    return [
        "".join(glyphs.bars[max(0, min(steps, level - row * steps))] for level in levels).rjust(
            width
        )
        for row in reversed(range(rows))
    ]


def meter(share: float | None, width: int, glyphs: Glyphs, ink: str = "bar") -> list[Piece]:
    """Return a bar of *width* columns of which *share*, 0 to 1, is full."""
    if width <= 0:
        return []
    full = 0 if share is None else round(max(0.0, min(1.0, share)) * width)
    return [Piece(glyphs.full * full, ink), Piece(glyphs.rest * (width - full), "rail")]


def merged(pieces: Iterable[Piece]) -> Line:
    """Return *pieces* with neighbours of one ink and target joined."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1][1:] == piece[1:]:
            joined[-1] = piece._replace(text=joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return tuple(joined)


def marked(pieces: Iterable[Piece], ink: str, width: int) -> Line:
    """Return *pieces* as a whole row with *ink* added, such as the row of the cursor."""
    row = [piece._replace(ink=f"{piece.ink} {ink}".strip()) for piece in pieces]
    target = row[0].target if row else ""
    return (*row, Piece(" " * max(0, width - width_of(row)), ink, target))


def label(text: str) -> Piece:
    """Return *text* as the label at the left of a line."""
    return Piece(f" {text:<{LABEL - 1}}", "label")


def labelled(text: str, words: str, width: int, ink: str = "dim") -> list[Line]:
    """Return *words* wrapped beside the label *text*."""
    parts = wrap(words, max(10, width - LABEL - 1))
    return [(label(text if i == 0 else ""), Piece(part, ink)) for i, part in enumerate(parts)]
