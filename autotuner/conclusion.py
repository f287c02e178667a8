"""How a tuning run ends: who won, what is kept as a profile, and what is said. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import autotuner
from autotuner.core.advice import closest, when_infeasible
from autotuner.core.config import Config
from autotuner.core.events import Candidate, TuneDone
from autotuner.core.judgement import Judgement
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.profile import Evidence, ModelRecord, Profile, SearchRecord
from autotuner.core.request import TuneRequest
from autotuner.proof import Contestant, Verdict
from autotuner.search.study import Trial
from autotuner.standard import Standard
from autotuner.subject import Subject

Status = Literal["ok", "infeasible", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """All that is known when a run has ended.

    *trials* are those of this study, *known* every configuration with the last measurement of the
    search, *front* the trials to keep as the profile's front. *recommended* counts when the run was
    called off before there was a *verdict*.
    """

    request: TuneRequest
    standard: Standard
    subject: Subject
    stopped_because: str
    trials: Sequence[Trial]
    known: Mapping[Config, Measurement]
    front: Sequence[Trial] = ()
    baseline: Candidate | None
    recommended: Candidate | None
    verdict: Verdict | None
    judgements: Sequence[Judgement]
    space_size: int
    elapsed_s: float
    window_share: float

    @property
    def status(self) -> Status:
        """How the run ended."""
        if self.verdict is None:
            return "interrupted"
        return "ok" if self.verdict.winner else "infeasible"

    @property
    def winner(self) -> Evidence | None:
        """The proven winner, or the best so far of a run that was called off."""
        if self.verdict is not None:
            return self._evidence(self.verdict.winner) if self.verdict.winner else None
        if self.recommended is None:
            return None
        return Evidence(config=self.recommended.config, measurement=self.recommended.measurement)

    def profile(self, created: str) -> Profile | None:
        """Return the profile to keep, if there is a winner; *created* is ISO 8601."""
        winner, baseline = self.winner, self._baseline()
        if winner is None or baseline is None:
            return None
        info = self.subject.info
        return Profile(
            status="proven" if self.status == "ok" else "interrupted",
            created=created,
            tool_version=autotuner.__version__,
            model=ModelRecord(name=info.name, path=str(info.path), sha256=info.sha256),
            workload=self.request.workload,
            objective=self.standard.objective,
            confidence=self.standard.confidence,
            winner=winner,
            baseline=baseline,
            speedup=_ratio(winner, baseline),
            search=SearchRecord(
                trials=len(self.trials),
                failed=self._failed,
                space_size=self.space_size,
                elapsed_s=self.elapsed_s,
                sampler=self.request.sampler,
                seed=self.request.workload.seed,
                stopped_because=self.stopped_because,
            ),
            fingerprint=self.subject.fingerprint,
            simulated=self.subject.simulated,
            judgement=self._judgement(winner.config),
            front=tuple(
                Evidence(config=Config.from_mapping(trial.config), measurement=trial.outcome)
                for trial in self.front
                if isinstance(trial.outcome, Measurement)
            ),
            provider_default=(default := self._provider_default(winner)),
            provider_speedup=_ratio(_searched(winner), default),
        )

    def event(self, profile_path: str | None) -> TuneDone:
        """Return the run's last event; the profile lies at *profile_path* if one was kept."""
        winner, baseline = self.winner, self._baseline()
        shown = _candidate(winner) or self._closest()
        return TuneDone(
            status=self.status,
            message=self._message(shown),
            model=self.subject.info.name,
            objective=str(self.request.objective),
            stopped_because=self.stopped_because,
            winner=shown,
            baseline=_candidate(baseline),
            speedup=_ratio(winner, baseline),
            proven=self.status == "ok",
            profile=profile_path,
            trials=len(self.trials),
            failed=self._failed,
            elapsed_s=self.elapsed_s,
            window_share=self.window_share,
            simulated=self.subject.simulated,
            judgements=tuple(self.judgements),
            provider_default=_candidate(default := self._provider_default(winner)),
            provider_speedup=_ratio(_searched(winner), default),
        )

    def _judgement(self, config: Config) -> Judgement | None:
        pair = (config.provider, config.precision)
        return next((j for j in self.judgements if (j.provider, j.precision) == pair), None)

    @property
    def _failed(self) -> int:
        return sum(isinstance(trial.outcome, Failed) for trial in self.trials)

    def _message(self, shown: Candidate | None) -> str:
        objective = self.request.objective
        if self.status == "ok":
            bounds = " and ".join(map(str, objective.constraints)) or str(objective)
            proven = f"Proven: {bounds} with {self.request.confidence:.0%} confidence"
            if shown is not None and (disturbed := shown.measurement.disturbed):
                return (
                    f"{proven}, although the box was never quiet ({disturbed}); "
                    "another configuration may be the best when it is: run it again then."
                )
            return f"{proven}."
        if self.status == "interrupted":
            return "The run was ended early, so nothing is proven; run it again to go on."
        return when_infeasible(shown, objective, self.request.dimensions)

    def _baseline(self) -> Evidence | None:
        if self.verdict is not None:
            return self._evidence(self.verdict.baseline)
        if self.baseline is None:
            return None
        return Evidence(config=self.baseline.config, measurement=self.baseline.measurement)

    def _provider_default(self, winner: Evidence | None) -> Evidence | None:
        """Return what the winner's provider does by default, if the search measured it.

        The baseline itself is no news.
        """
        if winner is None or winner.config.provider == self.subject.baseline.provider:
            return None
        wanted = replace(self.subject.default_of(winner.config.provider), mps=None)
        for config, measurement in self.known.items():
            if replace(config, mps=None) == wanted:  # which means nothing for one worker
                return Evidence(config=config, measurement=measurement)
        return None

    def _closest(self) -> Candidate | None:
        """Return the configuration that comes closest to keeping the constraints."""
        found = dict(self.known)
        for contestant in self.verdict.contestants if self.verdict else ():
            found[contestant.config] = contestant.measurement(self.standard)
        candidates = (Candidate(config=c, measurement=m) for c, m in found.items())
        return closest(candidates, self.request.objective)

    def _evidence(self, contestant: Contestant) -> Evidence:
        return Evidence(
            config=contestant.config,
            measurement=contestant.measurement(self.standard),
            search_measurement=contestant.known,
        )


def _candidate(evidence: Evidence | None) -> Candidate | None:
    if evidence is None:
        return None
    return Candidate(config=evidence.config, measurement=evidence.measurement)


def _searched(evidence: Evidence | None) -> Evidence | None:
    """Return *evidence* with what the search measured, to be compared with what only that saw."""
    if evidence is None or evidence.search_measurement is None:
        return evidence
    return replace(evidence, measurement=evidence.search_measurement)


def _ratio(winner: Evidence | None, baseline: Evidence | None) -> float | None:
    """Return how many times the baseline's throughput the winner's is."""
    if winner is None or baseline is None:
        return None
    mine, theirs = winner.measurement.throughput_ips, baseline.measurement.throughput_ips
    return mine / theirs if mine is not None and theirs else None
