"""Percentiles with their uncertainty, and when a series of batches is steady or decided. Pure.

Latencies are arrays of shape (n,), in milliseconds, in the order in which the batches started.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from autotuner.core.outcome import Histogram

Latencies = NDArray[np.float64]

REFUTED_AT = 0.01
"""The share of wrong *proven out* verdicts that the search accepts at each look."""

_FEWEST_ABOVE = 20
_SMALLEST_SHARE_ABOVE = 0.05
_LONG_SERIES = 200
_BUCKETS = 48
_BLOCKS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its confidence interval; a side that the sample cannot bound is None."""

    value: float
    low: float | None
    high: float | None

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Both sides as Measurement keeps them."""
        return self.low, self.high


def percentile(latencies: Latencies, q: float) -> float:
    """Return the q-th percentile as an order statistic: the smallest value that q % do not exceed.

    This is the nearest-rank definition; it never interpolates towards a value nobody saw.
    """
    rank = max(1, math.ceil(q / 100.0 * len(latencies) - 1e-9))
    return float(np.partition(latencies, rank - 1)[rank - 1])


def percentile_estimate(latencies: Latencies, q: float, confidence: float) -> Estimate:
    """Return the q-th percentile with its distribution-free interval between order statistics.

    The ranks come from the exact binomial distribution of the number of values below the true
    percentile (David and Nagaraja, *Order Statistics*, 3rd ed., section 7.1). Serially correlated
    batches count as :func:`effective_size_at` independent ones, whose ranks are stretched over the
    real sample.
    """
    n = len(latencies)
    ordered = np.sort(latencies)
    n_eff = max(1, int(effective_size_at(latencies, q)))
    tail = (1.0 - confidence) / 2.0
    below = np.cumsum(np.exp(_binomial_log_pmf(np.arange(n_eff + 1), n_eff, q / 100.0)))
    # X(low) exceeds the true percentile with P(B < low), X(high) falls short with P(B >= high).
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1.0 - tail, side="left")) + 1
    stretch = n / n_eff
    return Estimate(
        value=percentile(latencies, q),
        low=float(ordered[math.floor(low * stretch) - 1]) if low >= 1 else None,
        high=float(ordered[min(n, math.ceil(high * stretch)) - 1]) if high <= n_eff else None,
    )


def histogram(latencies: Latencies) -> Histogram:
    """Return how often *latencies*, at least one and all above zero, occurred."""
    logs = np.log(latencies)
    low, high = float(logs.min()), float(logs.max())
    counts, _ = np.histogram(logs, _BUCKETS if high > low else 1, range=(low, high))
    return Histogram(
        low_ms=float(latencies.min()), high_ms=float(latencies.max()), counts=tuple(counts.tolist())
    )


def effective_size(latencies: Latencies) -> float:
    """Return how many independent batches carry as much information as these.

    n divided by the integrated autocorrelation time of the ranks, by Geyer's initial positive
    sequence (*Practical Markov Chain Monte Carlo*, Statistical Science 7, 1992). Ranks, so that
    single outliers do not decide. Assumes a stationary series, which warm-up is there to ensure;
    never more than n, so that alternating batches gain nothing.

    A series that white noise explains counts whole: its lag-1 correlation is below 2.4 and its
    autocorrelation time below 1 + 14 divided by the root of n. White noise fails this in about
    2 of 100 series of 299; AR(1) of 0.2 is caught in eight of ten of them (simulated).
    Fewer than about ten independent batches' worth cannot tell their own correlation: an interval
    at 0.95 from 50 batches of AR(1) of 0.8 holds in 93 of 100 series.
    """
    n = len(latencies)
    if n < 8:
        return float(n)
    # Equal values share a rank, or their order in time would look like a trend.
    _, inverse, counts = np.unique(latencies, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2.0)[inverse]
    ranks -= ranks.mean()
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(ranks, size)
    correlation = np.fft.irfft(spectrum * spectrum.conj(), size)[:n]
    if correlation[0] <= 0.0:
        return float(n)
    correlation = correlation / correlation[0]
    pairs = correlation[0 : n - n % 2 : 2] + correlation[1:n:2]
    negative = np.flatnonzero(pairs <= 0.0)
    autocorrelation_time = 2.0 * float(pairs[: negative[0] if len(negative) else None].sum()) - 1.0
    root = math.sqrt(n)
    if correlation[1] <= 2.4 / root and autocorrelation_time <= 1.0 + 14.0 / root:
        return float(n)
    return n / autocorrelation_time


def effective_size_at(latencies: Latencies, q: float) -> float:
    """Return how many independent batches tell as much about the q-th percentile as these.

    What counts for a percentile is how exceeding it is correlated in time (Sen, *On the Bahadur
    representation of sample quantiles for sequences of phi-mixing random variables*, 1972), so this
    is :func:`effective_size` of the indicator "above the level". The level is the percentile
    itself, or a lower one where fewer than twenty batches, or one in twenty, would lie above it.
    Short series have too few batches above any level; there :func:`effective_size` itself counts.
    """
    n = len(latencies)
    if n < _LONG_SERIES:
        return effective_size(latencies)
    above = max(_FEWEST_ABOVE / n, _SMALLEST_SHARE_ABOVE)
    level = percentile(latencies, max(50.0, min(q, 100.0 * (1.0 - above))))
    return effective_size((latencies > level).astype(np.float64))


def batches_to_prove(q: float, confidence: float, over: int = 0) -> int:
    """Return how many batches prove "the q-th percentile keeps the budget" with *over* above it.

    The exact binomial bound for a fixed number of batches: 299 for p99 at 0.95 with none over
    (Wilks, *Determination of sample sizes for setting tolerance limits*, 1941).
    """
    share = 1.0 - q / 100.0
    fewest = max(over + 1, math.ceil(math.log(1.0 - confidence) / math.log(1.0 - share) - 1e-9))
    enough = fewest
    while binomial_cdf(over, enough, share) > 1.0 - confidence:
        enough *= 2
    return fewest + bisect.bisect_left(
        range(fewest, enough),
        True,
        key=lambda n: binomial_cdf(over, n, share) <= 1.0 - confidence,
    )


def judge(
    latencies: Latencies, budget_ms: float, q: float, confidence: float
) -> Literal["in", "out"] | None:
    """Judge "the q-th percentile keeps *budget_ms*" by these batches; see :func:`verdict`.

    Serially correlated batches count as :func:`effective_size_at` independent ones.
    """
    over = int((latencies > budget_ms).sum())
    thinning = effective_size_at(latencies, q) / len(latencies) if len(latencies) else 1.0
    return verdict(math.ceil(over * thinning), int(len(latencies) * thinning), q, confidence)


def verdict(over: int, n: int, q: float, confidence: float) -> Literal["in", "out"] | None:
    """Judge "the q-th percentile keeps the budget" when *over* of *n* batches exceeded it.

    ``in`` is wrong with probability at most 1 - *confidence* however often it is asked while n
    grows: the error is spent so that a series with none over is proven at the fixed-sample size of
    :func:`batches_to_prove`, and what remains is shared out over one, two, three ... batches over
    as 1/2, 1/6, 1/12 ... of it (an alpha spending rule; Lan and DeMets, Biometrika 70, 1983).
    ``out`` is a single look at :data:`REFUTED_AT`; it serves the search alone.
    """
    share = 1.0 - q / 100.0
    needed = batches_to_prove(q, confidence)
    if over == 0:
        return "in" if n >= needed else None
    left = (1.0 - confidence) - (1.0 - share) ** needed
    if binomial_cdf(over, n, share) <= left / (over * (over + 1.0)):
        return "in"
    if n >= 5 and 1.0 - binomial_cdf(over - 1, n, share) <= REFUTED_AT:
        return "out"
    return None


def steady(latencies: Latencies, tolerance: float = 0.03) -> bool:
    """Say whether batch times show no trend: the last two quarters of the series agree.

    They agree when their medians differ by no more than *tolerance* or by no more than twice the
    standard error of that difference. Fewer than eight batches are never steady.
    """
    if len(latencies) < 8:
        return False
    quarter = len(latencies) // 4
    before, after = latencies[-2 * quarter : -quarter], latencies[-quarter:]
    difference = abs(float(np.median(after) - np.median(before)))
    spread = 1.2533 * math.sqrt((before.var() + after.var()) / quarter)
    return difference <= max(tolerance * float(np.median(after)), 2.0 * spread)


def throughput_estimate(
    spans_s: NDArray[np.float64], batch_size: int, workers: int, confidence: float
) -> Estimate:
    """Return inferences per second from the time per batch of all workers together.

    *spans_s* has shape (n,): from each batch's start to the next one's of the same worker. The
    interval is that of the mean by the method of batch means, which allows for correlation shorter
    than a tenth of the series (Law, *Simulation Modeling and Analysis*, 5th ed., section 9.5).
    """
    mean = float(spans_s.mean())
    rate = workers * batch_size
    if len(spans_s) < 2:
        return Estimate(value=rate / mean, low=None, high=None)
    blocks = min(_BLOCKS, len(spans_s))
    means = np.array([block.mean() for block in np.array_split(spans_s, blocks)])
    error = _student_quantile(0.5 + confidence / 2.0, blocks - 1)
    error *= float(means.std(ddof=1)) / math.sqrt(blocks)
    high = rate / (mean - error) if error < mean else None
    return Estimate(value=rate / mean, low=rate / (mean + error), high=high)


def _student_quantile(p: float, freedom: int) -> float:
    """Return Student's t quantile, by its expansion around the normal one.

    Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.7.5; it lies within 1 % of the
    true value from four degrees of freedom on.
    """
    z = NormalDist().inv_cdf(p)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    return z + first / freedom + second / freedom**2


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return P(X <= k) for X binomial with *n* draws of probability *p*, summed exactly."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return min(1.0, math.fsum(np.exp(_binomial_log_pmf(np.arange(k + 1), n, p))))


def _binomial_log_pmf(k: NDArray[np.int64], n: int, p: float) -> NDArray[np.float64]:
    ks = k.tolist()
    choose = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in ks]
    result: NDArray[np.float64] = np.array(choose) + k * math.log(p) + (n - k) * math.log1p(-p)
    return result
