"""The two lines at the top: the pages, and how the job stands."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.core.events import JobFailed, TuneDone, VerifyDone
from tui import figures, goal
from tui.paint import Line, Piece, fit, meter, spread, width_of
from tui.session import Session
from tui.words import ROUNDS

PAGES = ("dashboard", "trial", "profiles", "machine", "log")


def banner(session: Session, page: str, keys: dict[str, str], width: int) -> list[Line]:
    """Return both lines; *keys* are the printed keys of the pages by id."""
    return [_tabs(session, page, keys, width), _standing(session, width)]


def _tabs(session: Session, page: str, keys: dict[str, str], width: int) -> Line:
    """Return the tabs and the box; where it is narrow only the page that is shown is named."""
    brand = [Piece(" edge-autotune ", "brand"), Piece(" ")]
    connection = _connection(session)
    box = Piece(f"{session.box} ", "dim")
    tabs = _names(page, keys, PAGES)
    room = width - width_of(connection)
    if width_of([*tabs, *brand, box]) <= room:
        return spread([*brand, *tabs], [*connection, box], width, session.glyphs)
    if width_of(tabs) > room:
        tabs = _names(page, keys, (page,))
    right = [*connection, box] if width_of([*tabs, box]) <= room else connection
    return spread(tabs, right, width, session.glyphs)


def _names(page: str, keys: dict[str, str], named: Sequence[str]) -> list[Piece]:
    """Return every page's key, and the names of those that are *named*."""
    pieces = []
    for name in PAGES:
        ink = "tab-on" if name == page else "tab"
        words = f" {name} " if name in named else " "
        pieces += [
            Piece(f" {keys.get(name, '')}", f"key {ink}", name),
            Piece(words, ink, name),
        ]
    return pieces


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
    right = [Piece(f" {model} ", "title")]
    wanted = goal.words(view.objective, glyphs)
    longer = [*right, Piece(f"{glyphs.dot} ", "dim"), Piece(f"{wanted} ")]
    if wanted and width_of([*left, *longer]) <= width:
        right = longer
    return spread(left, right, width, glyphs)


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
