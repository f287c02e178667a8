from dataclasses import replace

import numpy as np
import pytest

from autotuner.backends.simulated import ModelledDevice, preset
from autotuner.bench.loadtest import LoadTest
from autotuner.bench.virtual import VirtualHarness
from autotuner.bench.window import Window
from autotuner.core.config import BASELINE
from autotuner.core.errors import MachineError
from autotuner.core.outcome import Failed
from autotuner.core.work import Work

WORK = Work(macs=1e9, nodes=50, weight_bytes=20e6, traffic_bytes=20e6, activation_bytes=4e6)
SECOND = Window(min_s=1.0, max_s=1.0)


def device(name="jetson-orin-nano"):
    """Return the simulated device *name* running a model of a giga multiply-add."""
    return ModelledDevice.scaled(preset.load(name), WORK)


def usual(name="jetson-orin-nano", **settings):
    """Return the usual configuration of the simulated device *name* but for *settings*."""
    mode = preset.load(name).default_mode
    return replace(BASELINE, provider="simulated", power_mode=mode, **settings)


def figures(run):
    """Return the measurement of *run*."""
    return run.measurement(99.0, 0.95)


def test_equal_seeds_draw_equal_batches():
    """And others draw others."""
    runs = [VirtualHarness(device(), seed=seed).measure(usual(), SECOND) for seed in (1, 1, 2)]
    first, again, other = (run.batches.latencies_ms for run in runs)
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or (first != other).any()


def test_a_window_shows_what_the_law_says():
    """Throughput, power and energy, with every worker busy."""
    config = usual(batch_size=4, workers=2)
    found = figures(VirtualHarness(device()).measure(config, Window(min_s=20.0, max_s=20.0)))
    assert found.mean_ms == pytest.approx(device().batch_ms(config), rel=0.02)
    assert found.energy_j == pytest.approx(device().energy_j(config), rel=0.02)
    assert found.power_w == pytest.approx(device().behaviour(config).power_w(1.0))
    rails = [value for name, value in found.extra.items() if name.startswith("power_w.")]
    assert sum(rails) == pytest.approx(found.power_w)


def test_batches_are_slow_right_after_loading():
    """Which warm-up is there for: the window does not see it."""
    config = usual(batch_size=8)
    bench = VirtualHarness(device())
    run = bench.measure(config, SECOND)
    assert bench.clock_s > run.window_s + run.setup_s + 0.05
    assert run.batches.latencies_ms[0] < 1.2 * device().batch_ms(config)


def test_what_does_not_fit_into_memory_fails():
    """Alone, or beside what is kept loaded; and it fits again when that is unloaded."""
    bench = VirtualHarness(device())
    assert bench.measure(usual(batch_size=4096), SECOND).reason == "oom"
    large = usual(batch_size=1024)
    assert not isinstance(bench.measure(large, SECOND, keep=True), Failed)
    also = usual(batch_size=1000)
    found = bench.measure(also, SECOND)
    assert (found.reason, "MiB" in found.detail) == ("oom", True)
    bench.unload(large)
    assert not isinstance(bench.measure(also, SECOND), Failed)


def test_a_hot_device_throttles_and_says_so():
    """In its case the Raspberry Pi cannot keep four busy cores cool for long."""
    name = "raspberry-pi-4"
    bench = VirtualHarness(device(name))
    cool = figures(bench.measure(usual(name), SECOND))
    bench.measure(usual(name), Window(min_s=900.0, max_s=900.0))
    hot = figures(bench.measure(usual(name), Window(min_s=60.0, max_s=60.0)))
    assert (cool.throttled, hot.throttled) == (False, True)
    assert hot.clock_mhz < cool.clock_mhz == 1500.0
    assert hot.throughput_ips < cool.throughput_ips
    assert hot.power_w < cool.power_w


def test_the_power_of_requests_follows_their_rate():
    """Between idle and busy."""
    config = usual(max_queue_delay_ms=0.0)
    bench = VirtualHarness(device())
    window = Window(min_s=20.0, max_s=20.0)
    watts = [
        figures(bench.serve(config, rate, window, rng=np.random.default_rng(0))).power_w
        for rate in (1.0, 50.0, 150.0)
    ]
    behaviour = device().behaviour(config)
    assert behaviour.power_w(0.0) < watts[0] < watts[1] < watts[2] < behaviour.power_w(1.0)


def test_requests_end_like_their_window():
    """Proven out at once when the budget cannot be kept."""
    config = usual(max_queue_delay_ms=0.0)
    window = Window(min_s=1.0, max_s=30.0, budget_ms=1.0, prove=True)
    run = VirtualHarness(device()).serve(config, 50.0, window, rng=np.random.default_rng(0))
    assert run.window_s < 3.0
    assert run.batches.latencies_ms.min() > 1.0


def test_loadgen_is_refused():
    """It asks in real time."""
    with pytest.raises(MachineError, match="real time"):
        VirtualHarness(device()).ask_loadgen(usual(), LoadTest(percentile=99.0))


def test_nobody_else_is_on_the_device():
    """No background load, nothing to be disturbed by."""
    with VirtualHarness(device()) as bench:
        assert bench.background.note is None
        assert bench.measure(usual(), SECOND).disturbed is None
