"""What `y` takes to the clipboard: the row under the cursor, in words."""

from __future__ import annotations

from autotuner.core.outcome import Failed
from tui.session import Session


def clipping(session: Session, page: str) -> tuple[str, str] | None:
    """Return what is copied on *page*, as its name and its text; None when there is nothing."""
    profile, trial = session.chosen_profile, session.chosen_trial()
    if page == "profiles" and profile is not None:
        return "the profile's path", str(profile.get("path", ""))
    if session.job is None or trial is None:
        return None
    outcome = session.job.trials.outcome(trial.key)
    detail = outcome.detail if isinstance(outcome, Failed) else ""
    return f"trial {trial.name}", f"{trial.config}{': ' + detail if detail else ''}"
