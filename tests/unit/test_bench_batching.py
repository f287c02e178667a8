from __future__ import annotations

import pytest

from autotuner.bench.batching import Batching

DUE = [0, 10, 20, 30, 100]
PAIRS = Batching(max_batch=2, max_delay_ns=15)


def test_a_batch_is_ready_when_it_is_full():
    """The second of two arrives before the first loses patience."""
    assert PAIRS.ready_ns(DUE, 0) == 10


def test_a_batch_is_ready_when_its_oldest_request_has_waited_long_enough():
    """Nobody waits for a batch to fill longer than the delay."""
    assert PAIRS.ready_ns(DUE, 3) == 30 + 15
    assert Batching(max_batch=4, max_delay_ns=5).ready_ns(DUE, 0) == 5


def test_the_last_request_waits_for_nobody_who_will_not_come():
    """With no more arrivals the delay alone counts."""
    assert PAIRS.ready_ns(DUE, 4) == 115


def test_without_a_delay_a_request_is_ready_at_once():
    """A free worker takes it alone."""
    assert Batching(max_batch=8).ready_ns(DUE, 1) == 10
    assert Batching(max_batch=1, max_delay_ns=50).ready_ns(DUE, 1) == 10


@pytest.mark.parametrize(("now", "size"), [(10, 1), (25, 2), (30, 3), (1000, 3)])
def test_a_worker_takes_all_that_wait_up_to_a_full_batch(now, size):
    """Requests that are due later stay."""
    assert Batching(max_batch=3).size(DUE, 1, now) == size


def test_a_batch_ends_with_the_last_request():
    """There may be fewer than fit."""
    assert Batching(max_batch=8).size(DUE, 3, 1000) == 2
