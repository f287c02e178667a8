"""What is believed of every configuration: its objective, its constraints, whether it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from autotuner.core import Constraint, Objective, SearchSpace
from autotuner.search.evidence import Evidence
from autotuner.search.features import (
    WITHOUT_MEMORY,
    coordinates,
    in_flight,
    memory_axes,
    service_trend,
)
from autotuner.search.gaussian_process import Array, GaussianProcess, Kernel, fit
from autotuner.search.normal import cumulative

_FIRST_SWEEPS = 3
_SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Means and standard deviations by configuration, in the grid's order.

    *gain* is the objective, higher is better; *excess* is by how much each constraint is broken
    (constraints x configurations). Both are logarithms where the metric allows it, so that 0.01 is
    one per cent. *runs* is the probability that a configuration can run at all, *feasible* that it
    also keeps every constraint. *noise* is the standard deviation of one measurement.
    """

    gain: Array
    gain_sd: Array
    excess: Array
    excess_sd: Array
    runs: Array
    feasible: Array
    noise: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posterior:
    mean: Array
    sd: Array
    noise: float


class Surrogate:
    """Gaussian processes over the grid of *space* for the metrics that *objective* names.

    Where the axes say how many samples are under way, the model is of the time that they take
    (samples / throughput, Little's law) and of a latency's ratio to it: both are simpler than
    throughput and latency themselves.
    """

    def __init__(self, space: SearchSpace, objective: Objective) -> None:
        self._size = len(space)
        self._objective = objective
        self._axes = coordinates(space)
        flight = in_flight(space)
        self._log_flight = None if flight is None else np.log(flight)
        self._service_trend = service_trend(space)
        self._memory = _MemoryOrder(space)
        self._kernels: dict[str, Kernel] = {}

    def believe(self, evidence: Evidence) -> Belief:
        """Return what *evidence*, at least one measurement, says of every configuration."""
        objective = self._objective
        metrics = dict.fromkeys([objective.metric, *(c.metric for c in objective.constraints)])
        parts: dict[str, _Posterior] = {}
        found = {metric: self._posterior(metric, evidence, parts) for metric in metrics}
        sign = 1.0 if objective.direction == "maximize" else -1.0
        excess = np.empty((len(objective.constraints), self._size))
        excess_sd = np.ones_like(excess)
        for i, constraint in enumerate(objective.constraints):
            posterior = found[constraint.metric]
            side = 1.0 if constraint.at_most is not None else -1.0
            bound = self._scaled(constraint.metric, np.asarray(_bound(constraint)), evidence)
            excess[i] = side * (posterior.mean - bound)
            excess_sd[i] = posterior.sd
        runs = self._runs(evidence)
        return Belief(
            gain=sign * found[objective.metric].mean,
            gain_sd=found[objective.metric].sd,
            excess=excess,
            excess_sd=excess_sd,
            runs=runs,
            feasible=runs * np.prod(cumulative(-excess / excess_sd), axis=0),
            noise=max(posterior.noise for posterior in found.values()),
        )

    def _posterior(
        self, metric: str, evidence: Evidence, parts: dict[str, _Posterior]
    ) -> _Posterior:
        """Return what is believed of *metric*; *parts* keeps what several metrics share."""
        known = self._log_flight is not None and evidence.is_positive("throughput_ips")
        if not known or not self._is_logarithmic(metric, evidence):
            return self._own_posterior(metric, evidence)
        flight = self._log_flight
        assert flight is not None
        if metric != "throughput_ips" and not metric.endswith("_ms"):
            return self._own_posterior(metric, evidence)
        services = [
            flight[row] - self._service_trend[row] - np.log(values)
            for row, values in zip(evidence.rows, evidence.values("throughput_ips"), strict=True)
        ]
        if _SERVICE not in parts:
            unexpected = self._regression(_SERVICE, services, evidence)
            parts[_SERVICE] = replace(unexpected, mean=unexpected.mean + self._service_trend)
        service = parts[_SERVICE]
        if metric == "throughput_ips":
            return _Posterior(mean=flight - service.mean, sd=service.sd, noise=service.noise)
        ratios = [
            np.log(latencies) + np.log(rates) - flight[row]
            for row, latencies, rates in zip(
                evidence.rows,
                evidence.values(metric),
                evidence.values("throughput_ips"),
                strict=True,
            )
        ]
        ratio = self._regression(metric, ratios, evidence)
        return _Posterior(
            mean=service.mean + ratio.mean,
            sd=np.hypot(service.sd, ratio.sd),
            noise=float(np.hypot(service.noise, ratio.noise)),
        )

    def _own_posterior(self, metric: str, evidence: Evidence) -> _Posterior:
        values = [self._scaled(metric, several, evidence) for several in evidence.values(metric)]
        return self._regression(metric, values, evidence)

    def _regression(self, name: str, values: list[Array], evidence: Evidence) -> _Posterior:
        """Fit the process called *name* to *values* by measured row."""
        centres = np.asarray([np.median(several) for several in values])
        # The median of several measurements is a little less sure than their mean.
        counts = np.where(evidence.counts > 2, evidence.counts / 1.3, evidence.counts)
        axes = self._axes.at(evidence.rows)
        before = self._kernels.get(name)
        start = before or Kernel(lengthscales=(0.8,) * (int(self._axes.axis.max()) + 1))
        steps = 1 if before else _FIRST_SWEEPS
        kernel = fit(start, axes, centres, counts, steps=steps)
        self._kernels[name] = kernel
        process = GaussianProcess(kernel, axes, centres, counts)
        mean, sd = process.predict(self._axes)
        return _Posterior(mean=mean, sd=sd, noise=float(np.sqrt(kernel.noise)))

    def _scaled(self, metric: str, values: Array, evidence: Evidence) -> Array:
        if self._is_logarithmic(metric, evidence):
            return np.log(values)
        scale = max(float(np.max(np.abs(several))) for several in evidence.values(metric))
        return values / (scale or 1.0)

    def _is_logarithmic(self, metric: str, evidence: Evidence) -> bool:
        bounds = (_bound(c) for c in self._objective.constraints if c.metric == metric)
        return evidence.is_positive(metric) and all(bound > 0.0 for bound in bounds)

    def _runs(self, evidence: Evidence) -> Array:
        """Return the probability that each configuration can run."""
        if not evidence.failed:
            return np.ones(self._size)
        failed = np.fromiter(evidence.failed, dtype=np.intp)
        rows = np.concatenate([evidence.rows, failed])
        labels = np.concatenate([np.ones(len(evidence.rows)), -np.ones(len(failed))])
        kernel = Kernel(
            constant=0.3,
            linear=2.0,
            quadratic=0.5,
            additive=0.1,
            residual=0.3,
            noise=0.02,
            lengthscales=(1.5,) * (int(self._axes.axis.max()) + 1),
        )
        # Taken on trust until shown otherwise: most configurations run.
        process = GaussianProcess(kernel, self._axes.at(rows), labels, np.ones(len(rows)))
        mean, sd = process.predict(self._axes)
        runs = cumulative((mean + 0.2) / np.sqrt(0.5 * sd**2 + 0.05))
        out_of_memory = [row for row, why in evidence.failed.items() if why.reason == "oom"]
        for row in out_of_memory:
            runs[self._memory.needs_no_less_than(row)] = 0.0
        runs[failed] = 0.0
        runs[evidence.rows] = 1.0
        return runs


class _MemoryOrder:
    """Which configurations need at least the memory of another: equal but for a higher step."""

    def __init__(self, space: SearchSpace) -> None:
        growing = memory_axes(space)
        self._steps = np.asarray(
            [[space[n].values.index(c[n]) for n in growing] for c in space.configs], dtype=int
        ).reshape(len(space), len(growing))
        rest = [name for name in space.names if name not in (*growing, *WITHOUT_MEMORY)]
        numbers: dict[tuple[object, ...], int] = {}
        self._rest = np.asarray(
            [numbers.setdefault(tuple(c[n] for n in rest), len(numbers)) for c in space.configs]
        )

    def needs_no_less_than(self, row: int) -> Array:
        """Return a mask of the configurations that need no less memory than *row*."""
        higher = np.all(self._steps >= self._steps[row], axis=1)
        mask: Array = higher & (self._rest == self._rest[row])
        return mask


def _bound(constraint: Constraint) -> float:
    bound = constraint.at_most if constraint.at_most is not None else constraint.at_least
    assert bound is not None
    return bound
