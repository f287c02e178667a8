"""What has to be shown before a configuration counts as good. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotuner.bench.stats import judge
from autotuner.bench.summary import ServedRun, SteadyRun
from autotuner.bench.window import Window
from autotuner.core.errors import SpaceError
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.request import latency_metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """What has to be shown: the objective's constraints, at this confidence."""

    objective: Objective
    confidence: float

    def window(self, min_s: float, max_s: float, *, prove: bool) -> Window:
        """Return a window that ends as soon as the constraint on latency is decided."""
        percentile, budget_ms = self.objective.latency_bound or (self.objective.percentile, None)
        return Window(
            min_s=min_s,
            max_s=max_s,
            budget_ms=budget_ms,
            percentile=percentile,
            confidence=self.confidence,
            prove=prove,
        )

    def measurement(self, run: SteadyRun) -> Measurement:
        """Return the figures of *run*, with the percentile and the confidence that count here."""
        return run.measurement(self.objective.percentile, self.confidence)

    def lacking(self, measurement: Measurement) -> Failed | None:
        """Return why *measurement* cannot be judged, None when all that counts was measured.

        A meter may go while it is watched; that costs a trial and not the search.
        """
        objective = self.objective
        for metric in (objective.metric, *(bound.metric for bound in objective.constraints)):
            try:
                measurement.metric(metric)
            except SpaceError:
                detail = f"{metric} was not measured throughout; autotune doctor shows which sensor"
                return Failed("unsupported", f"{detail} has gone")
        return None

    def verdict(self, run: SteadyRun, measurement: Measurement) -> Literal["in", "out"] | None:
        """Say whether *run* proves every constraint kept, or one broken, or neither yet.

        The constraint on latency is judged by the batches, the others by *measurement*. No
        constraint is kept where requests pile up.
        """
        if isinstance(run, ServedRun) and run.overloaded:
            return "out"
        bound = self.objective.latency_bound
        percentile, budget_ms = bound or (None, None)
        for constraint in self.objective.constraints:
            is_latency = bound is not None and constraint.metric == latency_metric(bound[0])
            if not is_latency and not constraint.kept(measurement):
                return "out"
        if percentile is None or budget_ms is None:
            return "in"
        return judge(run.batches.latencies_ms, budget_ms, percentile, self.confidence)
