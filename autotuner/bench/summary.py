"""A steady run of a configuration, and the Measurement that it amounts to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import Slice
from autotuner.bench.stats import Estimate, histogram, percentile_estimate, throughput_estimate
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.core.request import MAIN_PERCENTILES, latency_metric

_USUAL = {latency_metric(q) for q in MAIN_PERCENTILES}


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyRun:
    """The batches (at least one) of one or several windows over *config*, and what went with them.

    *memory_mib* is the peak of all workers together, *setup_s* loading and first inference of the
    slowest worker. *power_w* and *clock_mhz* are means over the window. *disturbed* says what else
    shaped the window, if anything did.
    """

    config: Config
    batches: Slice
    window_s: float
    setup_s: float
    memory_mib: float | None = None
    power_w: float | None = None
    clock_mhz: float | None = None
    throttled: bool | None = None
    disturbed: str | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    def joined(self, earlier: SteadyRun | None) -> SteadyRun:
        """Return this run with the batches of an *earlier* one of the same configuration before it.

        Setup and memory stay those of the earlier one, whose sessions were fresh.
        """
        if earlier is None:
            return self
        shares = (earlier.window_s, self.window_s)
        rails = {name for name in earlier.extra.keys() & self.extra if name.startswith("power_w.")}
        means = {
            name: float(np.average((earlier.extra[name], self.extra[name]), weights=shares))
            for name in rails
        }
        return replace(
            earlier,
            batches=earlier.batches.followed_by(self.batches),
            window_s=sum(shares),
            power_w=_mean((earlier.power_w, self.power_w), shares),
            clock_mhz=_mean((earlier.clock_mhz, self.clock_mhz), shares),
            throttled=self.throttled if not earlier.throttled else True,
            extra={**earlier.extra, **means},
        )

    def throughput(self, confidence: float) -> Estimate:
        """Return the inferences per second of all workers together."""
        config = self.config
        return throughput_estimate(
            self.batches.cycles_s, config.batch_size, config.concurrency, confidence
        )

    def answered(self, confidence: float) -> Estimate:
        """Return the inferences per second that the power was drawn for."""
        return self.throughput(confidence)

    def measurement(self, percentile: float, confidence: float) -> Measurement:
        """Return the figures, *percentile* beside the usual ones, intervals at *confidence*."""
        latencies = self.batches.latencies_ms
        figures: dict[str, float] = {}
        intervals: dict[str, tuple[float | None, float | None]] = {}
        for q in sorted({*MAIN_PERCENTILES, percentile}):
            estimate = percentile_estimate(latencies, q, confidence)
            figures[latency_metric(q)] = estimate.value
            intervals[latency_metric(q)] = estimate.interval
        throughput = self.throughput(confidence)
        intervals["throughput_ips"] = throughput.interval
        energy_j = None
        answered = self.answered(confidence)
        if self.power_w is not None and answered.value:
            energy_j = self.power_w / answered.value
            # What is uncertain about it is the rate; meters are far steadier.
            low, high = answered.interval
            intervals["energy_j"] = (high and self.power_w / high, low and self.power_w / low)
            if self.power_w > 0.0:
                figures["ips_per_w"] = answered.value / self.power_w
            if (idle_w := self.extra.get("idle_power_w")) is not None:
                figures["energy_net_j"] = max(0.0, self.power_w - idle_w) / answered.value
        unusual = {name: value for name, value in figures.items() if name not in _USUAL}
        mean_ms = float(latencies.mean())
        return Measurement(
            throughput_ips=throughput.value,
            p50_ms=figures["p50_ms"],
            p90_ms=figures["p90_ms"],
            p95_ms=figures["p95_ms"],
            p99_ms=figures["p99_ms"],
            max_ms=float(np.max(latencies)),
            mean_ms=mean_ms,
            cv=float(latencies.std()) / mean_ms,
            n=len(latencies),
            window_s=self.window_s,
            memory_mib=self.memory_mib,
            power_w=self.power_w,
            energy_j=energy_j,
            clock_mhz=self.clock_mhz,
            throttled=self.throttled,
            setup_s=self.setup_s,
            disturbed=self.disturbed,
            histogram=histogram(latencies),
            intervals=intervals,
            extra={**unusual, **self.extra},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRun(SteadyRun):
    """A run under requests that arrived at *rate_ips* as a Poisson process.

    *batches* are the requests, with latencies from their scheduled arrival and cycles from one
    answer to the next. *overloaded* says that they piled up without end. *highest_ips* is the
    highest rate that the configuration is taken to keep within the budget; where it is known, it
    is the throughput.
    """

    rate_ips: float
    overloaded: bool = False
    highest_ips: float | None = None

    def joined(self, earlier: SteadyRun | None) -> ServedRun:
        """Return this run joined to an *earlier* one at the same rate; see the base class."""
        if not isinstance(earlier, ServedRun):
            return self
        both = SteadyRun.joined(self, earlier)
        assert isinstance(both, ServedRun)
        return replace(both, overloaded=self.overloaded or earlier.overloaded)

    def throughput(self, confidence: float) -> Estimate:
        """Return the highest rate, else the answers per second."""
        if (highest := self.highest_ips) is not None:
            return Estimate(value=highest, low=highest, high=highest)
        return self.answered(confidence)

    def answered(self, confidence: float) -> Estimate:
        """Return the answers per second from the window's beginning on."""
        if not len(self.batches.cycles_s):
            return Estimate(value=0.0, low=None, high=None)
        return throughput_estimate(self.batches.cycles_s, 1, 1, confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedBatches:
    """The batch times of a configuration by batch size, and what went with them.

    *power_w* is drawn with every worker busy, *idle_w* with none.
    """

    config: Config
    times: BatchTimes
    window_s: float
    setup_s: float
    memory_mib: float | None = None
    power_w: float | None = None
    idle_w: float | None = None
    clock_mhz: float | None = None
    throttled: bool | None = None
    disturbed: str | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    def power_at_w(self, rate_ips: float, capacity_ips: float) -> float | None:
        """Return about what requests at *rate_ips* draw, of at most *capacity_ips*.

        Where idle power is not known, it is what full load draws: never too little.
        """
        if self.power_w is None or self.idle_w is None:
            return self.power_w
        share = min(1.0, rate_ips / capacity_ips)
        return self.idle_w + share * (self.power_w - self.idle_w)


def _mean(values: tuple[float | None, float | None], shares: tuple[float, float]) -> float | None:
    """Return the mean of *values* by *shares*, None when one is not known."""
    first, second = values
    if first is None or second is None:
        return None
    return (first * shares[0] + second * shares[1]) / sum(shares)
