from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.record import Slice
from autotuner.bench.window import Window

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order():
    """Let each test draw the numbers that it draws alone: they run in random order."""
    RNG.bit_generator.state = np.random.default_rng(5).bit_generator.state


PROOF = Window(min_s=0.5, max_s=5.0, budget_ms=50.0, prove=True)
SEARCH = Window(min_s=0.5, max_s=5.0, budget_ms=50.0)


def batches(n, over=0, noise=0.01):
    """Return *n* batches of about 10 ms in random order, *over* of them above 50 ms."""
    latencies = 10.0 * (1.0 + noise * RNG.standard_normal(n))
    latencies[RNG.choice(n, over, replace=False)] = 60.0
    return Slice(latencies, latencies / 1e3)


def test_nothing_ends_a_window_before_its_shortest_time():
    """However clear the case, a window sees a minimum of the machine."""
    assert SEARCH.end(batches(1000), 0.49) is None
    assert PROOF.end(batches(1000), 0.49) is None
    assert SEARCH.end(batches(1000, over=900), 0.49) is None


def test_time_is_up_when_nothing_else_ends_it():
    """Too few batches for any verdict do not hold a window open for ever."""
    assert PROOF.end(batches(20), 4.9) is None
    assert PROOF.end(batches(20), 5.0) == "time is up"


def test_a_proof_ends_when_the_budget_is_proven_kept():
    """299 batches without one over prove p99 at 95 %; one fewer does not."""
    clean = Slice(np.linspace(9.0, 11.0, 299)[RNG.permutation(299)], np.full(299, 0.01))
    fewer = Slice(clean.latencies_ms[:-1], clean.cycles_s[:-1])
    assert PROOF.end(clean, 1.0) == "proven in"
    assert PROOF.end(fewer, 1.0) is None


def test_a_broken_budget_ends_either_kind_of_window():
    """Nobody needs to know exactly how bad it is."""
    assert PROOF.end(batches(100, over=30), 1.0) == "proven out"
    assert SEARCH.end(batches(100, over=30), 1.0) == "proven out"


def test_a_search_ends_when_throughput_is_known_well_enough():
    """Two per cent do; the proof of the budget is left to the end."""
    assert SEARCH.end(batches(200, noise=0.01), 1.0) == "good enough"
    assert SEARCH.end(batches(200, noise=0.5), 1.0) is None


def test_a_proof_does_not_end_on_precise_throughput():
    """Its question is the budget."""
    assert PROOF.end(batches(200, noise=0.001), 1.0) is None


def test_without_a_budget_throughput_alone_decides():
    """A baseline has no budget to keep."""
    window = Window(min_s=0.5, max_s=5.0)
    assert window.end(batches(200, over=150), 1.0) is None
    assert window.end(batches(200), 1.0) == "good enough"


def test_a_single_batch_tells_nothing_about_precision():
    """A window goes on until it can judge or time is up."""
    assert SEARCH.end(batches(1), 1.0) is None
    assert SEARCH.end(batches(1), 6.0) == "time is up"


def test_a_budget_is_hopeless_when_even_the_fastest_batch_takes_twice_as_long():
    """Three batches tell; one that is not that slow is enough to go on."""
    slow = np.full(3, 101.0)
    assert SEARCH.hopeless(Slice(slow, slow / 1e3))
    assert not SEARCH.hopeless(Slice(slow[:2], slow[:2] / 1e3))
    slow[1] = 99.0
    assert not SEARCH.hopeless(Slice(slow, slow / 1e3))
    assert not Window(min_s=0.5, max_s=5.0).hopeless(Slice(slow, slow / 1e3))
