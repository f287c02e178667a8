"""Put back what a killed process left changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from autotuner.host.power.base import PowerControl, State
from autotuner.host.power.journal import Journal
from autotuner.host.power.machine import open_control
from autotuner.host.power.nvpmodel import NVPMODEL

_WAIT_S = 60.0
_TAKEN_OVER_S = 0.05
"""What the killed one wrote last may not read back yet (see nodes.read_back)."""

_PERSISTENT = frozenset({NVPMODEL})
"""What outlives a reboot: the platform applies the last mode at boot. All else starts anew."""


def recover(path: Path, *, root: Path = Path("/")) -> tuple[str, ...]:
    """Put back what the journal at *path* holds, if anything; return what is to be said about it.

    Call it before the machine's present mode is looked at. Raises PowerError when a living process
    holds the journal, StateError when it cannot be used.
    """
    if not path.parent.is_dir():
        return ()
    journal = Journal(path)
    journal.claim(_WAIT_S)
    try:
        return put_back(journal, lambda: open_control(root))
    finally:
        journal.release()


def put_back(journal: Journal, open_: Callable[[], PowerControl]) -> tuple[str, ...]:
    """Restore what *journal* holds by the control that *open_* returns; its lock must be held.

    A journal whose settings are not all back is kept, so that the next start tries again.
    """
    try:
        kept = journal.read()
    except ValueError as error:
        aside = journal.set_aside()
        damaged = f"The power journal was damaged ({error}) and lies in {aside} now"
        return (f"{damaged}; if clocks or the power mode are not as they were, reboot.",)
    if kept is None:
        return ()
    state, of_this_boot = kept
    time.sleep(_TAKEN_OVER_S)
    if not of_this_boot:
        state = State(values={n: v for n, v in state.values.items() if n in _PERSISTENT})
    problems = open_().restore(state)
    if problems:
        again = f"This is tried again at the next start; remove {journal.path} to give it up."
        return (*problems, again)
    journal.remove()
    if of_this_boot:
        return ("The power state that a killed run had left changed is back.",)
    return ()
