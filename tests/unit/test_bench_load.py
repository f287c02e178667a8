from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.load import poisson_arrivals


def arrivals(rate_ips=200.0, duration_s=100.0, seed=1):
    """Return arrivals in seconds."""
    return poisson_arrivals(rate_ips, duration_s, np.random.default_rng(seed)) / 1e9


def test_requests_arrive_at_the_rate_that_was_asked_for():
    """20000 of them are within 3 % of it in all but one of 10000 cases."""
    assert len(arrivals()) == pytest.approx(200.0 * 100.0, rel=0.03)


def test_the_times_between_arrivals_are_exponential():
    """Their mean and standard deviation are equal, and 1/e of them are longer than the mean."""
    gaps = np.diff(arrivals())
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    assert (gaps > gaps.mean()).mean() == pytest.approx(np.exp(-1.0), rel=0.03)


def test_arrivals_come_in_order_up_to_the_first_after_the_end():
    """However low the rate, somebody comes."""
    times = arrivals(duration_s=10.0)
    assert (np.diff(times) >= 0.0).all()
    assert times[-2] <= 10.0 < times[-1]
    assert len(arrivals(rate_ips=0.001, duration_s=1.0)) >= 1


def test_the_same_seed_gives_the_same_arrivals():
    """A run can be repeated."""
    assert np.array_equal(arrivals(seed=3), arrivals(seed=3))
    assert not np.array_equal(arrivals(seed=3)[:10], arrivals(seed=4)[:10])
