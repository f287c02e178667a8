from __future__ import annotations

import numpy as np
import pytest

from autotuner import tiled
from autotuner.bench.record import Slice
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed

WINDOW = Window(min_s=1.0, max_s=1.0, budget_ms=1000.0)


class Device:
    """Stands for the bench: every batch takes 10 ms."""

    def __init__(self, outcome=None):
        self._outcome = outcome
        self.windows = []
        self.earlier = []

    def measure(self, config, window, *, earlier=None, keep=False):
        """Return three batches after those of *earlier*."""
        assert not keep
        self.windows.append(window)
        self.earlier.append(earlier)
        if self._outcome is not None:
            return self._outcome
        times = np.full(3, 10.0)
        run = SteadyRun(config=config, batches=Slice(times, times / 1e3), window_s=1.0, setup_s=0.1)
        return run.joined(earlier)


@pytest.mark.parametrize(
    ("batch", "workers", "expected"), [(1, 1, 63), (8, 1, 8), (8, 2, 4), (63, 1, 1), (64, 2, 1)]
)
def test_the_rounds_are_whole_batches_of_all_workers(batch, workers, expected):
    """The last round may be half empty and takes as long."""
    assert tiled.rounds(Config(batch_size=batch, workers=workers), 63) == expected


def test_the_latency_is_that_of_all_tiles():
    """Throughput stays what it is, and the budget of a batch is its share."""
    device = Device()
    run = tiled.measure(device, Config(batch_size=8, workers=2), WINDOW, 63)
    assert list(run.batches.latencies_ms) == [40.0] * 3
    assert list(run.batches.cycles_s) == [0.01] * 3
    assert run.extra["tiles"] == 63
    assert device.windows[0].budget_ms == 250.0


def test_turns_add_up():
    """What earlier turns showed is handed to the bench in its own terms."""
    device, config = Device(), Config(batch_size=8)
    first = tiled.measure(device, config, WINDOW, 63)
    both = tiled.measure(device, config, WINDOW, 63, earlier=first)
    assert list(device.earlier[1].batches.latencies_ms) == [10.0] * 3
    assert list(both.batches.latencies_ms) == [80.0] * 6


def test_a_failure_stays_one():
    """There is nothing to scale."""
    failed = Failed("oom")
    assert tiled.measure(Device(failed), Config(), WINDOW, 63) is failed
