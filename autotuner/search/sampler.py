"""The default sampler: expected improvement within the constraints, over a structured surrogate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from autotuner.core import Objective, Outcome, SearchSpace, Value
from autotuner.core.encoding import decode
from autotuner.search.evidence import Evidence
from autotuner.search.features import coordinates, top_power
from autotuner.search.normal import expected_improvement
from autotuner.search.parameters import from_params
from autotuner.search.proposals import Proposer
from autotuner.search.recommendation import ENOUGH, recommended, worth_repeating
from autotuner.search.surrogate import Belief, Surrogate

FIRST = 6
"""Configurations spread over the space before the surrogate decides."""
WORTHWHILE = 0.008
"""Less expected improvement than this is not worth a trial."""


class Judge:
    """Gathers a study's evidence and believes something of it, each piece of evidence once."""

    def __init__(self, space: SearchSpace, objective: Objective) -> None:
        self.rows = {tuple(config.values()): row for row, config in enumerate(space.configs)}
        self._space = space
        self._surrogate = Surrogate(space, objective)
        self._outcomes: dict[int, tuple[int, Outcome]] = {}
        self._believed: tuple[object, Belief] | None = None

    def evidence(self, study: Study, leave_out: int | None = None) -> Evidence:
        """Return what *study* has shown; the trial *leave_out* does not count as running."""
        outcomes, running = [], []
        for frozen in study.get_trials(
            deepcopy=False, states=(TrialState.COMPLETE, TrialState.RUNNING)
        ):
            if frozen.number == leave_out or not frozen.params:
                continue
            if frozen.state is TrialState.RUNNING:
                running.append(self._row(frozen))
                continue
            if frozen.number not in self._outcomes:
                outcome = decode(Outcome, frozen.user_attrs["outcome"])
                self._outcomes[frozen.number] = (self._row(frozen), outcome)
            outcomes.append(self._outcomes[frozen.number])
        return Evidence.gathered(outcomes, running)

    def belief(self, evidence: Evidence) -> Belief:
        """Return what *evidence* says of every configuration."""
        key = (evidence.measured, evidence.failed)
        if self._believed is None or self._believed[0] != key:
            self._believed = (key, self._surrogate.believe(evidence))
        return self._believed[1]

    def _row(self, frozen: FrozenTrial) -> int:
        return self.rows[tuple(from_params(self._space, frozen.params).values())]


class SurrogateProposer(Proposer):
    """Propose what promises the most improvement, or measure again what is still in doubt.

    After a few configurations that are spread over the space, the acquisition is expected
    improvement times the probability that every constraint holds.
    """

    def __init__(self, space: SearchSpace, judge: Judge, *, seed: int | None) -> None:
        super().__init__(space, seed=seed)
        self._judge = judge
        self._axes = coordinates(space)
        self._first = top_power(space)

    def propose(self, study: Study, trial: FrozenTrial) -> Mapping[str, Value]:
        """Return the configuration that is worth most now."""
        row = self._choose(self._judge.evidence(study, leave_out=trial.number))
        return self.space.configs[row]

    def _choose(self, evidence: Evidence) -> int:
        free = np.ones(len(self.space), dtype=bool)
        free[list(evidence.seen)] = False
        if (len(evidence.seen) < FIRST or not evidence.measured) and free.any():
            self.why = "spread over the space"
            return self._most_distant(evidence, free)
        belief = self._judge.belief(evidence)
        promise = np.where(free, improvement(belief, evidence), -1.0)
        row = int(np.argmax(promise))
        again = worth_repeating(belief, evidence)
        if again is not None and promise[row] < max(again[1], WORTHWHILE):
            self.why = "measure again what looks best"
            return again[0]
        self.why = "expected improvement"
        if promise[row] < 0.0:
            self.why = "measure again the recommendation"
            best = recommended(belief, evidence)
            return int(best[0]) if len(best) else int(evidence.rows[0])
        return row

    def _most_distant(self, evidence: Evidence, free: np.ndarray) -> int:
        points = self._axes.points
        free = free & self._first if (free & self._first).any() else free
        middle = np.sum((points + 0.1) ** 2, axis=1)
        if not evidence.seen:
            return int(np.argmin(np.where(free, middle, np.inf)))
        known = points[list(evidence.seen)]
        distances = np.min(np.sum((points[:, None, :] - known[None, :, :]) ** 2, axis=2), axis=1)
        # Corners are far from everything and rarely good.
        return int(np.argmax(np.where(free, distances - middle, -np.inf)))


def improvement(belief: Belief, evidence: Evidence) -> np.ndarray:
    """Return the expected improvement times the probability of keeping every constraint."""
    rows = evidence.rows
    likely = rows[belief.feasible[rows] >= 0.5]
    incumbent = belief.gain[likely].max() if len(likely) else belief.gain[rows].min()
    return expected_improvement(belief.gain, belief.gain_sd, float(incumbent)) * belief.feasible
