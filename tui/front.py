"""What the search has to choose from: its measured trials, and those that nothing beats."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tui.trials import Trial, Trials

RECENT = 200
"""How many measured trials are shown beside the front; older ones only crowd a plot."""


@dataclass(slots=True, kw_only=True)
class Settled:
    """The newest measured trials of the search and its front, carried on as trials come.

    *last_word* are those of the final round that stand for trials of the search.
    """

    last_word: list[Trial] = field(default_factory=list)
    searched: deque[Trial] = field(default_factory=lambda: deque(maxlen=RECENT))
    front: list[Trial] = field(default_factory=list)
    _next: int = 0

    def take(self, trials: Trials) -> None:
        """Add those of *trials* that ended since."""
        ended = len(trials)
        if trials and trials[-1].running:
            ended -= 1
        if self._next == ended:
            return
        again = {trial.config for trial in self.last_word}
        new = [
            trial
            for trial in trials[self._next : ended]
            if trial.measured and trial.phase != "proof" and trial.config not in again
        ]
        self.searched.extend(new)
        self.front = front([*self.front, *new, *self.last_word])
        self._next = ended


def front(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that no other beats in both throughput and the latency that counts.

    They come in the order of their latency; of two that are equal in both, the first.
    """
    known = [
        (trial.latency_ms, -trial.throughput_ips, trial)
        for trial in trials
        if trial.latency_ms is not None and trial.throughput_ips is not None
    ]
    known.sort(key=lambda item: item[:2])
    kept: list[Trial] = []
    fastest = 0.0
    for _, slowness, trial in known:
        if -slowness > fastest:
            fastest = -slowness
            kept.append(trial)
    return kept
