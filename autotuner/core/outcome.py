"""What a trial showed: a Measurement, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autotuner.core.errors import SpaceError

FAILURE_REASONS = ("oom", "timeout", "unsupported", "crashed", "inaccurate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How often latencies occurred: *counts* in buckets of equal ratio from *low_ms* to *high_ms*.

    These are the shortest and the longest latency that were seen.
    """

    low_ms: float
    high_ms: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one steady run of a configuration showed; None means not known, never zero.

    Latencies are those of one batch, in milliseconds, unless the scenario says otherwise.
    *histogram* is that of the latencies. *intervals* holds the confidence interval of a metric
    under its name, None for a side that the sample cannot bound. *extra* holds metrics that have no
    field of their own, such as ``p99.9_ms``.
    """

    throughput_ips: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    mean_ms: float | None = None
    cv: float | None = None
    n: int | None = None
    window_s: float | None = None
    memory_mib: float | None = None
    power_w: float | None = None
    energy_j: float | None = None
    clock_mhz: float | None = None
    throttled: bool | None = None
    setup_s: float | None = None
    disturbed: str | None = None
    histogram: Histogram | None = None
    intervals: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    extra: Mapping[str, float] = field(default_factory=dict)

    def metric(self, name: str) -> float:
        """Return the metric *name*, a field or a key of ``extra``.

        Raises SpaceError, naming the metric, when it does not exist or was not measured.
        """
        value = self.extra[name] if name in self.extra else getattr(self, name, None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SpaceError(
                f"The measurement has no metric {name!r}; "
                "choose an objective and constraints that this run measures."
            )
        return float(value)


@dataclass(frozen=True, slots=True)
class Failed:
    """A configuration that could not be measured: a value, not an exception.

    *reason* is one of ``oom timeout unsupported crashed inaccurate``; *detail* says more in words.
    """

    reason: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.reason not in FAILURE_REASONS:
            raise ValueError(f"{self.reason!r} is not one of {', '.join(FAILURE_REASONS)}")


Outcome = Measurement | Failed
