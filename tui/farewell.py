"""The last word on the plain terminal: how the job stands, and how to come back to it."""

from __future__ import annotations

from autotuner.core.events import JobFailed, TuneDone
from tui.session import Session
from tui.words import result

_STATUS = {"ok": 0, "infeasible": 3, "interrupted": 130}


def farewell(session: Session) -> str:
    """Return what to print when the interface is left: how the job stands, how to come back."""
    view = session.job
    if view is None:
        return ""
    ending = view.ending
    if isinstance(ending, TuneDone) and ending.profile is not None and ending.winner is not None:
        figures = result(ending.winner.measurement, view.objective)
        lines = [ending.message, f"Winner:  {ending.winner.config}: {figures}"]
        lines.append(f"Profile: {ending.profile}")
        if ending.proven:
            name = ending.profile.rsplit("/", 1)[-1].removesuffix(".yaml")
            lines.append(f"Next:    autotune apply {name}")
        return "\n".join(lines)
    if ending is not None:
        return str(getattr(ending, "message", "The job has ended."))
    return (
        f"The job {view.job} goes on. `autotune tui` shows it again, "
        f"`autotune cancel {view.job}` ends it with what it has."
    )


def exit_status(session: Session) -> int:
    """Return the command line's status for how the job ended; leaving a running job is fine."""
    ending = session.job.ending if session.job else None
    if isinstance(ending, TuneDone):
        return _STATUS[ending.status]
    if isinstance(ending, JobFailed):
        return 130 if ending.interrupted else 1
    return 0
