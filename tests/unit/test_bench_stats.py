from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotuner.bench.stats import (
    batches_to_prove,
    binomial_cdf,
    effective_size,
    judge,
    percentile,
    percentile_estimate,
    steady,
    throughput_estimate,
    verdict,
)


def autoregressive(rng, phi, rows, n):
    """Return stationary AR(1) series of unit variance, shape (rows, n)."""
    series = rng.standard_normal((rows, n))
    for i in range(1, n):
        series[:, i] = phi * series[:, i - 1] + math.sqrt(1.0 - phi**2) * series[:, i]
    return series


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=60), st.integers(1, 999))
def test_a_percentile_is_the_smallest_value_that_enough_do_not_exceed(values, per_mille):
    """The nearest-rank definition in whole numbers, whatever the series."""
    found = percentile(np.array(values), per_mille / 10.0)
    assert found in values
    assert sum(v <= found for v in values) * 1000 >= per_mille * len(values)
    assert sum(v < found for v in values) * 1000 < per_mille * len(values)


@pytest.mark.parametrize(("q", "value"), [(1, 1), (50, 50), (50.5, 51), (99, 99), (99.9, 100)])
def test_percentiles_of_one_to_a_hundred(q, value):
    """No rounding error moves the rank by one."""
    assert percentile(np.arange(100.0, 0.0, -1.0), q) == value


@pytest.mark.parametrize("p", [0.001, 0.01, 0.05, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 7, 60, 300])
def test_the_binomial_distribution_is_summed_exactly(n, p):
    """Against whole-number binomial coefficients."""
    exact = 0.0
    for k in range(n + 1):
        exact += math.comb(n, k) * p**k * (1.0 - p) ** (n - k)
        assert binomial_cdf(k, n, p) == pytest.approx(exact, rel=1e-9)
    assert binomial_cdf(-1, n, p) == 0.0
    assert binomial_cdf(n + 1, n, p) == 1.0


@pytest.mark.parametrize(
    ("q", "over", "batches"),
    [
        (90.0, 0, 29),
        (95.0, 0, 59),
        (95.0, 1, 93),
        (95.0, 2, 124),
        (99.0, 0, 299),
        (99.0, 1, 473),
        (99.0, 2, 628),
        (99.9, 0, 2995),
        (99.9, 1, 4742),
        (99.9, 2, 6294),
    ],
)
def test_batches_to_prove_are_those_of_the_published_tables(q, over, batches):
    """Sample sizes for a one-sided tolerance limit at a confidence of 95 %."""
    assert batches_to_prove(q, 0.95, over) == batches


@pytest.mark.parametrize("q", [50.0, 90.0, 99.0, 99.9])
@pytest.mark.parametrize("over", [0, 1, 5, 40])
def test_batches_to_prove_are_the_fewest_that_do(q, over):
    """One batch fewer would not reach the confidence."""
    n, share = batches_to_prove(q, 0.9, over), 1.0 - q / 100.0
    assert binomial_cdf(over, n, share) <= 0.1
    assert n == over + 1 or binomial_cdf(over, n - 1, share) > 0.1


@pytest.mark.parametrize("q", [95.0, 99.0])
def test_a_clean_series_is_proven_at_the_fixed_sample_size(q):
    """Looking often costs nothing while no batch is over."""
    needed = batches_to_prove(q, 0.95)
    assert verdict(0, needed, q, 0.95) == "in"
    assert verdict(0, needed - 1, q, 0.95) is None


def test_batches_over_the_budget_ask_for_more():
    """Each one raises the number that proves it, and a proof once given stays with more batches."""
    firsts = []
    for over in range(5):
        proven = [verdict(over, n, 99.0, 0.95) == "in" for n in range(299, 3000)]
        firsts.append(299 + proven.index(True))
        assert all(proven[proven.index(True) :])
    assert firsts == [299, 1080, 1417, 1699, 1954]


def test_a_broken_budget_is_found_out_early():
    """A fifth of the batches over is far from one in a hundred; one of five is not yet."""
    assert verdict(4, 20, 99.0, 0.95) == "out"
    assert verdict(1, 5, 99.0, 0.95) is None
    assert verdict(4, 4, 99.0, 0.95) is None


@pytest.mark.parametrize("over", [1023, 1024, 5000, 60_000])
def test_a_hopeless_series_has_a_verdict_however_long_it_is(over):
    """Thousands of batches over the budget overflow nothing."""
    assert verdict(over, 60_000, 99.0, 0.95) == "out"


def test_no_batches_prove_nothing():
    """A judge without evidence is silent."""
    assert judge(np.empty(0), 50.0, 99.0, 0.95) is None


def test_a_batch_at_the_budget_keeps_it():
    """The budget is the largest latency that is allowed."""
    latencies = np.random.default_rng(0).permutation(np.r_[np.linspace(1.0, 2.0, 298), 50.0])
    assert judge(latencies, 50.0, 99.0, 0.95) == "in"
    assert judge(latencies, 49.9, 99.0, 0.95) is None


def test_looking_often_does_not_make_wrong_proofs_likely():
    """At the very boundary, looked at after every batch, at most 5 % are proven in.

    Exact: the number over is a Markov chain, whose paths that ever meet a proof are summed up.
    """
    share, longest, most = 0.01, 4000, 60
    undecided, wrong = np.zeros(most + 1), 0.0
    undecided[0] = 1.0
    firsts = [
        next((n for n in range(1, longest) if verdict(k, n, 99.0, 0.95) == "in"), longest)
        for k in range(6)
    ]
    for n in range(1, longest):
        undecided[1:] = undecided[1:] * (1.0 - share) + undecided[:-1] * share
        undecided[0] *= 1.0 - share
        for over, first in enumerate(firsts):
            if n >= first:
                wrong += undecided[over]
                undecided[over] = 0.0
    assert 0.049 < wrong <= 0.05


@pytest.mark.parametrize("n", [50, 300])
@pytest.mark.parametrize("q", [50.0, 90.0, 99.0])
def test_a_percentile_lies_within_its_interval_as_often_as_stated(n, q):
    """In 1000 series of exponential latencies; a side without a bound always holds."""
    latencies = np.random.default_rng(n).exponential(1.0, (1000, n))
    true = -math.log(1.0 - q / 100.0)
    assert coverage(latencies, q, true) >= 0.95 - 3.0 * math.sqrt(0.95 * 0.05 / 1000)


def coverage(series, q, true):
    """Return the share of rows whose interval at 95 % has *true* in it."""
    hits = 0
    for row in series:
        found = percentile_estimate(row, q, 0.95)
        above_low = found.low is None or found.low <= true
        hits += above_low and (found.high is None or found.high >= true)
    return hits / len(series)


def test_an_interval_has_no_side_that_the_sample_cannot_bound():
    """The largest of 298 batches may lie below the 99th percentile with more than 5 %."""
    latencies = np.random.default_rng(3).exponential(1.0, 400)
    assert percentile_estimate(latencies[:298], 99.0, 0.90).high is None
    assert percentile_estimate(latencies[:299], 99.0, 0.90).high == latencies[:299].max()
    assert percentile_estimate(latencies[:5], 50.0, 0.95).low is None


def test_the_median_of_a_hundred_has_the_textbook_interval():
    """Ranks 40 and 61 at 95 % (David and Nagaraja, section 7.1)."""
    latencies = np.random.default_rng(3).permutation(np.arange(1.0, 101.0))
    found = percentile_estimate(latencies, 50.0, 0.95)
    assert (found.low, found.value, found.high) == (40.0, 50.0, 61.0)


def test_correlated_batches_have_wider_intervals():
    """They tell less than their number suggests."""
    rng = np.random.default_rng(4)
    white = rng.standard_normal(2000)
    slow = autoregressive(rng, 0.9, 1, 2000)[0]
    widths = [
        np.diff(percentile_estimate(series, 50.0, 0.95).interval)[0] for series in (white, slow)
    ]
    assert widths[1] > 2.5 * widths[0]


def test_white_noise_counts_whole():
    """At least 95 of 100 series of 299 keep all, so that a clean one is proven at 299."""
    series = np.random.default_rng(5).standard_normal((1000, 299))
    whole = np.array([effective_size(row) == 299 for row in series])
    assert whole.mean() >= 0.95


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_correlated_noise_counts_as_theory_says(phi):
    """AR(1) of coefficient phi is worth n (1 - phi) / (1 + phi), here within a third."""
    series = autoregressive(np.random.default_rng(6), phi, 100, 2000)
    found = np.median([effective_size(row) for row in series])
    assert 0.75 < found / (2000 * (1.0 - phi) / (1.0 + phi)) < 1.33


def test_alternating_batches_gain_nothing():
    """Negative correlation never makes a series worth more than its length."""
    assert effective_size(np.tile([1.0, 2.0], 200)) == 400.0


def test_equal_batches_are_not_correlated():
    """A clock or a simulated device may show the same time again and again."""
    assert effective_size(np.full(500, 3.0)) == 500.0
    assert judge(np.full(299, 3.0), 50.0, 99.0, 0.95) == "in"
    coarse = np.random.default_rng(7).integers(1, 3, 500).astype(float)
    assert effective_size(coarse) == 500.0


def test_a_short_series_is_taken_as_it_is():
    """Of fewer than eight batches correlation cannot be told."""
    assert effective_size(np.arange(7.0)) == 7.0
    assert effective_size(np.empty(0)) == 0.0


def test_a_trend_is_worth_few_batches():
    """A series that only rises cannot prove a percentile."""
    assert effective_size(np.arange(500.0)) < 25.0


def test_one_outlier_does_not_hide_correlation():
    """Ranks decide, not values."""
    series = autoregressive(np.random.default_rng(8), 0.8, 1, 1000)[0]
    usual = effective_size(series)
    series[500] = 1e9
    assert effective_size(series) == pytest.approx(usual, rel=0.2)


def test_a_flat_series_is_steady():
    """With and without noise."""
    rng = np.random.default_rng(9)
    assert steady(np.full(8, 5.0))
    noisy = rng.normal(10.0, 1.0, (500, 80))
    assert np.mean([steady(row) for row in noisy]) > 0.95


def test_a_falling_series_is_not_steady():
    """Batches still get faster: caches, clocks and allocators are warming up."""
    assert not steady(np.linspace(20.0, 10.0, 80))
    noise = np.random.default_rng(10).normal(0.0, 0.1, 80)
    assert not steady(np.linspace(20.0, 10.0, 80) + noise)


def test_a_slow_start_is_forgiven_once_it_is_over():
    """Only the last half is looked at."""
    assert steady(np.r_[np.full(40, 50.0), np.full(40, 10.0)])
    assert not steady(np.r_[np.full(60, 50.0), np.full(20, 10.0)])


def test_few_batches_are_never_steady():
    """Eight are the fewest that show anything."""
    assert not steady(np.full(7, 5.0))


def test_throughput_is_the_rate_of_all_workers():
    """Samples per batch times workers over the mean time from start to start."""
    spans = np.random.default_rng(3).permutation([0.01, 0.03] * 20)
    found = throughput_estimate(spans, 4, 2, 0.95)
    assert found.value == pytest.approx(400.0)
    assert found.low < 400.0 < found.high


def test_workers_of_different_speed_add_up():
    """100 and 50 batches in one second are 150 a second, whoever ran them."""
    spans = np.random.default_rng(11).permutation(np.r_[np.full(100, 0.01), np.full(50, 0.02)])
    assert throughput_estimate(spans, 1, 2, 0.95).value == pytest.approx(150.0)


def test_the_throughput_interval_holds_as_often_as_stated():
    """In 1000 windows of 200 batches with lognormal cycles."""
    spans = np.random.default_rng(12).lognormal(0.0, 0.5, (1000, 200))
    true = 1.0 / math.exp(0.125)
    found = [throughput_estimate(row, 1, 1, 0.95) for row in spans]
    assert np.mean([e.low <= true <= e.high for e in found]) >= 0.93


def test_throughput_of_a_single_batch_has_no_interval():
    """Nor has a wild pair an upper bound that means anything."""
    assert throughput_estimate(np.array([0.1]), 1, 1, 0.95).interval == (None, None)
    low, high = throughput_estimate(np.array([0.001, 1.0]), 1, 1, 0.95).interval
    assert low is not None
    assert high is None
