"""The search in words and figures: best, baseline, and what is measured now and why."""

from __future__ import annotations

import itertools

from autotuner.core.events import Candidate, JobFailed, TuneDone
from tui import figures, goal
from tui.paint import BLANK, LABEL, Line, Piece, fit, label, labelled, strip, width_of, wrap
from tui.session import Session
from tui.state import JobView
from tui.words import brief

_LONG_S = 8.0
_ROOM_FOR_FRONT = 6


def search(session: Session, width: int, height: int) -> list[Line]:
    """Return how the search stands for a pane of this size."""
    view = session.job
    if view is None:
        return _nothing(width)
    lines = [
        *_candidate(session, _name_of_winner(view), view.winner, width, "best"),
        *_candidate(session, "baseline", view.baseline, width, ""),
        _gain(session, width),
    ]
    lines += _ended(session, width) if view.ending is not None else _now(session, width)
    if view.winner is not None and view.baseline is not None:
        if height >= len(lines) + 4:
            lines.insert(5, _course(session, width))
        # With room to spare the blocks are set apart.
        for place in (6, 4, 2):
            if len(lines) < height:
                lines.insert(place, BLANK)
    if height < len(lines):
        del lines[3]  # what the baseline is, is known
    if height >= len(lines) + _ROOM_FOR_FRONT:
        lines += [BLANK, *_front(session, width, height - len(lines) - 1)]
    return [fit(line, width, session.glyphs) for line in lines[:height]]


def _nothing(width: int) -> list[Line]:
    text = (
        "Nothing runs. Start a search with `autotune MODEL --max-latency 50ms`; it is shown here "
        "as soon as it runs."
    )
    return [(), *((Piece(f" {part}", "dim"),) for part in wrap(text, width - 2))]


def _name_of_winner(view: JobView) -> str:
    ending = view.ending
    if isinstance(ending, TuneDone):
        return {"ok": "winner", "infeasible": "closest", "interrupted": "best"}[ending.status]
    return "best"


def _candidate(
    session: Session, name: str, candidate: Candidate | None, width: int, ink: str
) -> list[Line]:
    if candidate is None:
        return [(label(name), Piece("not yet", "dim"))]
    measured = candidate.measurement
    objective = session.job.objective if session.job else None
    metric = goal.latency_metric(objective).removesuffix("_ms")
    mark = f"{session.glyphs.best} " if ink else ""
    figures_line = [
        label(name),
        Piece(f"{mark}{figures.rate(measured.throughput_ips)}".ljust(12), f"strong {ink}"),
        Piece(f"{metric} ", "dim"),
        Piece(figures.milliseconds(goal.latency(objective, measured), 6), "strong"),
    ]
    if measured.memory_mib is not None and width >= 44:
        figures_line.append(Piece(f"  {figures.mebibytes(measured.memory_mib).strip()}", "dim"))
    if measured.power_w is not None and width >= 56:
        figures_line.append(Piece(f"  {figures.number(measured.power_w)} W", "dim"))
    return [tuple(figures_line), (label(""), Piece(brief(candidate.config, width - LABEL)))]


def _gain(session: Session, width: int) -> Line:
    view = session.job
    assert view is not None
    known = view.started.known_trials if view.started else 0
    of = f" of {view.started.max_trials}" if view.started and view.started.max_trials else ""
    counted = f"{view.measured}{of} trials"
    if known and width >= 50:
        counted += f", {known} known before"
    if view.speedup is None:
        return (label("trials"), Piece(counted.removesuffix(" trials"), "strong"))
    ink = "good" if view.speedup > 1.0 else ""
    return (
        label("gain"),
        Piece(f"{figures.ratio(view.speedup)}", f"strong {ink}"),
        Piece(f" baseline, {counted}", "dim"),
    )


def _course(session: Session, width: int) -> Line:
    """Return the throughput of the newest trials of the search, in their order."""
    view = session.job
    assert view is not None
    rates = (
        trial.throughput_ips
        for trial in reversed(view.trials)
        if trial.phase == "search" and trial.throughput_ips
    )
    newest = list(itertools.islice(rates, max(0, width - LABEL - 12)))[::-1]
    drawn = strip(newest, len(newest), 0.0, max(newest, default=1.0), session.glyphs)
    return (label("trials"), Piece(drawn, "good"), Piece(" throughput", "dim"))


def _front(session: Session, width: int, height: int) -> list[Line]:
    """Return what there is to choose from: less latency, or more throughput."""
    view = session.job
    assert view is not None
    best_ones = view.settled()[1][-height + 1 :]
    lines: list[Line] = [(label("front"), Piece("what no other trial beats in both", "dim"))]
    for trial in best_ones:
        standing = view.standing(trial)
        target = f"trial:{trial.key}"
        lines.append(
            (
                label(""),
                Piece(figures.milliseconds(trial.latency_ms, 6), standing, target),
                Piece(f" {figures.rate(trial.throughput_ips, 7)}  ", standing, target),
                Piece(brief(trial.config, width - LABEL - 22), "", target),
            )
        )
    return lines


def _now(session: Session, width: int) -> list[Line]:
    view = session.job
    assert view is not None
    trial = view.now
    if trial is None:
        word = "getting ready" if not view.trials else "choosing the next trial"
        if view.working is not None:
            word = str(view.working)
        return [(label("now"), Piece(word, "dim"), *_since(session, view.last_t))]
    since = _since(session, trial.began_t)
    room = width - LABEL - 2 - width_of(since)
    config = Piece(brief(trial.config, room))
    lines: list[Line] = [(label("now"), Piece(f"{session.glyphs.now} ", "live"), config, *since)]
    if view.working is not None:
        lines += _told("", str(view.working), width)
    return [*lines, *_told("why", trial.why, width)]


def _told(name: str, text: str, width: int) -> list[Line]:
    parts = wrap(text, width - LABEL - 3)
    return [
        (label(name if place == 0 else ""), Piece(part, "dim")) for place, part in enumerate(parts)
    ]


def _since(session: Session, t: float | None) -> list[Piece]:
    """Say for how long something has gone on, once it is long."""
    if t is None or session.job_now - t < _LONG_S:
        return []
    return [Piece(f"  {figures.clock(session.job_now - t)}", "warn")]


def _ended(session: Session, width: int) -> list[Line]:
    view = session.job
    assert view is not None
    ending = view.ending
    if isinstance(ending, JobFailed):
        return labelled("failed", ending.message, width, "over")
    if not isinstance(ending, TuneDone):
        message = getattr(ending, "message", "")
        return labelled("result", message, width, "") if message else []
    lines = labelled("result", ending.message, width, "good" if ending.status == "ok" else "over")
    lines += labelled("stopped", ending.stopped_because, width, "dim")
    if ending.profile is not None and ending.simulated is None:
        lines += [
            (
                label("next"),
                Piece("a", "key", "apply"),
                Piece(" apply it  ", "", "apply"),
                Piece("3", "key", "profiles"),
                Piece(" its profile  ", "", "profiles"),
            )
        ]
    return lines
