"""How each configuration of a sweep is measured, and what counts of that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.core.request import CharacterizeRequest

_PERCENTILE, _CONFIDENCE = 99.0, 0.95
_LOADING_S = 1.0
"""What a configuration takes beside its window, roughly; for the time that is told beforehand."""
_WARM_UPS, _RUNS, _COOL_OFF_S = 10, 50, 2.0


class SweepProtocol(Protocol):
    """A rule by which configurations are measured."""

    @property
    def cool_off_s(self) -> float:
        """How long to rest before each configuration."""

    @property
    def each_s(self) -> float:
        """About how long a configuration takes at least."""

    def store_key(self, fingerprint: str) -> str:
        """Return what facts by this rule are kept under; those of two rules never mix."""

    def window(self, config: Config) -> Window:
        """Return when to begin and to end."""

    def measurement(self, run: SteadyRun) -> Measurement:
        """Return what counts of *run*."""


@dataclass(frozen=True, slots=True)
class Steady:
    """Warm up until batch times are steady, then measure for *seconds*; the search's own rule."""

    seconds: float
    cool_off_s: float = 0.0

    @property
    def each_s(self) -> float:
        """About how long a configuration takes."""
        return self.seconds + _LOADING_S

    def store_key(self, fingerprint: str) -> str:
        """Return the search's own, which starts with what a sweep measured."""
        return fingerprint

    def window(self, _config: Config) -> Window:
        """Return one of the length that was asked for."""
        return Window(min_s=self.seconds, max_s=self.seconds)

    def measurement(self, run: SteadyRun) -> Measurement:
        """Return everything."""
        return run.measurement(_PERCENTILE, _CONFIDENCE)


@dataclass(frozen=True, slots=True)
class Embench:
    """Rest for 2 s, run 10 batches to warm up, then 50 of each worker, of which the fastest counts.

    Source: EmBench (Almeida et al., EMDL 2019) states a network's latency this way. The throughput
    is what all workers would reach at that latency; percentiles have no meaning here.
    """

    cool_off_s: float = _COOL_OFF_S
    each_s: float = _COOL_OFF_S + _LOADING_S

    def store_key(self, fingerprint: str) -> str:
        """Return one that no search reads."""
        return f"{fingerprint} embench"

    def window(self, config: Config) -> Window:
        """Return one that ends after so many runs, however long they take."""
        runs = _RUNS * config.concurrency
        return Window(min_s=0.0, max_s=math.inf, warm_up_runs=_WARM_UPS, runs=runs)

    def measurement(self, run: SteadyRun) -> Measurement:
        """Return the fastest run as ``min_ms``, and what is no latency."""
        config = run.config
        counted = run.batches.latencies_ms[: _RUNS * config.concurrency]
        min_ms = float(counted.min())
        return Measurement(
            throughput_ips=1e3 * config.batch_size * config.concurrency / min_ms,
            n=len(counted),
            window_s=run.window_s,
            memory_mib=run.memory_mib,
            power_w=run.power_w,
            clock_mhz=run.clock_mhz,
            throttled=run.throttled,
            setup_s=run.setup_s,
            disturbed=run.disturbed,
            extra={**run.extra, "min_ms": min_ms},
        )


def protocol_of(request: CharacterizeRequest) -> SweepProtocol:
    """Return the rule that *request* asks for."""
    return Embench() if request.protocol == "embench" else Steady(request.seconds)
