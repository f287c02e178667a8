from __future__ import annotations

import math

import numpy as np
import pytest

from autotuner.bench.batching import Batching
from autotuner.bench.queueing import BatchTimes, at_rate, highest_rate, simulate

SINGLY = Batching(max_batch=1)
REQUESTS = 150_000


def poisson(rate_ips, n=REQUESTS, seed=1):
    """Return *n* Poisson arrivals in nanoseconds."""
    gaps = np.random.default_rng(seed).exponential(1e9 / rate_ips, n)
    return np.cumsum(gaps).astype(np.int64).tolist()


def constant(ms):
    """Return a service time that is always the same, whatever the size."""
    return lambda _size: int(ms * 1e6)


def exponential(ms, seed=2):
    """Return exponential service times with mean *ms*."""
    draws = iter(np.random.default_rng(seed).exponential(ms * 1e6, REQUESTS).tolist())
    return lambda _size: int(next(draws))


def times(**by_size):
    """Return batch times that never vary, such as s1=10.0 for batches of one."""
    return BatchTimes(ms={int(size[1:]): np.array([ms]) for size, ms in by_size.items()})


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_worker_with_constant_times_waits_as_pollaczek_and_khinchine_say(load):
    """M/D/1: the mean wait is load / (2 (1 - load)) service times."""
    waits = simulate(poisson(load * 100.0), SINGLY, 1, constant(10.0)) - 10.0
    assert waits.mean() == pytest.approx(10.0 * load / (2.0 * (1.0 - load)), rel=0.05)


@pytest.mark.parametrize(("workers", "load"), [(1, 0.7), (2, 0.7), (4, 0.8)])
def test_several_workers_with_exponential_times_wait_as_erlang_says(workers, load):
    """M/M/c: a request waits with Erlang's C; the mean wait follows from it."""
    offered = workers * load
    terms = [offered**k / math.factorial(k) for k in range(workers)]
    last = offered**workers / math.factorial(workers) / (1.0 - load)
    erlang_c = last / (sum(terms) + last)
    latencies = simulate(poisson(offered * 100.0), SINGLY, workers, exponential(10.0))
    expected_wait = erlang_c * 10.0 / (workers * (1.0 - load))
    assert latencies.mean() - 10.0 == pytest.approx(expected_wait, rel=0.06)


def test_a_lone_request_waits_out_the_delay_and_then_its_batch():
    """With batching, patience is paid for when nobody else comes."""
    batching = Batching(max_batch=8, max_delay_ns=5_000_000)
    latencies = simulate([0, 10**9, 2 * 10**9], batching, 1, constant(10.0))
    assert latencies.tolist() == [15.0, 15.0, 15.0]


def test_requests_of_a_full_batch_end_together():
    """The first of four waits for the fourth, no longer."""
    ms = 10**6
    batching = Batching(max_batch=4, max_delay_ns=50 * ms)
    latencies = simulate([0, ms, 2 * ms, 3 * ms], batching, 1, constant(10.0))
    assert latencies.tolist() == [13.0, 12.0, 11.0, 10.0]


def test_requests_that_find_every_worker_busy_wait_for_the_first_one_free():
    """Two workers of 10 ms: the third of three requests at once ends at 20 ms."""
    assert simulate([0, 0, 0], SINGLY, 2, constant(10.0)).tolist() == [10.0, 10.0, 20.0]


def test_capacity_is_that_of_the_best_batch_size_with_every_worker_busy():
    """Batches of 4 in 20 ms by two workers are 400 a second."""
    measured = times(s1=10.0, s2=14.0, s4=20.0)
    assert measured.capacity_ips(Batching(max_batch=4), 2) == pytest.approx(400.0)
    assert measured.capacity_ips(SINGLY, 2) == pytest.approx(200.0)


def test_sizes_that_were_not_measured_lie_between_their_neighbours():
    """Linear in the size, quantile by quantile."""
    measured = BatchTimes(ms={1: np.array([10.0, 12.0]), 5: np.array([20.0, 26.0])})
    rng = np.random.default_rng(0)
    drawn = measured.drawn(Batching(max_batch=5), 200, rng)
    found = [drawn(3) / 1e6 for _ in range(200)]
    assert min(found) == pytest.approx(15.0, abs=0.1)
    assert max(found) == pytest.approx(19.0, abs=0.1)


def test_a_higher_rate_never_shortens_the_wait_of_unbatched_requests():
    """Common random numbers make rates comparable without noise."""
    means = [at_rate(rate, times(s1=10.0), SINGLY, 1, seed=0).mean() for rate in (20, 50, 80, 95)]
    assert means == sorted(means)


def test_the_highest_rate_agrees_with_the_closed_form_of_the_tail():
    """M/M/1: P(latency > t) is exp(-(mu - lambda) t), so the rate follows from the budget."""
    served = np.random.default_rng(3).exponential(10.0, 20_000)
    budget_ms, q = 100.0, 99.0
    expected = 100.0 - math.log(1.0 / (1.0 - q / 100.0)) / (budget_ms / 1e3)
    found = highest_rate(BatchTimes(ms={1: served}), SINGLY, 1, budget_ms=budget_ms, q=q, seed=0)
    assert found.kept
    assert found.rate_ips == pytest.approx(expected, rel=0.08)


def test_the_highest_rate_keeps_the_budget_and_a_little_more_does_not():
    """That is what highest means."""
    measured = times(s1=10.0, s8=30.0)
    batching = Batching(max_batch=8, max_delay_ns=2_000_000)
    best = highest_rate(measured, batching, 2, budget_ms=60.0, q=99.0, seed=0)
    more = at_rate(best.rate_ips * 1.02, measured, batching, 2, seed=0)
    assert np.quantile(best.latencies_ms, 0.99) <= 60.0 < np.quantile(more, 0.99)


def test_batching_raises_the_rate_where_batches_are_cheaper_than_single_requests():
    """It is what dynamic batching is for."""
    measured = times(s1=10.0, s8=20.0)
    singly = highest_rate(measured, SINGLY, 1, budget_ms=80.0, q=99.0, seed=0)
    batched = highest_rate(measured, Batching(max_batch=8), 1, budget_ms=80.0, q=99.0, seed=0)
    assert batched.rate_ips > 2.0 * singly.rate_ips


def test_a_budget_below_one_batch_is_kept_at_no_rate():
    """The lightest load is told, as proof that not even that keeps it."""
    found = highest_rate(times(s1=10.0), SINGLY, 1, budget_ms=9.0, q=99.0, seed=0)
    assert not found.kept
    assert found.latencies_ms.min() >= 10.0


def test_no_budget_is_so_wide_that_a_queue_may_grow_without_end():
    """The highest rate stays below what the workers can do."""
    found = highest_rate(times(s1=10.0), SINGLY, 1, budget_ms=1e6, q=99.0, seed=0)
    assert found.rate_ips == pytest.approx(95.0)
