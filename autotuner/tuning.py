"""The tuning loop: propose, measure, record, prove the winner, keep it; a generator of events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from autotuner import locations, plan, scenario, store, venue
from autotuner.bench.bench import Bench
from autotuner.bench.footprint import shortage
from autotuner.bench.harness import Cancelled
from autotuner.conclusion import Conclusion
from autotuner.core.config import Config
from autotuner.core.errors import ModelError
from autotuner.core.events import (
    Candidate,
    Event,
    Note,
    PlanDone,
    Started,
    TrialDone,
    TrialStarted,
)
from autotuner.core.judgement import Judgement
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.profile import Profile
from autotuner.core.request import TuneRequest
from autotuner.core.space import SearchSpace, Value
from autotuner.core.wording import counted
from autotuner.guard import Guard, passed, still_offered
from autotuner.history import open_search
from autotuner.model.variants import VariantStore
from autotuner.proof import Contestant, Verdict, prove
from autotuner.scenario import Scenario
from autotuner.search import IMPORTED, Search, Trial, trade_off
from autotuner.standard import Standard
from autotuner.subject import Subject

_FINALISTS = 6
_GRACE_S = 60.0
"""How much longer the final round may take while nothing is proven: a box is not always quiet."""
_BETTER_S = 10.0
"""How much longer it may take while one that looks better than what is proven is undecided."""
_SIMULATED_PROOF_S = 300.0
"""How much longer a simulated final round may take in any case: it costs no time."""
_FOUND = "a configuration within the constraints was found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a tuning run keeps what it finds; *asked_s* is when it was asked for, since 1970."""

    profiles: Path
    storage: str
    cache: Path
    asked_s: float = field(default_factory=time.time)


def tune(request: TuneRequest, *, places: Places, cancelled: Callable[[], bool]) -> Iterator[Event]:
    """Carry out *request* and end with TuneDone, or with PlanDone for a dry run.

    When *cancelled* says yes, the run ends with the best so far. Raises AutotunerError for bad
    input and for a disk that cannot be used.
    """
    subject = venue.resolve(
        request.workload,
        places.cache,
        dvfs=request.dvfs,
        allow_reboot_modes=request.allow_reboot_modes,
    )
    for note in subject.notes:
        yield Note(text=note)
    venue.check_power(request, subject)
    guard = Guard(
        subject=subject,
        rules=request.workload.accuracy,
        store=VariantStore(places.cache),
        cancelled=cancelled,
    )
    narrowed = request.dimensions
    pairs = guard.wanted(narrowed.get("provider"), narrowed.get("precision"))
    if left_out := guard.note(pairs):
        yield Note(text=left_out)
    # Where nothing of what was named exists, the message has to say what does.
    offered = guard.offered(pairs) if pairs else subject
    space = plan.search_space(offered, narrowed, budget_ms=request.max_latency_ms)
    if request.dry_run:
        yield _plan_done(subject, request, space)
        return
    if request.out is not None:
        locations.make_folder(Path(request.out))  # rather now than after all the measuring
    yield from guard.build(pairs)
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(
            venue.open_bench(
                subject,
                request.workload.seed,
                cancelled,
                guard.graph_of,
            )
        )
        began_s = bench.clock_s
        if busy := bench.background.note:
            yield Note(text=busy)
        judgements = yield from guard.judge(bench, pairs)
        subject = guard.offered(passed(pairs, judgements))
        narrowed = still_offered(narrowed, subject)
        space = plan.search_space(subject, narrowed, budget_ms=request.max_latency_ms)
        search = stack.enter_context(
            open_search(request, subject, space, places.storage, places.asked_s)
        )
        standard = Standard(objective=request.objective, confidence=request.confidence)
        run = _Run(
            request=request,
            standard=standard,
            scenario=scenario.of(request.workload, bench, standard),
            subject=subject,
            space=space,
            search=search,
            bench=bench,
            places=places,
            judgements=judgements,
            began_s=began_s,
        )
        yield from run.events()


@dataclass(kw_only=True)
class _Run:
    """One tuning run from the first measurement to the profile."""

    request: TuneRequest
    standard: Standard
    scenario: Scenario
    subject: Subject
    space: SearchSpace
    search: Search
    bench: Bench
    places: Places
    judgements: tuple[Judgement, ...]
    began_s: float
    baseline: Candidate | None = None
    refuted: set[Config] = field(default_factory=set)

    def events(self) -> Iterator[Event]:
        request = self.request
        yield Started(
            model=self.subject.info.name,
            objective=str(request.objective),
            fingerprint=self.subject.fingerprint.digest,
            simulated=self.subject.simulated,
            space_size=len(self.space),
            known_trials=len(self.search.trials()),
            max_trials=request.max_trials,
            max_seconds=request.max_seconds,
        )
        reason = ""
        verdict: Verdict | None = None
        try:
            yield from self._measure_baseline()
            reason, verdict = yield from self._search_and_prove()
        except Cancelled:
            reason = "it was called off"
        conclusion = self._conclusion(reason, verdict)
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        kept = yield from self._keep(conclusion.profile(now))
        yield conclusion.event(kept)

    def _measure_baseline(self) -> Iterator[Event]:
        config = self.subject.baseline
        yield TrialStarted(phase="baseline", config=config, why="the runtime's default")
        outcome = self.scenario.trial(config)
        if isinstance(outcome, Failed):
            raise ModelError(
                f"{self.subject.info.path.name} cannot be run by {config.provider}: "
                f"{outcome.detail or outcome.reason}; mend the model or export it again."
            )
        self.baseline = Candidate(config=config, measurement=outcome)
        self.search.import_trials([(self._point(config), outcome)])
        yield TrialDone(phase="baseline", config=config, outcome=outcome, best=self._best())

    def _search_and_prove(self) -> Generator[Event, None, tuple[str, Verdict]]:
        """Search, then prove what was found; what cannot be proven is not the *first*."""
        while (reason := (yield from self._search_until_stopped())) == _FOUND:
            best = self.search.best()
            assert best is not None
            verdict = yield from self._prove([best])
            if verdict.winner is not None and verdict.winner is not verdict.baseline:
                return reason, verdict
            self.refuted.add(Config.from_mapping(best.config))
        return reason, (yield from self._prove(self.search.finalists(_FINALISTS)))

    def _search_until_stopped(self) -> Generator[Event, None, str]:
        """Measure what the search proposes; return why it stopped."""
        while not (reason := self._reason_to_stop()):
            trial = self.search.ask()
            config = Config.from_mapping(trial.config)
            yield TrialStarted(phase="search", number=trial.number, config=config, why=trial.why)
            began_s = self.bench.clock_s
            try:
                outcome = yield from self._trial(config)
            except Cancelled:
                self.search.release(trial)
                raise
            self.search.tell(trial, outcome, seconds=self.bench.clock_s - began_s)
            yield TrialDone(
                phase="search",
                number=trial.number,
                config=config,
                outcome=outcome,
                trials=len(self._own_trials()),
                seconds_left=self._seconds_left(),
                best=self._best(),
            )
        return reason

    def _trial(self, config: Config) -> Generator[Event, None, Outcome]:
        """Measure *config*, unless it would need more memory than there is."""
        if lacking := shortage(config, self._measured(), self.bench.free_mib):
            return Failed("oom", lacking)
        failed = yield from self.scenario.load(config)
        outcome = failed or self.scenario.trial(config)
        return outcome if isinstance(outcome, Failed) else self.standard.lacking(outcome) or outcome

    def _measured(self) -> dict[Config, Measurement]:
        """Return every configuration with the last measurement of it."""
        return {
            Config.from_mapping(trial.config): trial.outcome
            for trial in self.search.trials()
            if isinstance(trial.outcome, Measurement)
        }

    def _reason_to_stop(self) -> str | None:
        most = self.request.max_trials
        if most is not None and len(self._own_trials()) >= most:
            return f"{counted(most, 'trial')} {'was' if most == 1 else 'were'} made"
        if self._seconds_left() <= 0.0:
            return f"{self.request.max_seconds:g} s of search were used"
        if self.request.first and self._has_first():
            return _FOUND
        return self.search.exhausted()

    def _has_first(self) -> bool:
        """Say whether something other than the baseline is sure to keep the constraints."""
        assert self.baseline is not None
        best = self._best()
        return best is not None and best.config not in {self.baseline.config, *self.refuted}

    def _prove(self, trials: Sequence[Trial]) -> Generator[Event, None, Verdict]:
        assert self.baseline is not None
        known = {Config.from_mapping(trial.config): trial.outcome for trial in trials}
        finalists = [
            Contestant(config=config, known=outcome)
            for config, outcome in known.items()
            if isinstance(outcome, Measurement) and config != self.baseline.config
        ]
        baseline = Contestant(config=self.baseline.config, known=self.baseline.measurement)
        longer_s = _SIMULATED_PROOF_S if self.subject.simulated else 0.0
        return (
            yield from prove(
                self.bench,
                self.scenario,
                self.standard,
                baseline,
                finalists,
                max_seconds=self.scenario.proof_s + longer_s,
                grace_s=_GRACE_S,
                better_s=_BETTER_S,
            )
        )

    def _conclusion(self, reason: str, verdict: Verdict | None) -> Conclusion:
        elapsed_s = self.bench.clock_s - self.began_s
        return Conclusion(
            request=self.request,
            standard=self.standard,
            subject=self.subject,
            stopped_because=reason,
            trials=self._own_trials(),
            known=self._measured(),
            front=trade_off(self.search.trials(), self.request.objective)
            if self.request.pareto
            else (),
            baseline=self.baseline,
            recommended=self._best(),
            verdict=verdict,
            judgements=self.judgements,
            space_size=len(self.space),
            elapsed_s=elapsed_s,
            window_share=self.bench.window_s / elapsed_s,
        )

    def _keep(self, profile: Profile | None) -> Generator[Note, None, str | None]:
        """Keep *profile* and return its path; nothing replaces what was proven but a new proof."""
        if profile is None:
            return None
        profiles = store.ProfileStore(self.places.profiles)
        if profile.status != "proven" and (earlier := profiles.proven(profile.name)):
            yield Note(text=f"The proven profile of an earlier run is kept: {earlier}")
            return None
        path = profiles.save(profile)
        if self.request.out is not None:
            store.write(profile, Path(self.request.out) / path.name)
        return str(path)

    def _best(self) -> Candidate | None:
        best = self.search.best()
        if best is None or not isinstance(best.outcome, Measurement):
            return None
        return Candidate(config=Config.from_mapping(best.config), measurement=best.outcome)

    def _own_trials(self) -> tuple[Trial, ...]:
        """Return the trials of this study, those of an interrupted run included."""
        return tuple(trial for trial in self.search.trials() if trial.why != IMPORTED)

    def _seconds_left(self) -> float:
        used = sum(trial.seconds or 0.0 for trial in self._own_trials())
        return self.request.max_seconds - used

    def _point(self, config: Config) -> dict[str, Value]:
        settings = config.to_mapping()
        return {name: settings[name] for name in self.space.names}


def _plan_done(subject: Subject, request: TuneRequest, space: SearchSpace) -> PlanDone:
    return PlanDone(
        model=subject.info.name,
        objective=str(request.objective),
        dimensions={dimension.name: dimension.values for dimension in space.dimensions},
        restrictions=tuple(rule.__doc__ or rule.__name__ for rule in space.restrictions),
        size=len(space),
        simulated=subject.simulated,
    )
