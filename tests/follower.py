"""A listener that follows a search over all daemons."""

from __future__ import annotations

import threading
import time

from autotuner import client
from autotuner.core.events import Ending, TrialDone

WAIT_S = 120.0


class Follower(threading.Thread):
    """Hears every event of *job* until its ending; *state* is the folder of the private daemon."""

    def __init__(self, state, job):
        super().__init__(daemon=True)
        self.job = job
        self.heard = []
        self._state = state
        self.start()

    def run(self):
        """Listen to the end."""
        with client.connected(self._state) as daemon:
            for told in daemon.stamped_events(self.job):
                if told is not None:
                    self.heard.append(told)

    @property
    def numbers(self):
        """The numbers of the events so far."""
        return [number for number, _, _ in self.heard]

    @property
    def ending(self):
        """The last event if it is an ending, else None."""
        return self.heard[-1][2] if self.heard and isinstance(self.heard[-1][2], Ending) else None

    @property
    def trials(self):
        """The events of the search's trials so far."""
        told = [event for _, _, event in self.heard]
        return [event for event in told if isinstance(event, TrialDone) and event.phase == "search"]

    def sees_another_trial(self):
        """Wait until one more trial of the search is finished; say whether the search goes on."""
        seen, deadline = len(self.trials), time.monotonic() + WAIT_S
        while self.ending is None and len(self.trials) == seen:
            assert time.monotonic() < deadline, self.heard
            assert self.is_alive()
            time.sleep(0.02)
        return self.ending is None

    def sees_the_end(self):
        """Wait for the ending and return it."""
        self.join(timeout=WAIT_S)
        return self.ending
