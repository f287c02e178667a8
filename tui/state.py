"""What is known of a job, from its events: pure, and the same whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
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
from autotuner.core.outcome import Failed, Measurement, Outcome
from tui import goal

Standing = Literal["running", "best", "good", "over", "failed"]
"""What a trial is to the search: colours and marks follow it."""


_MOST_EARLY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measurement of one configuration; *key* is the number of the event that told it first."""

    key: int
    phase: Phase
    number: int | None
    config: Config
    why: str = ""
    began_t: float | None = None
    ended_t: float | None = None
    outcome: Outcome | None = None

    @property
    def measurement(self) -> Measurement | None:
        """What was measured, None while it runs and when it failed."""
        return self.outcome if isinstance(self.outcome, Measurement) else None

    @property
    def name(self) -> str:
        """What people call it: its number in the search, else its round."""
        if self.phase == "search" and self.number is not None:
            return f"{self.number}"
        return {"baseline": "base", "proof": "final", "measure": "one"}.get(self.phase, self.phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log: when, a mark of the kind, and the event itself."""

    t: float
    event: Event
    best: bool = False


@dataclass(slots=True, kw_only=True)
class Settled:
    """The measured trials of the search and their front, carried on as trials come.

    *last_word* are those of the final round that stand for trials of the search.
    """

    last_word: list[Trial] = field(default_factory=list)
    searched: list[Trial] = field(default_factory=list)
    front: list[Trial] = field(default_factory=list)
    _next: int = 0

    def take(self, trials: Sequence[Trial], metric: str) -> None:
        """Add those of *trials* that ended since; *metric* is the latency that counts."""
        ended = len(trials)
        if trials and trials[-1].outcome is None:
            ended -= 1
        if self._next and self._next == ended:
            return
        again = {trial.config for trial in self.last_word}
        new = [
            trial
            for trial in trials[self._next : ended]
            if trial.measurement and trial.phase != "proof" and trial.config not in again
        ]
        self.searched += new
        self.front = front([*self.front, *new, *self.last_word], metric)
        self._next = ended


@dataclass(slots=True, kw_only=True)
class JobView:
    """A job as its events tell it; :meth:`take` is the only way in.

    *measured* is how many trials of the search have a result.
    """

    job: str
    started: Started | None = None
    objective: Objective | None = None
    began_t: float | None = None
    last_t: float | None = None
    ends_at: float | None = None
    ending: Ending | None = None
    working: Working | None = None
    trials: list[Trial] = field(default_factory=list)
    best: Candidate | None = None
    baseline: Candidate | None = None
    log: list[Entry] = field(default_factory=list)
    measured: int = 0
    passed_over: int = 0
    next: int = 0
    _early: dict[int, tuple[float, Event | None]] = field(default_factory=dict)
    _proofs: dict[Config, Trial] = field(default_factory=dict)
    _settled: Settled = field(default_factory=Settled)

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
        if isinstance(event, TrialDone):
            # The best so far is kept once, not with every entry.
            event = replace(event, config=self.trials[-1].config, best=None)
        told = isinstance(event, Working) and event.elapsed_s is not None
        if told or not isinstance(event, TrialStarted | Working):
            self.log.append(Entry(t=t, event=event, best=improved))

    @property
    def now(self) -> Trial | None:
        """The trial that is being measured."""
        if self.ending is not None or not self.trials:
            return None
        last = self.trials[-1]
        return last if last.outcome is None else None

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

    def settled(self) -> tuple[list[Trial], list[Trial]]:
        """Return what was measured of the configurations, in the order of their trials; its front.

        For the winner and the baseline the final round's word stands for the search's.
        """
        ends = [c.config for c in (self.winner, self.baseline) if c is not None]
        last_word = [self._proofs[c] for c in dict.fromkeys(ends) if c in self._proofs]
        if last_word != self._settled.last_word:
            self._settled = Settled(last_word=last_word)
        self._settled.take(self.trials, goal.latency_metric(self.objective))
        return [*self._settled.searched, *last_word], self._settled.front

    def standing(self, trial: Trial) -> Standing:
        """Return what *trial* is to the search."""
        if trial.outcome is None:
            return "running"
        if isinstance(trial.outcome, Failed):
            return "failed"
        if self.winner is not None and trial.config == self.winner.config:
            return "best"
        return "good" if goal.feasible(self.objective, trial.outcome) else "over"

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
        self.trials.append(trial)

    def _take_trial_done(self, n: int, t: float, event: TrialDone) -> bool:
        """Return whether this trial made a new best."""
        begun = self.now
        if begun is None or (begun.phase, begun.config) != (event.phase, event.config):
            begun = Trial(key=n, phase=event.phase, number=event.number, config=event.config)
            self.trials.append(begun)
        trial = replace(begun, ended_t=t, outcome=event.outcome)
        self.trials[-1] = trial
        self.measured += event.phase == "search"
        if event.phase == "proof" and trial.measurement is not None:
            self._proofs[trial.config] = trial
        if event.phase == "baseline" and trial.measurement is not None:
            self.baseline = Candidate(config=event.config, measurement=trial.measurement)
        if event.seconds_left is not None:
            self.ends_at = t + event.seconds_left
        if event.best is None:
            return False
        improved = self.best is None or event.best.config != self.best.config
        self.best = event.best
        return improved and event.best.config == event.config

    def _take_ending(self, event: Ending) -> None:
        self.ending = event
        if isinstance(event, TuneDone) and event.baseline is not None:
            self.baseline = event.baseline
        if isinstance(event, MeasureDone) and isinstance(event.outcome, Measurement):
            self.best = Candidate(config=event.config, measurement=event.outcome)


def front(trials: Sequence[Trial], metric: str) -> list[Trial]:
    """Return the trials that no other beats in both throughput and latency *metric*.

    They come in the order of their latency; of two that are equal in both, the first.
    """
    known: list[tuple[float, float, Trial]] = []
    for trial in trials:
        measurement = trial.measurement
        if measurement is None:
            continue
        latency = measurement.extra.get(metric, getattr(measurement, metric, None))
        if latency is not None and measurement.throughput_ips is not None:
            known.append((latency, -measurement.throughput_ips, trial))
    known.sort(key=lambda item: item[:2])
    kept: list[Trial] = []
    fastest = 0.0
    for _, slowness, trial in known:
        if -slowness > fastest:
            fastest = -slowness
            kept.append(trial)
    return kept


def selected(trials: Sequence[Trial], words: str) -> list[Trial]:
    """Return the trials in whose configuration, round or outcome all *words* occur."""
    wanted = words.lower().split()
    return [trial for trial in trials if all(word in _text(trial) for word in wanted)]


SORTS = ("order", "throughput", "latency", "memory", "power", "batch", "workers", "threads")
"""The names of the columns that trials can be sorted by."""


def ordered(
    trials: Sequence[Trial], sort: str, metric: str, *, reverse: bool = False
) -> list[Trial]:
    """Return the trials sorted by a name of SORTS, best or lowest first; unknown values are last.

    *metric* is the latency that counts.
    """
    if sort == "order":
        return list(reversed(trials)) if not reverse else list(trials)

    def value(trial: Trial) -> float | None:
        measurement, config = trial.measurement, trial.config
        if sort == "batch":
            return config.batch_size
        if sort == "workers":
            return config.workers
        if sort == "threads":
            return config.intra_op_threads
        if measurement is None:
            return None
        if sort == "throughput":
            return -measurement.throughput_ips if measurement.throughput_ips is not None else None
        if sort == "latency":
            return measurement.extra.get(metric, getattr(measurement, metric, None))
        return measurement.memory_mib if sort == "memory" else measurement.power_w

    valued = [(value(trial), trial.key, trial) for trial in trials]
    known = sorted((v, key, t) for v, key, t in valued if v is not None)
    known = known[::-1] if reverse else known
    return [t for _, _, t in known] + [t for v, _, t in valued if v is None]


def _text(trial: Trial) -> str:
    outcome = trial.outcome
    state = (
        "running" if outcome is None else outcome.reason if isinstance(outcome, Failed) else "done"
    )
    return f"{trial.name} {trial.phase} {trial.config} {trial.why} {state}".lower()
