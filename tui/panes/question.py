"""What the dialogues ask before something is changed: what is, and what would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autotuner.core.profile import Profile
from tui import figures
from tui.paint import BLANK, Line, Piece, labelled, wrap
from tui.panes.comparison import differences
from tui.panes.profile import read
from tui.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question; *text* says for a width what it is about, before and after.

    Whoever answers *yes*, in these words, has the *wish* about *subject*.
    """

    title: str
    text: Callable[[int], list[Line]]
    yes: str
    wish: str
    subject: str = ""


def cancel(session: Session) -> Question:
    """Return the question whether to end the job."""
    view = session.job
    assert view is not None

    def text(width: int) -> list[Line]:
        elapsed = figures.clock(session.job_now - view.began_t) if view.began_t else "0:00"
        kept = "The best so far is kept as a profile if it can be proven; trials are never lost."
        return [
            *labelled("job", view.job, width, "strong"),
            *labelled("now", f"{view.measured} trials in {elapsed}", width, ""),
            *labelled("after", kept, width, ""),
        ]

    return Question(
        title="end the job", text=text, yes="end the job", wish="cancel", subject=view.job
    )


def apply(session: Session, name: str) -> Question:
    """Return the question whether to apply the profile *name*."""
    return Question(
        title="apply a profile",
        text=lambda width: _applied(session, name, width),
        yes="apply it",
        wish="apply",
        subject=name,
    )


def restore(session: Session) -> Question:
    """Return the question whether to put back what was before."""

    def text(width: int) -> list[Line]:
        applied = session.applied or {}
        return [
            *labelled("before", str(applied.get("profile")), width, ""),
            *labelled("", f"power mode {applied.get('power_mode')}", width),
            *labelled("after", "no profile; the machine as it was found", width, "strong"),
        ]

    return Question(title="restore", text=text, yes="put it back", wish="restore")


def _applied(session: Session, name: str, width: int) -> list[Line]:
    profile = read(session.shown.get(name))
    applied = session.applied
    before = str(applied.get("profile")) if applied else "no profile; the machine as it was found"
    lines = labelled("before", before, width, "")
    if applied:
        lines += labelled("", f"power mode {applied.get('power_mode')}", width)
    lines += labelled("after", name, width, "strong")
    if not isinstance(profile, Profile):
        return [*lines, *labelled("", profile or "being fetched from the daemon", width)]
    winner = profile.winner
    lines += labelled("", f"power mode {winner.config.power_mode}; {winner.config}", width)
    other = read(session.shown.get(str(applied.get("profile")))) if applied else None
    if isinstance(other, Profile):
        lines += labelled("changes", differences(other.winner.config, winner.config), width, "warn")
    measured = winner.measurement
    p99 = figures.milliseconds(measured.p99_ms)
    lines += labelled(
        "measured", f"{figures.rate(measured.throughput_ips)}, p99 {p99}", width, "good"
    )
    return [*lines, BLANK, *_note("`r` puts back what was there before.", width)]


def _note(text: str, width: int) -> list[Line]:
    return [(Piece(f" {part}", "dim"),) for part in wrap(text, width - 2)]
