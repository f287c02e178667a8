"""What every bench must do, so that a search need not know whether its device is there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from autotuner import backends
from autotuner.backends.simulated import ModelledDevice, preset
from autotuner.bench.harness import Cancelled, Harness
from autotuner.bench.virtual import VirtualHarness
from autotuner.bench.window import Window
from autotuner.core.config import BASELINE
from autotuner.core.outcome import Failed
from autotuner.core.work import Work
from autotuner.host import accelerators, topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor

INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(3, 16, 16), batched=True),)
)
WORK = Work(macs=60e6, nodes=3, weight_bytes=4e5, traffic_bytes=2e5, activation_bytes=1e5)
SHORT = Window(min_s=0.1, max_s=0.3)
SIMULATED = ("x86-server", "jetson-orin-nano", "titan-v")
ON_GPU = tuple(
    provider
    for provider in accelerators.NVIDIA_PROVIDERS
    if backends.load(backends.locate(provider)).providers()[provider] is None
)


@pytest.fixture(scope="module", params=["onnxruntime-cpu", *ON_GPU, *SIMULATED])
def kind(request):
    """Name what the bench measures: a provider of this box, or a device that is not there."""
    return request.param


@pytest.fixture(scope="module", autouse=True)
def _neighbours_do_not_matter():
    """Let what else runs on this box spoil no window: a spoilt one would come back alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autotuner.bench.surroundings.disturbance", lambda *_: None)
        yield


@pytest.fixture
def config(kind):
    """Return a configuration that the bench can run."""
    if kind in ON_GPU:
        precisions = backends.load(backends.locate(kind)).precisions(kind)
        return replace(BASELINE, provider=kind, precision=next(iter(precisions)))
    if kind not in SIMULATED:
        return replace(BASELINE, provider=kind, intra_op_threads=1)
    threads = 1 if kind == "x86-server" else None
    mode = preset.load(kind).default_mode
    return replace(BASELINE, provider="simulated", power_mode=mode, intra_op_threads=threads)


def bench_of(kind, model, cancelled=lambda: False):
    """Return the bench on a small model."""
    if kind in SIMULATED:
        device = ModelledDevice.scaled(preset.load(kind), WORK)
        return VirtualHarness(device, cancelled=cancelled)
    return Harness(model, INPUTS, topology.read(), cancelled=cancelled)


@pytest.fixture
def open_bench(kind, tiny_model):
    """Open a bench of one's own."""
    return partial(bench_of, kind, tiny_model)


@pytest.fixture(scope="module")
def shared_bench(kind, tiny_model):
    """Share one bench between tests that leave nothing behind."""
    with bench_of(kind, tiny_model) as bench:
        yield bench


def loaded(bench, config):
    """Load *config* to the end and return what was wrong with it."""
    steps = bench.load(config)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_run_has_the_batches_of_its_window(shared_bench, config):
    """They fill it, one after the other in each worker."""
    run = shared_bench.measure(config, SHORT)
    assert run.window_s >= 0.1
    assert run.config == config
    assert run.batches.cycles_s.sum() == pytest.approx(run.window_s, rel=0.3)
    assert run.setup_s > 0.0


def test_time_goes_by_on_its_clock(shared_bench, config):
    """At least what it says to have spent in windows and setup."""
    before = shared_bench.clock_s, shared_bench.window_s, shared_bench.setup_s
    run = shared_bench.measure(config, SHORT)
    clock_s, window_s, setup_s = shared_bench.clock_s, shared_bench.window_s, shared_bench.setup_s
    assert window_s - before[1] >= run.window_s * 0.99
    assert setup_s >= before[2]
    assert clock_s - before[0] >= (window_s - before[1]) + (setup_s - before[2]) - 1e-3


def test_an_earlier_run_is_added(shared_bench, config):
    """Its batches stand before the new ones, and its time counts."""
    first = shared_bench.measure(config, SHORT, keep=True)
    both = shared_bench.measure(config, SHORT, earlier=first)
    count = len(first.batches.latencies_ms)
    np.testing.assert_array_equal(both.batches.latencies_ms[:count], first.batches.latencies_ms)
    assert both.window_s > first.window_s


def test_what_is_kept_need_not_be_loaded_again(shared_bench, config):
    """Until it is unloaded; unloading twice does no harm."""
    shared_bench.measure(config, SHORT, keep=True)
    loaded_s = shared_bench.setup_s
    shared_bench.measure(config, SHORT, keep=True)
    assert shared_bench.setup_s == loaded_s
    shared_bench.unload(config)
    shared_bench.unload(config)
    shared_bench.measure(config, SHORT)
    assert shared_bench.setup_s > loaded_s


def test_what_was_loaded_beforehand_is_not_loaded_again(shared_bench, config):
    """It waits for its measurement; what cannot be loaded says why."""
    assert loaded(shared_bench, config) is None
    loaded_s = shared_bench.setup_s
    shared_bench.measure(config, SHORT)
    assert shared_bench.setup_s == loaded_s
    assert loaded(shared_bench, replace(config, precision="int3")).reason == "unsupported"


def test_a_larger_batch_takes_longer(shared_bench, config):
    """Sizes are timed in the configuration that was asked for."""
    large = replace(config, batch_size=16)
    timed = shared_bench.batch_times(large, (16, 1), seconds_each=0.05)
    assert {*timed.times.ms} == {16, 1}
    assert timed.times.ms[16].min() > timed.times.ms[1].min()


def test_hopeless_batches_are_all_that_is_timed(shared_bench, config):
    """Smaller sizes are of no use then."""
    large = replace(config, batch_size=16)
    timed = shared_bench.batch_times(large, (16, 1), seconds_each=0.05, hopeless_ms=1e-6)
    assert {*timed.times.ms} == {16}


def test_requests_are_answered_at_the_rate_they_come(shared_bench, config):
    """About as many as were due in the window."""
    serving = replace(config, max_queue_delay_ms=0.0)
    rng = np.random.default_rng(0)
    window = Window(min_s=0.4, max_s=0.5)
    run = shared_bench.serve(serving, 100.0, window, rng=rng)
    assert run.rate_ips == 100.0
    assert not run.overloaded
    assert len(run.batches.latencies_ms) == pytest.approx(100.0 * run.window_s, abs=25)
    assert run.extra["offered_ips"] == 100.0


def test_a_precision_that_is_not_there_is_a_failure(shared_bench, config):
    """A value, not an exception; and the bench goes on."""
    found = shared_bench.measure(replace(config, precision="int3"), SHORT)
    assert isinstance(found, Failed)
    assert found.reason == "unsupported"
    assert not isinstance(shared_bench.measure(config, SHORT), Failed)


def test_there_is_memory_to_take(shared_bench):
    """As long as little is loaded."""
    assert shared_bench.free_mib > 100.0


def test_a_measurement_can_be_called_off(open_bench, config):
    """Soon, and by an exception that no trial swallows."""
    with open_bench(cancelled=lambda: True) as bench, pytest.raises(Cancelled):
        bench.measure(config, Window(min_s=60.0, max_s=60.0))
