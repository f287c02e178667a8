"""Latency against throughput: every trial a mark, the front a line, the budget a wall."""

from __future__ import annotations

from tui import goal
from tui.chart import Point, draw
from tui.paint import BLANK, Line, Piece, width_of
from tui.session import Session
from tui.state import JobView, Trial

_MOST = 200
"""Beyond so many trials the oldest that are not on the front are left out."""

_ORDER = {"over": 0, "good": 1, "running": 2, "failed": 2, "best": 3}


def scatter(session: Session, width: int, height: int) -> list[Line]:
    """Return the plot and its legend for a pane of this size."""
    view, glyphs = session.job, session.glyphs
    if view is None or not any(trial.measurement for trial in view.trials):
        return [BLANK, (Piece(" no measurement yet", "dim"),)]
    measured, best_ones = view.settled()
    kept = _thinned(view, measured, best_ones)
    points = [p for p in (_point(session, view, trial) for trial in kept) if p is not None]
    corners = [
        (latency, trial.measurement.throughput_ips)
        for trial in best_ones
        if trial.measurement is not None
        and (latency := goal.latency(view.objective, trial.measurement)) is not None
        and trial.measurement.throughput_ips is not None
    ]
    bound = view.objective.latency_bound if view.objective else None
    return draw(points, corners, bound[1] if bound else None, (width, height), glyphs)


def _thinned(view: JobView, measured: list[Trial], best_ones: list[Trial]) -> list[Trial]:
    if len(measured) > _MOST:
        on_front = {trial.key for trial in best_ones}
        recent = {trial.key for trial in measured[-_MOST:]}
        measured = [t for t in measured if t.key in on_front or t.key in recent]
    return sorted(measured, key=lambda trial: _ORDER[view.standing(trial)])


def _point(session: Session, view: JobView, trial: Trial) -> Point | None:
    measured, glyphs = trial.measurement, session.glyphs
    if measured is None or measured.throughput_ips is None:
        return None
    latency = goal.latency(view.objective, measured)
    if latency is None:
        return None
    standing = view.standing(trial)
    mark = {"best": glyphs.best, "good": glyphs.good}.get(standing, glyphs.over)
    if view.baseline and trial.config == view.baseline.config and standing != "best":
        mark = glyphs.baseline
    ink = standing + (" chosen" if trial.key == session.trial else "")
    return Point(
        x=latency, y=measured.throughput_ips, mark=mark, ink=ink, target=f"trial:{trial.key}"
    )


def legend(session: Session, width: int) -> Line:
    """Return what the marks mean, as far as *width* has room."""
    glyphs, view = session.glyphs, session.job
    if view is None:
        return BLANK
    bound = view.objective.latency_bound if view.objective else None
    words = [
        (glyphs.best, "best", "best"),
        (glyphs.good, "within", "good"),
        (glyphs.over, "over", "over"),
        (glyphs.baseline, "base", "good"),
        (glyphs.budget, "budget", "budget"),
    ]
    if bound is None:
        words = [w for w in words if w[2] not in {"over", "budget"}]
    pieces: Line = ()
    for mark, word, ink in words:
        longer = (*pieces, Piece(f"{mark} ", ink), Piece(f"{word} "))
        if width_of(longer) > width - 4:
            break
        pieces = longer
    return pieces
