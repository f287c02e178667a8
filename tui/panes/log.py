"""What happened, in words, the newest last."""

from __future__ import annotations

from itertools import islice

from tui import figures, words
from tui.paint import Line, Piece, fit, wrap
from tui.session import Session
from tui.state import Entry, JobView

_TIME = 9


def latest(session: Session, width: int, height: int) -> list[Line]:
    """Return the newest entries, one on each line."""
    view = session.job
    if view is None:
        return [(Piece(" nothing happened yet", "dim"),)]
    newest = list(islice(reversed(view.log), max(0, height)))[::-1]
    lines = [_lines(session, entry, width, whole=True)[0] for entry in newest]
    if view.passed_over:
        lines = (
            [*lines[1:], _passed_over(view)]
            if len(lines) == height
            else [*lines, _passed_over(view)]
        )
    return [fit(line, width, session.glyphs) for line in lines]


def log(session: Session, width: int, height: int, back: int = 0) -> list[Line]:
    """Return the last *height* lines of the log, or those *back* lines before them."""
    view = session.job
    if view is None:
        return [(Piece(" nothing happened yet", "dim"),)]
    lines: list[Line] = []
    for entry in reversed(view.log):
        if len(lines) >= height + back:
            break
        lines[:0] = _lines(session, entry, width)
    else:
        lines[:0] = _no_more_kept(view)
    if view.passed_over and back == 0:
        lines.append(_passed_over(view))
    end = len(lines) - back
    return lines[max(0, end - height) : end]


def _passed_over(view: JobView) -> Line:
    number = view.passed_over
    words = "event is" if number == 1 else "events are"
    return (Piece(f" {number} {words} of a newer version and could not be read", "warn"),)


def _no_more_kept(view: JobView) -> list[Line]:
    number = view.logged - len(view.log)
    return [(Piece(f" {number} entries before these are not kept", "dim"),)] if number else []


def clamped(session: Session, width: int, height: int, back: int) -> int:
    """Return *back*, or as far back as the first line when that is nearer."""
    view = session.job
    if view is None or back == 0:
        return 0
    total = 0
    for entry in reversed(view.log):
        total += len(_lines(session, entry, width))
        if total >= height + back:
            return back
    return max(0, min(back, total + len(_no_more_kept(view)) - height))


def _lines(session: Session, entry: Entry, width: int, *, whole: bool = False) -> list[Line]:
    """Return *entry* wrapped to *width* columns, or as the *whole* line that it is."""
    view = session.job
    assert view is not None
    ink, text = words.entry(entry, view.objective, session.glyphs, width - _TIME - 1)
    since = figures.clock(entry.t - view.began_t) if view.began_t is not None else ""
    parts = [text] if whole else wrap(text, max(10, width - _TIME - 1))
    return [
        (Piece(f" {since if i == 0 else '':>{_TIME - 3}}  ", "dim"), Piece(part, ink))
        for i, part in enumerate(parts)
    ]
