"""Latency against throughput: every trial a mark, the front a line, the budget a wall."""

from __future__ import annotations

from tui.chart import Point, draw
from tui.paint import BLANK, Line, Piece, width_of
from tui.session import Session
from tui.state import JobView
from tui.trials import Trial

_ORDER = {"over": 0, "good": 1, "running": 2, "failed": 2, "best": 3}


def scatter(session: Session, width: int, height: int) -> list[Line]:
    """Return the plot and its legend for a pane of this size."""
    view, glyphs = session.job, session.glyphs
    nothing: list[Line] = [BLANK, (Piece(" no measurement yet", "dim"),)]
    if view is None:
        return nothing
    measured, best_ones = view.settled()
    if not measured:
        return nothing
    shown = {trial.key: trial for trial in (*best_ones, *measured)}
    in_order = sorted(shown.values(), key=lambda trial: (_ORDER[view.standing(trial)], trial.key))
    points = [p for p in (_point(session, view, trial) for trial in in_order) if p is not None]
    corners = [
        (trial.latency_ms, trial.throughput_ips)
        for trial in best_ones
        if trial.latency_ms is not None and trial.throughput_ips is not None
    ]
    bound = view.objective.latency_bound if view.objective else None
    return draw(points, corners, bound[1] if bound else None, (width, height), glyphs)


def _point(session: Session, view: JobView, trial: Trial) -> Point | None:
    if trial.latency_ms is None or trial.throughput_ips is None:
        return None
    glyphs, standing = session.glyphs, view.standing(trial)
    mark = {"best": glyphs.best, "good": glyphs.good}.get(standing, glyphs.over)
    if view.baseline and trial.config == view.baseline.config and standing != "best":
        mark = glyphs.baseline
    ink = standing + (" chosen" if trial.key == session.trial else "")
    return Point(
        x=trial.latency_ms,
        y=trial.throughput_ips,
        mark=mark,
        ink=ink,
        target=f"trial:{trial.key}",
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
