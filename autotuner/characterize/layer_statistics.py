"""From runs with timed steps to the time of each layer and how well it is known. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotuner.backends.layers import ProfiledRun
from autotuner.characterize.attribution import attribute
from autotuner.core.layer_profile import LayerTime
from autotuner.model.cost import Cost

_NORMAL_95 = 1.96


@dataclass(kw_only=True)
class LayerStatistics:
    """The runs so far; a round is discarded when the runtime planned other steps in it."""

    runs: list[ProfiledRun] = field(default_factory=list)
    plain_s: list[float] = field(default_factory=list)

    def add(self, plain_s: Sequence[float], runs: Sequence[ProfiledRun]) -> None:
        """Take in one round."""
        if self.runs and _plan(runs[0]) != _plan(self.runs[0]):
            return
        self.runs.extend(runs)
        self.plain_s.extend(plain_s)

    @property
    def whole_ms(self) -> float:
        """The median batch while its layers are timed."""
        return statistics.median(run.whole_s for run in self.runs) * 1e3

    @property
    def plain_ms(self) -> float:
        """The median batch while they are not."""
        return statistics.median(self.plain_s) * 1e3

    @property
    def accounted(self) -> float:
        """The part of a run that its steps make, in the median of the runs.

        Step by step beside the same run's whole: what slows a run down is in both.
        """
        return statistics.median(_total(run) / run.whole_s for run in self.runs)

    @property
    def margin(self) -> float:
        """The largest margin of a step's share."""
        return max(margin for _, margin in self._shares())

    def layers(self, cost: Cost, batch_size: int) -> tuple[LayerTime, ...]:
        """Return each step with what it cost; *cost* is that of one sample."""
        steps = self.runs[0].steps
        total_us = self.accounted * self.whole_ms * 1e3
        groups = attribute(cost, [step.origins for step in steps])
        return tuple(
            LayerTime(
                name=step.name,
                operator=step.operator,
                nodes=tuple(cost.layers[index].name for index in nodes),
                time_us=share * total_us,
                share=share,
                share_margin=margin,
                flops=_flops(cost, nodes, batch_size),
                moved_bytes=_moved(cost, nodes, batch_size),
            )
            for step, nodes, (share, margin) in zip(steps, groups, self._shares(), strict=True)
        )

    def _shares(self) -> list[tuple[float, float]]:
        """Return each step's mean share of a run and its margin at 95 %."""
        totals = [_total(run) for run in self.runs]
        shares = []
        for times in zip(*([step.time_s for step in run.steps] for run in self.runs), strict=True):
            values = [time / total for time, total in zip(times, totals, strict=True)]
            margin = 1.0  # one run tells nothing
            if len(values) > 1:
                margin = _NORMAL_95 * statistics.stdev(values) / math.sqrt(len(values))
            shares.append((statistics.fmean(values), margin))
        return shares


def _plan(run: ProfiledRun) -> tuple[str, ...]:
    """Return what is done in order; names may be numbered anew in every session."""
    return tuple(step.operator for step in run.steps)


def _total(run: ProfiledRun) -> float:
    return sum(step.time_s for step in run.steps)


def _flops(cost: Cost, nodes: Sequence[int], batch_size: int) -> float | None:
    counts = [cost.layers[index].flops for index in nodes]
    if not counts or None in counts:
        return None
    return float(batch_size * sum(count for count in counts if count is not None))


def _moved(cost: Cost, nodes: Sequence[int], batch_size: int) -> float | None:
    """Return the bytes that the group reads and writes from outside, its weights once."""
    made = {name for index in nodes for name in cost.nodes[index].output}
    taken = {name for index in nodes for name in cost.nodes[index].input if name}
    outside = {name for i, node in enumerate(cost.nodes) if i not in nodes for name in node.input}
    kept = made & outside or made
    activations, weights = 0, 0
    for name in (taken - made) | kept:
        tensor = cost.tensors.get(name)
        if not name:
            continue
        if tensor is None or tensor.bytes is None:
            return None
        if tensor.stored:
            weights += tensor.bytes
        else:
            activations += tensor.bytes
    return float(batch_size * activations + weights) if nodes else None
