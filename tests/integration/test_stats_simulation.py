"""What the statistics promise, held against many simulated runs with a known truth."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from autotuner.bench.stats import judge, percentile_estimate

RUNS = 1000
CONFIDENCE = 0.95
CHANCE = 3.0 * math.sqrt(CONFIDENCE * (1.0 - CONFIDENCE) / RUNS)


def bimodal(z):
    """Map normal values to 10 ms with a second mode of one batch in five at 20 ms."""
    return np.where(z < NormalDist().inv_cdf(0.8), 10.0, 20.0) + 0.1 * z


DISTRIBUTIONS = {
    "exponential": lambda z: -np.log([0.5 * math.erfc(x / math.sqrt(2.0)) for x in z]),
    "lognormal": lambda z: np.exp(0.5 * z),
    "bimodal": bimodal,
}


def latent(seed, phi, rows, n):
    """Return stationary normal AR(1) series of shape (rows, n); latencies are made of them."""
    series = np.random.default_rng(seed).standard_normal((rows, n))
    for i in range(1, n):
        series[:, i] = phi * series[:, i - 1] + math.sqrt(1.0 - phi**2) * series[:, i]
    return series


SHAPES = [
    (0.0, "exponential"),
    (0.0, "lognormal"),
    (0.0, "bimodal"),
    (0.2, "bimodal"),
    (0.5, "exponential"),
    (0.8, "lognormal"),
]
LONG_SHAPES = [(0.0, "bimodal"), (0.8, "lognormal")]
"""Of series that take long to judge: the least smooth and the most correlated."""


@pytest.mark.parametrize(
    ("n", "phi", "distribution"),
    [
        *((n, *shape) for n in (50, 300) for shape in SHAPES),
        *((2000, *shape) for shape in LONG_SHAPES),
    ],
)
def test_percentiles_lie_within_their_intervals_as_often_as_stated(n, phi, distribution):
    """At p50, p90 and p99, whatever the distribution and with serial correlation."""
    shape = DISTRIBUTIONS[distribution]
    truth = {q: float(shape(np.array([NormalDist().inv_cdf(q / 100)]))[0]) for q in (50, 90, 99)}
    hits = dict.fromkeys(truth, 0)
    for row in latent(n, phi, RUNS, n):
        latencies = shape(row)
        for q, true in truth.items():
            found = percentile_estimate(latencies, q, CONFIDENCE)
            above_low = found.low is None or found.low <= true
            hits[q] += above_low and (found.high is None or found.high >= true)
    # Too few independent batches cannot tell how correlated they are; this is what is left then.
    promised = CONFIDENCE if n * (1.0 - phi) / (1.0 + phi) >= 10.0 else 0.92
    assert min(hits.values()) / RUNS >= promised - CHANCE, hits


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_a_budget_at_the_very_boundary_is_rarely_proven(phi):
    """Looked at whenever a tenth more batches are there, up to 3000, as a window does.

    The first look is at as many as a proof needs.
    """
    budget = NormalDist().inv_cdf(0.99)
    looks = [int(299 * 1.1**i) for i in range(25)]
    wrong = sum(
        any(judge(row[:n], budget, 99.0, CONFIDENCE) == "in" for n in looks)
        for row in latent(21, phi, RUNS, max(looks))
    )
    assert wrong / RUNS <= (1.0 - CONFIDENCE) + CHANCE


def test_a_clean_budget_is_proven_at_once():
    """At least 95 of 100 series that never come near the budget are proven with 299 batches."""
    proven = [judge(row, 50.0, 99.0, CONFIDENCE) == "in" for row in latent(22, 0.0, RUNS, 299)]
    assert np.mean(proven) >= 0.95


def test_a_broken_budget_is_told_from_a_kept_one():
    """Three per cent over is called out in most runs of 1000; a kept budget hardly ever."""
    rows = latent(23, 0.0, RUNS, 1000)
    bad = [judge(row, NormalDist().inv_cdf(0.97), 99.0, CONFIDENCE) for row in rows]
    good = [judge(row, NormalDist().inv_cdf(0.995), 99.0, CONFIDENCE) for row in rows]
    assert bad.count("out") / RUNS > 0.9
    assert good.count("out") / RUNS <= 0.02
