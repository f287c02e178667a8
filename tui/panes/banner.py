"""The two lines at the top: the pages, and how the job stands."""

from __future__ import annotations

from autotuner.core.events import JobFailed, TuneDone, VerifyDone
from tui import figures, goal
from tui.paint import Line, Piece, fit, meter, spread
from tui.session import Session
from tui.words import ROUNDS

PAGES = ("dashboard", "trial", "profiles", "machine", "log")


def banner(session: Session, page: str, keys: dict[str, str], width: int) -> list[Line]:
    """Return both lines; *keys* are the printed keys of the pages by id."""
    return [_tabs(session, page, keys, width), _standing(session, width)]


def _tabs(session: Session, page: str, keys: dict[str, str], width: int) -> Line:
    glyphs = session.glyphs
    brand = [Piece(" edge-autotune ", "brand"), Piece(" ")] if width >= 72 else [Piece(" ")]
    tabs: list[Piece] = []
    for name in PAGES:
        ink = "tab-on" if name == page else "tab"
        tabs += [
            Piece(f" {keys.get(name, '')}", f"key {ink}", name),
            Piece(f" {name} ", ink, name),
        ]
    connection = _connection(session)
    box = Piece(f"{session.box} ", "dim")
    return spread([*brand, *tabs], [*connection, box], width, glyphs)


def _connection(session: Session) -> list[Piece]:
    if session.frozen_at is not None:
        held = figures.clock(session.now - session.frozen_at)
        return [Piece(f"{session.glyphs.paused} held {held} ", "warn", "freeze")]
    if session.lost_since is not None:
        gone = figures.clock(session.now - session.lost_since)
        return [Piece(f"{session.glyphs.failed} no daemon {gone} ", "over")]
    if session.stale_s is not None:
        return [Piece(f"stale {figures.clock(session.stale_s)} ", "warn")]
    return []


def _standing(session: Session, width: int) -> Line:
    glyphs, view = session.glyphs, session.job
    if view is None:
        words = "waiting for the daemon" if session.status is None else "no job yet"
        return fit([Piece(f" {words}", "dim")], width, glyphs)
    mark, word, ink = state(session)
    began = view.began_t
    elapsed = "" if began is None else figures.clock(session.job_now - began)
    left = [
        Piece(f" {mark} ", ink),
        Piece(f"{word:<11}" if width >= 100 else f"{word} ", f"strong {ink}"),
        Piece(f"{elapsed:>5} ", "strong"),
    ]
    if (share := _share(session)) is not None:
        left += [Piece(" "), *meter(share, max(8, min(40, width // 6 - 4)), glyphs), Piece(" ")]
        assert view.ends_at is not None
        left_s = figures.clock(view.ends_at - session.job_now)
        left.append(Piece(f"{left_s} left ", "dim"))
    model = view.started.model if view.started else session.job_model
    if view.started is not None and view.started.simulated:
        model += f" (simulated {view.started.simulated})"
    right = [Piece(model, "title"), Piece(" ")]
    if wanted := goal.words(view.objective, glyphs):
        right = [
            Piece(model, "title"),
            Piece(f" {glyphs.dot} ", "dim"),
            Piece(f"{wanted} ", ""),
        ]
    return spread(left, fit(right, max(0, width - 34), glyphs), width, glyphs)


def state(session: Session) -> tuple[str, str, str]:
    """Return mark, word and ink for how the job stands."""
    glyphs, view = session.glyphs, session.job
    assert view is not None
    ending = view.ending
    if isinstance(ending, TuneDone):
        good = ending.status == "ok"
        words = {
            "ok": "proven" if ending.proven else "done",
            "infeasible": "infeasible",
            "interrupted": "interrupted",
        }
        return (
            (glyphs.done if good else glyphs.failed),
            words[ending.status],
            ("good" if good else "over"),
        )
    if isinstance(ending, JobFailed):
        return glyphs.failed, "cancelled" if ending.interrupted else "failed", "over"
    if isinstance(ending, VerifyDone):
        kept = ending.status == "kept"
        return (glyphs.done if kept else glyphs.failed), ending.status, "good" if kept else "over"
    if ending is not None:
        return glyphs.done, "done", "good"
    if session.job_state == "paused":
        return glyphs.paused, "paused", "warn"
    if session.job_state == "queued":
        return glyphs.paused, "queued", "warn"
    word = "starting" if view.phase is None else ROUNDS[view.phase]
    return glyphs.on, word, "live"


def _share(session: Session) -> float | None:
    """Return how much of the search's time is used, None where that is not known."""
    view = session.job
    if view is None or view.ending is not None or view.phase != "search":
        return None
    if view.ends_at is None or view.began_t is None:
        return None
    span = view.ends_at - view.began_t
    return (session.job_now - view.began_t) / span if span > 0 else 1.0
