"""A steady run of a configuration, and the Measurement that it amounts to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import Slice
from autotuner.bench.stats import Estimate, percentile_estimate, throughput_estimate
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.core.request import MAIN_PERCENTILES, latency_metric

_USUAL = {latency_metric(q) for q in MAIN_PERCENTILES}


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyRun:
    """The batches (at least one) of one or several windows over *config*, and what went with them.

    *memory_mib* is the peak of all workers together, *setup_s* loading and first inference of the
    slowest worker. *disturbed* says what else shaped the window, if anything did.
    """

    config: Config
    batches: Slice
    window_s: float
    setup_s: float
    memory_mib: float | None = None
    disturbed: str | None = None
    extra: Mapping[str, float] = field(default_factory=dict)

    def joined(self, earlier: SteadyRun | None) -> SteadyRun:
        """Return this run with the batches of an *earlier* one of the same configuration before it.

        Setup and memory stay those of the earlier one, whose sessions were fresh.
        """
        if earlier is None:
            return self
        return replace(
            earlier,
            batches=earlier.batches.followed_by(self.batches),
            window_s=earlier.window_s + self.window_s,
        )

    def throughput(self, confidence: float) -> Estimate:
        """Return the inferences per second of all workers together."""
        config = self.config
        return throughput_estimate(
            self.batches.cycles_s, config.batch_size, config.workers, confidence
        )

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
            setup_s=self.setup_s,
            disturbed=self.disturbed,
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
        """Return the highest rate, else the answers per second from the window's beginning on."""
        if (highest := self.highest_ips) is not None:
            return Estimate(value=highest, low=highest, high=highest)
        if not len(self.batches.cycles_s):
            return Estimate(value=0.0, low=None, high=None)
        return throughput_estimate(self.batches.cycles_s, 1, 1, confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedBatches:
    """The batch times of a configuration by batch size, and what went with them."""

    config: Config
    times: BatchTimes
    window_s: float
    setup_s: float
    memory_mib: float | None = None
    disturbed: str | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
