"""What is known of a job, from its events: pure, and the same whatever their order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal

from autotuner.core.config import Config
from autotuner.core.events import (
    Candidate,
    Ending,
    Event,
    MeasureDone,
    Phase,
    Started,
    TrialDone,
    TrialStarted,
    TuneDone,
    Working,
)
from autotuner.core.objective import Objective
from autotuner.core.outcome import Measurement, Outcome
from tui import goal
from tui.front import Settled
from tui.trials import Trial, Trials

Standing = Literal["running", "best", "good", "over", "failed"]
"""What a trial is to the search: colours and marks follow it."""

LOGGED = 1000
"""How many entries the log keeps."""

_MOST_EARLY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log: when, a mark of the kind, and the event itself."""

    t: float
    event: Event
    best: bool = False


@dataclass(slots=True, kw_only=True)
class JobView:
    """A job as its events tell it; :meth:`take` is the only way in.

    *measured* is how many trials of the search have a result, *logged* how many entries the log
    had in all, of which it keeps the newest.
    """

    job: str
    started: Started | None = None
    objective: Objective | None = None
    began_t: float | None = None
    last_t: float | None = None
    ends_at: float | None = None
    ending: Ending | None = None
    working: Working | None = None
    trials: Trials = field(default_factory=Trials)
    best: Candidate | None = None
    baseline: Candidate | None = None
    log: deque[Entry] = field(default_factory=lambda: deque(maxlen=LOGGED))
    logged: int = 0
    measured: int = 0
    passed_over: int = 0
    next: int = 0
    _early: dict[int, tuple[float, Event | None]] = field(default_factory=dict)
    _proofs: dict[Config, Trial] = field(default_factory=dict)
    _settled: Settled = field(default_factory=Settled)
    _winning: tuple[Config, Trial | None] | None = None

    def take(self, n: int, t: float, event: Event | None) -> None:
        """Remember event number *n* of the time *t*, None for one that could not be read.

        One that was seen already changes nothing. One that comes early waits for those before it;
        when these do not come for long they are passed over.
        """
        if n < self.next:
            return
        self._early[n] = (t, event)
        if len(self._early) > _MOST_EARLY:
            self.passed_over += min(self._early) - self.next
            self.next = min(self._early)
        while self.next in self._early:
            then, following = self._early.pop(self.next)
            if following is None:
                self.passed_over += 1
            else:
                self._take(self.next, then, following)
            self.next += 1

    def _take(self, n: int, t: float, event: Event) -> None:
        self.began_t = t if self.began_t is None else self.began_t
        self.last_t = t
        improved = False
        self.working = event if isinstance(event, Working) else None
        if isinstance(event, Started):
            self._take_started(t, event)
        elif isinstance(event, TrialStarted):
            self._take_trial_started(n, t, event)
        elif isinstance(event, TrialDone):
            improved = self._take_trial_done(n, t, event)
        elif isinstance(event, Ending):
            self._take_ending(event)
        told = isinstance(event, Working) and event.elapsed_s is not None
        if told or not isinstance(event, TrialStarted | Working):
            if isinstance(event, TrialDone):
                # The best so far is kept once, not with every entry.
                event = replace(event, outcome=_briefly(event.outcome), best=None)
            self.log.append(Entry(t=t, event=event, best=improved))
            self.logged += 1

    @property
    def now(self) -> Trial | None:
        """The trial that is being measured."""
        if self.ending is not None or not self.trials:
            return None
        last = self.trials[-1]
        return last if last.running else None

    @property
    def phase(self) -> Phase | None:
        """The round in which the job is."""
        return self.trials[-1].phase if self.trials else None

    @property
    def winner(self) -> Candidate | None:
        """The recommendation as it stands: the ending's, else the best so far."""
        if isinstance(self.ending, TuneDone):
            return self.ending.winner
        return self.best

    @property
    def speedup(self) -> float | None:
        """The throughput of the winner as a multiple of the baseline's."""
        if isinstance(self.ending, TuneDone):
            return self.ending.speedup
        if self.best is None or self.baseline is None:
            return None
        after, before = (c.measurement.throughput_ips for c in (self.best, self.baseline))
        return after / before if after and before else None

    def trial(self, key: int | None) -> Trial | None:
        """Return the trial *key*, None when there is none."""
        place = None if key is None else self.trials.place(key)
        return None if place is None else self.trials[place]

    def winning_trial(self) -> Trial | None:
        """Return the newest trial of the recommended configuration."""
        if self.winner is None:
            return None
        config = self.winner.config
        if self._winning is None or self._winning[0] != config:
            of_it = (t for t in reversed(self.trials) if t.measured and t.config == config)
            self._winning = config, next(of_it, None)
        return self._winning[1]

    def settled(self) -> tuple[list[Trial], list[Trial]]:
        """Return what was measured of the configurations, in the order of their trials; its front.

        For the winner and the baseline the final round's word stands for the search's. Of a long
        search it is the newest.
        """
        ends = [c.config for c in (self.winner, self.baseline) if c is not None]
        last_word = [self._proofs[c] for c in dict.fromkeys(ends) if c in self._proofs]
        if last_word != self._settled.last_word:
            self._settled = Settled(last_word=last_word)
        self._settled.take(self.trials)
        return [*self._settled.searched, *last_word], self._settled.front

    def standing(self, trial: Trial) -> Standing:
        """Return what *trial* is to the search."""
        if trial.running:
            return "running"
        if not trial.measured:
            return "failed"
        if self.winner is not None and trial.config == self.winner.config:
            return "best"
        return "good" if trial.kept else "over"

    def _take_started(self, t: float, event: Started) -> None:
        self.started = event
        self.objective = goal.read(event.objective)
        if event.max_seconds is not None and self.ends_at is None:
            self.ends_at = t + event.max_seconds

    def _take_trial_started(self, n: int, t: float, event: TrialStarted) -> None:
        trial = Trial(
            key=n,
            phase=event.phase,
            number=event.number,
            config=event.config,
            why=event.why,
            began_t=t,
        )
        self.trials.put(trial)

    def _take_trial_done(self, n: int, t: float, event: TrialDone) -> bool:
        """Return whether this trial made a new best."""
        begun = self.now
        if begun is None or (begun.phase, begun.config) != (event.phase, event.config):
            begun = Trial(key=n, phase=event.phase, number=event.number, config=event.config)
        trial = begun.ended(t, event.outcome, self.objective)
        self.trials.put(trial)
        self.trials.keep(trial.key, event.outcome)
        self.measured += event.phase == "search"
        if event.phase == "proof" and trial.measured:
            self._proofs[trial.config] = trial
        if event.phase == "baseline" and isinstance(event.outcome, Measurement):
            self.baseline = Candidate(config=event.config, measurement=event.outcome)
        if event.seconds_left is not None:
            self.ends_at = t + event.seconds_left
        improved = False
        if event.best is not None:
            changed = self.best is None or event.best.config != self.best.config
            improved = changed and event.best.config == event.config
            self.best = event.best
        if self.best is not None and trial.measured and trial.config == self.best.config:
            self._winning = trial.config, trial
        return improved

    def _take_ending(self, event: Ending) -> None:
        self.ending = event
        if isinstance(event, TuneDone) and event.baseline is not None:
            self.baseline = event.baseline
        if isinstance(event, MeasureDone) and isinstance(event.outcome, Measurement):
            self.best = Candidate(config=event.config, measurement=event.outcome)


def _briefly(outcome: Outcome) -> Outcome:
    """Return *outcome* without what takes room and no entry of the log says."""
    if isinstance(outcome, Measurement):
        return replace(outcome, histogram=None, intervals={})
    return outcome
