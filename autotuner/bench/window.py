"""When a measuring window may end. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.bench.record import Slice
from autotuner.bench.stats import judge, steady, throughput_estimate

PRECISION = 0.02
"""Half the relative width of the throughput interval that is good enough for the search."""


_HOPELESS = 2.0
_FEWEST_FOR_HOPELESS = 3
_FEWEST_WARM_UP_RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long to measure: between *min_s* and *max_s* seconds, until enough is known.

    With *prove* the window goes on until the budget is proven kept or broken; without, it ends as
    soon as the budget is proven broken or the throughput is known within :data:`PRECISION`.
    *warm_up_runs* are made by every worker before it begins, None until their times are steady.
    *runs* end it when there are so many, whatever else is known.
    """

    min_s: float
    max_s: float
    budget_ms: float | None = None
    percentile: float = 99.0
    confidence: float = 0.95
    prove: bool = False
    warm_up_runs: int | None = None
    runs: int | None = None

    def warm(self, batches: Slice, fewest: int) -> bool:
        """Say whether it may begin after *batches*, at least *fewest* of them by each worker."""
        if self.warm_up_runs is not None:
            return fewest >= self.warm_up_runs
        return fewest >= _FEWEST_WARM_UP_RUNS and steady(batches.latencies_ms)

    def end(self, batches: Slice, elapsed_s: float) -> str | None:
        """Return why the window may end now, or None when it should go on.

        *batches* are at least one.
        """
        if self.runs is not None:
            return "enough runs" if len(batches.latencies_ms) >= self.runs else None
        if elapsed_s >= self.min_s:
            if self.budget_ms is not None:
                found = judge(
                    batches.latencies_ms, self.budget_ms, self.percentile, self.confidence
                )
                if found == "out":
                    return "proven out"
                if self.prove and found == "in":
                    return "proven in"
            if not self.prove and self._precise(batches):
                return "good enough"
        return "time is up" if elapsed_s >= self.max_s else None

    def hopeless(self, batches: Slice) -> bool:
        """Say whether already the first *batches* show that the budget is far out of reach."""
        if self.budget_ms is None or len(batches.latencies_ms) < _FEWEST_FOR_HOPELESS:
            return False
        return float(batches.latencies_ms.min()) > _HOPELESS * self.budget_ms

    def _precise(self, batches: Slice) -> bool:
        estimate = throughput_estimate(batches.cycles_s, 1, 1, self.confidence)
        if estimate.low is None or estimate.high is None:
            return False
        return (estimate.high - estimate.low) / 2.0 <= PRECISION * estimate.value
