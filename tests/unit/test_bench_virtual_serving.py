import numpy as np
import pytest

from autotuner.backends.simulated.behaviour import LEVELS
from autotuner.bench import virtual_serving
from autotuner.bench.record import Slice
from autotuner.bench.window import Window
from autotuner.core.config import Config

ONE = Config(max_queue_delay_ms=0.0)


def constant(ms):
    """Return batch times that are *ms* whatever the size."""
    return lambda _size: np.full(len(LEVELS), ms)


def served(rate_ips, *, ms=10.0, config=ONE, earlier=None, **window):
    """Return what requests at *rate_ips* saw of batches of *ms*."""
    limits = Window(**{"min_s": 2.0, "max_s": 4.0, **window})
    return virtual_serving.serve(
        config, rate_ips, limits, constant(ms), earlier, np.random.default_rng(0)
    )


def test_a_light_load_waits_for_nobody():
    """The latency is that of a batch."""
    found = served(1.0, max_s=60.0, min_s=60.0)
    assert np.median(found.requests.latencies_ms) == pytest.approx(10.0)
    assert found.busy_share == pytest.approx(0.01, rel=0.3)
    assert not found.overloaded


def test_requests_queue_as_theory_says():
    """Constant service at half load waits half a service time on average (Pollaczek, Khinchine)."""
    found = served(50.0, min_s=200.0, max_s=200.0)
    assert found.requests.latencies_ms.mean() == pytest.approx(15.0, rel=0.05)
    assert found.busy_share == pytest.approx(0.5, rel=0.03)


def test_more_requests_than_can_be_answered_pile_up():
    """It is told soon, and what has no answer counts with what it has waited."""
    found = served(500.0, max_s=40.0, budget_ms=1e5, prove=True)
    assert found.overloaded
    assert found.window_s < 4.0
    assert found.unanswered > 0
    limit_ms = (found.window_s + virtual_serving.DRAIN_S) * 1e3
    assert found.requests.latencies_ms.max() <= limit_ms


def test_batches_fill_under_load():
    """Up to the configuration's size."""
    found = served(200.0, config=Config(batch_size=4, max_queue_delay_ms=20.0))
    assert 2.0 < found.mean_batch_size <= 4.0
    assert not found.overloaded


def test_a_window_ends_when_the_budget_is_proven():
    """Also with what was seen earlier."""
    open_end = {"min_s": 1.0, "max_s": 30.0, "budget_ms": 60.0, "prove": True}
    alone = served(50.0, **open_end)
    earlier = Slice(np.random.default_rng(1).uniform(10, 20, 400), np.full(400, 0.02))
    assert 1.0 < alone.window_s < 30.0
    assert served(50.0, earlier=earlier, **open_end).window_s == pytest.approx(1.0)


def test_equal_draws_give_equal_requests():
    """Nothing depends on the time of day."""
    first, second = served(50.0), served(50.0)
    np.testing.assert_array_equal(first.requests.latencies_ms, second.requests.latencies_ms)
