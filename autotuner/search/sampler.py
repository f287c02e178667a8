"""The default sampler: expected improvement within the constraints, over a structured surrogate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from autotuner.core import Value
from autotuner.search.acquisition import WORTHWHILE, improvement
from autotuner.search.evidence import Evidence
from autotuner.search.features import coordinates, top_power
from autotuner.search.gaussian_process import Array
from autotuner.search.judge import Judge
from autotuner.search.proposals import Proposer
from autotuner.search.recommendation import recommended, worth_repeating
from autotuner.search.seeds import first_rows
from autotuner.search.surrogate import Belief

SwitchingCost = Callable[[Mapping[str, Value] | None, Mapping[str, Value]], float]
"""Seconds to change from the configuration that ran last, None at first, to another."""

FIRST = 6
"""Configurations spread over a space of unusual axes before the surrogate decides."""
_CROWDED = 0.15
"""Distance, in units of an axis, within which two trials at the same time learn the same."""
_AS_GOOD = 0.7
"""A cheaper switch is preferred among proposals that promise this share of the best."""
_COMPARED = 50
DOUBT = 2.0
"""A surrogate that promises little may be too sure of itself: its errors count so many times."""


class SurrogateSampler(Proposer):
    """Propose what promises the most improvement, or measure again what is still in doubt.

    It starts with a few telling configurations where the axes are the usual ones, otherwise with
    some that are spread over the space.
    """

    def __init__(
        self, judge: Judge, *, seed: int | None, switching_cost: SwitchingCost | None = None
    ) -> None:
        super().__init__(judge.space, seed=seed)
        self._judge = judge
        self._points = coordinates(judge.space).points
        self._first = top_power(judge.space)
        self._telling = first_rows(judge.space)
        self._switching_cost = switching_cost
        self._last: Mapping[str, Value] | None = None

    def propose(self, study: Study, trial: FrozenTrial) -> Mapping[str, Value]:
        """Return the configuration that is worth most now."""
        row = self.choose(self._judge.evidence(study, asking=trial.number))
        self._last = self.space.configs[row]
        return self._last

    def choose(self, evidence: Evidence) -> int:
        """Return the row of the configuration that is worth most after *evidence*."""
        free = np.ones(len(self.space), dtype=bool)
        free[list(evidence.seen)] = False
        telling = [row for row in self._telling if free[row]]
        if telling and len(evidence.seen) < 2 * len(self._telling):
            self.why = "a telling shape"
            return telling[0]
        few = len(evidence.seen) < (0 if self._telling else FIRST)
        if free.any() and (few or not evidence.measured):
            self.why = "spread over the space"
            return self._most_distant(evidence, free)
        if not evidence.measured:
            self.why = "try again what failed"
            return int(self._rng.integers(len(self.space)))
        belief = self._judge.belief(evidence)
        promise = self._promise(belief, evidence)
        row = int(np.argmax(promise))
        again = worth_repeating(belief, evidence)
        if again is not None and promise[row] < max(again[1], WORTHWHILE):
            self.why = "measure again what looks best"
            return again[0]
        if promise[row] < 0.0:
            self.why = "measure again the recommendation"
            best = recommended(belief, evidence)
            likely = evidence.rows[np.argmax(belief.feasible[evidence.rows])]
            return int(best[0] if len(best) else likely)
        self.why = "expected improvement"
        if promise[row] < WORTHWHILE:
            promise = self._promise(belief, evidence, doubt=DOUBT)
            row = int(np.argmax(promise))
        if self._switching_cost is not None:
            return self._cheapest(promise, self._switching_cost)
        return row

    def _promise(self, belief: Belief, evidence: Evidence, *, doubt: float = 1.0) -> Array:
        """Return what each configuration promises, below zero for what was tried or runs."""
        promise = improvement(belief, evidence, doubt=doubt) * self._apart(evidence)
        promise[list(evidence.seen)] = -1.0
        return promise

    def _most_distant(self, evidence: Evidence, free: np.ndarray) -> int:
        free = free & self._first if (free & self._first).any() else free
        # Corners are far from everything and rarely good; small amounts are safer than large ones.
        eccentric = np.sum((self._points + 0.1) ** 2, axis=1)
        if not evidence.seen:
            return int(np.argmin(np.where(free, eccentric, np.inf)))
        distance = self._squared_distance(evidence.seen)
        return int(np.argmax(np.where(free, distance - eccentric, -np.inf)))

    def _apart(self, evidence: Evidence) -> Array | float:
        """Return how much each configuration would add to what runs already, from 0 to 1."""
        if not evidence.running:
            return 1.0
        distance = self._squared_distance(evidence.running)
        return 1.0 - np.exp(-distance / (2.0 * _CROWDED**2))

    def _squared_distance(self, rows: frozenset[int]) -> Array:
        """Return each configuration's squared distance to the nearest of *rows*."""
        nearest = np.full(len(self._points), np.inf)
        for row in rows:
            distance = np.sum((self._points - self._points[row]) ** 2, axis=1)
            nearest = np.minimum(nearest, distance)
        return nearest

    def _cheapest(self, promise: Array, cost: SwitchingCost) -> int:
        """Return the cheapest switch among the configurations that promise about as much."""
        best = np.argsort(-promise)[:_COMPARED]
        near = [int(row) for row in best if promise[row] >= _AS_GOOD * promise[best[0]]]
        return min(near, key=lambda row: cost(self._last, self.space.configs[row]))
