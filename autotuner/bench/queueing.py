"""What requests would wait at workers that batch them, simulated event by event. Pure.

Requests wait in one line for several equal workers. The time of a batch is drawn independently of
all others from those that were measured with every worker busy; that a machine with idle workers
may be faster is left out, which errs on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace

import numpy as np
from numpy.typing import NDArray

from autotuner.bench.batching import Batching
from autotuner.bench.stats import Latencies, percentile

_NS_PER_MS = 1e6
_NS_PER_S = 1e9
_QUANTILES = 128
_REQUESTS = 10_000
_SETTLED = 0.1
_BISECTIONS = 9
_MOST_SIZES = 4
_LIGHTEST, _HEAVIEST = 0.01, 0.95

ServiceTime = Callable[[int], int]
"""The time in nanoseconds that the next batch, of the given size, keeps its worker busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTimes:
    """Measured batch times in milliseconds by batch size, at least one for each size."""

    ms: Mapping[int, Latencies]

    def capacity_ips(self, batching: Batching, workers: int) -> float:
        """Return the most requests per second that *workers* could answer: all of them busy."""
        means = self._quantiles_ns(batching.max_batch).mean(axis=1) / _NS_PER_S
        return workers * float(np.max(np.arange(1, batching.max_batch + 1) / means))

    def drawn(self, batching: Batching, batches: int, rng: np.random.Generator) -> ServiceTime:
        """Return batch times drawn at random, enough for *batches* batches.

        Every draw is a quantile, taken linearly between the nearest sizes that were measured, so
        that the same *rng* slows the same batches whatever their size.
        """
        by_size = self._quantiles_ns(batching.max_batch).astype(np.int64).tolist()
        draws = iter(rng.integers(_QUANTILES, size=batches).tolist())

        def next_batch(size: int) -> int:
            time_ns: int = by_size[size - 1][next(draws)]
            return time_ns

        return next_batch

    def _quantiles_ns(self, max_batch: int) -> NDArray[np.float64]:
        """Return quantiles of the batch time by size from 1 to *max_batch*, as rows."""
        grid = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
        sizes = sorted(self.ms)
        known = np.array([np.quantile(self.ms[size], grid) for size in sizes]) * _NS_PER_MS
        wanted = np.arange(1, max_batch + 1)
        columns = [np.interp(wanted, sizes, known[:, i]) for i in range(_QUANTILES)]
        return np.column_stack(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The latencies of simulated requests at *rate_ips*; *kept* says whether the budget holds."""

    rate_ips: float
    latencies_ms: Latencies
    kept: bool


def sizes_to_time(max_batch: int) -> tuple[int, ...]:
    """Return the batch sizes to measure, largest first: both ends and a few steps between."""
    steps = np.geomspace(max_batch, 1, num=_MOST_SIZES).round().astype(int)
    return tuple(dict.fromkeys(steps.tolist()))


def simulate(
    due_ns: Sequence[int], batching: Batching, workers: int, service_time: ServiceTime
) -> Latencies:
    """Return the latency of every request: from when it is due to the end of its batch."""
    free_ns = [due_ns[0]] * workers
    answered_ns = np.empty(len(due_ns), dtype=np.int64)
    first = 0
    while first < len(due_ns):
        start = max(free_ns[0], batching.ready_ns(due_ns, first))
        end = start + service_time(size := batching.size(due_ns, first, start))
        heapreplace(free_ns, end)
        answered_ns[first : first + size] = end
        first += size
    latencies: Latencies = (answered_ns - np.asarray(due_ns)) / _NS_PER_MS
    return latencies


def at_rate(
    rate_ips: float, times: BatchTimes, batching: Batching, workers: int, *, seed: int
) -> Latencies:
    """Return the latencies of simulated requests that arrive at *rate_ips* as a Poisson process.

    The same *seed* gives the same arrivals but for their pace, and the same luck with batch times:
    common random numbers, which make rates and configurations comparable.
    """
    rng = np.random.default_rng(seed)
    due_ns = np.cumsum(rng.exponential(_NS_PER_S / rate_ips, size=_REQUESTS)).astype(np.int64)
    service_time = times.drawn(batching, _REQUESTS, rng)
    latencies = simulate(due_ns.tolist(), batching, workers, service_time)
    return latencies[int(_SETTLED * _REQUESTS) :]


def highest_rate(
    times: BatchTimes,
    batching: Batching,
    workers: int,
    *,
    budget_ms: float,
    q: float,
    seed: int,
) -> Prediction:
    """Find the highest rate whose *q*-th percentile keeps *budget_ms*, by bisection.

    It presumes that what a rate keeps, lower ones keep too, and stays below 95 % of the capacity,
    beyond which no queue is stable for long. Where even the lightest load breaks the budget, that
    load is returned, not *kept*.
    """

    def tried(rate_ips: float) -> Prediction:
        latencies = at_rate(rate_ips, times, batching, workers, seed=seed)
        kept = percentile(latencies, q) <= budget_ms
        return Prediction(rate_ips=rate_ips, latencies_ms=latencies, kept=kept)

    capacity_ips = times.capacity_ips(batching, workers)
    best = tried(low := _LIGHTEST * capacity_ips)
    if not best.kept:
        return best
    high = _HEAVIEST * capacity_ips
    if (heaviest := tried(high)).kept:
        return heaviest
    for _ in range(_BISECTIONS):
        middle = tried((low + high) / 2.0)
        if middle.kept:
            best, low = middle, middle.rate_ips
        else:
            high = middle.rate_ips
    return best
