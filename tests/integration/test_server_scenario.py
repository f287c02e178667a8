"""The scenario ``server`` with real worker processes whose batch times are known."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from sleepers import STALL_MS, batch_ms

from autotuner.bench.batching import Batching
from autotuner.bench.harness import Harness, Limits
from autotuner.bench.queueing import BatchTimes, at_rate, highest_rate
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.host import topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor

TESTS = Path(__file__).parents[1]
INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(2,), batched=True),)
)
CONFIG = Config(batch_size=4, workers=2, intra_op_threads=1, max_queue_delay_ms=2.0)
QUICK = Limits(start_s=60.0, load_s=60.0, stall_s=3.0, warm_up_s=0.3)


@pytest.fixture(autouse=True)
def _workers_find_the_sleepers(monkeypatch):
    """Let worker processes import the sleepers and the package under test; ignore neighbours."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(TESTS.parent)]))
    monkeypatch.setattr("autotuner.bench.surroundings.disturbance", lambda *_: None)


@pytest.fixture
def harness(tmp_path):
    """Make harnesses whose only backend is the sleeper of the given name."""

    def make(sleeper="Sleeper"):
        return Harness(
            tmp_path / "no.onnx",
            INPUTS,
            topology.read(),
            locate=lambda _: f"sleepers:{sleeper}",
            limits=QUICK,
        )

    return make


def serve(harness, rate_ips, window, config=CONFIG, seed=1, **settings):
    """Serve Poisson arrivals and return the run."""
    return harness.serve(config, rate_ips, window, rng=np.random.default_rng(seed), **settings)


def stall_once(when):
    """Sleep for 300 ms the first time after the moment in *when*."""
    if when and time.monotonic() >= when[0]:
        when.clear()
        time.sleep(0.3)


def known_times(max_batch):
    """Return the sleepers' batch times."""
    return BatchTimes(ms={size: np.array([batch_ms(size)]) for size in (1, max_batch)})


@pytest.mark.alone
def test_the_load_is_answered_at_its_rate_and_all_of_it(harness):
    """Far below capacity nothing is lost, and figures are those of requests."""
    with harness() as bench:
        run = serve(bench, 150.0, Window(min_s=2.0, max_s=2.0))
    found = run.measurement(99.0, 0.95)
    assert not run.overloaded
    assert found.extra["unanswered"] == 0
    assert found.extra["offered_ips"] == 150.0
    assert 1.0 <= found.extra["mean_batch_size"] <= 4.0
    assert found.n == pytest.approx(300, rel=0.25)
    assert found.throughput_ips == pytest.approx(150.0, rel=0.25)
    assert found.p50_ms >= batch_ms(1)


@pytest.mark.alone
def test_a_stall_appears_in_the_reported_latency_in_full(harness):
    """Every other second a worker stops for 200 ms: so many requests see it that the p99 shows it.

    One worker and light load, so that who comes during a stall waits for its end.
    """
    config = Config(intra_op_threads=1, max_queue_delay_ms=0.0)
    with harness("Staller") as bench:
        run = serve(bench, 60.0, Window(min_s=6.0, max_s=6.0), config)
    found = run.measurement(99.0, 0.95)
    assert found.max_ms >= STALL_MS
    assert found.p99_ms >= 0.75 * STALL_MS
    assert found.p50_ms < 0.25 * STALL_MS
    # Uniform over the stall: at least a twentieth of the time falls into one.
    assert (run.batches.latencies_ms > STALL_MS / 4.0).mean() >= 0.05


@pytest.mark.alone
def test_a_stall_of_the_dispatcher_itself_appears_too(harness, monkeypatch):
    """The clock of a request is its schedule, not the moment when somebody looks."""
    with harness() as bench:
        serve(bench, 200.0, Window(min_s=0.1, max_s=0.1), keep=True)
        stall_at = [time.monotonic() + 1.5]  # after the warm-up and the lead-in
        monkeypatch.setattr(bench._pool, "check", lambda: stall_once(stall_at))
        run = serve(bench, 200.0, Window(min_s=2.0, max_s=2.0))
    latencies = run.batches.latencies_ms
    assert latencies.max() >= 250.0
    assert (latencies >= 100.0).sum() >= 20


@pytest.mark.alone
def test_real_requests_wait_as_long_as_simulated_ones(harness):
    """The rule of batching is the same; what differs is the way to the workers and the machine."""
    window = Window(min_s=1.0, max_s=1.0)
    with harness() as bench:  # which may stall in one of three windows
        runs = [serve(bench, 400.0, window, seed=seed, keep=True) for seed in range(3)]
    real = [run.measurement(99.0, 0.95) for run in runs]
    simulated = at_rate(400.0, known_times(4), Batching.of(CONFIG), 2, seed=0)
    assert median(one.p50_ms for one in real) == pytest.approx(np.median(simulated), rel=0.4)
    assert median(one.mean_ms for one in real) == pytest.approx(simulated.mean(), rel=0.5)


@pytest.mark.alone
def test_batch_times_are_measured_for_every_size(harness):
    """They are what the workers need plus the way there and back."""
    with harness() as bench:
        timed = bench.batch_times(CONFIG, (4, 2, 1), seconds_each=0.2)
    assert set(timed.times.ms) == {4, 2, 1}
    for size, times in timed.times.ms.items():
        assert len(times) >= 2 * 4
        assert batch_ms(size) <= np.median(times) <= batch_ms(size) * 1.5
    assert timed.memory_mib > 0.0
    assert timed.window_s > 0.0


@pytest.mark.alone
def test_the_predicted_highest_rate_is_kept_by_real_requests(harness):
    """A little below the prediction, the budget is proven by requests that really arrive."""
    budget_ms = 40.0
    with harness() as bench:
        timed = bench.batch_times(CONFIG, (4, 2, 1), seconds_each=0.2, keep=True)
        batching = Batching.of(CONFIG)
        best = highest_rate(timed.times, batching, 2, budget_ms=budget_ms, q=95.0, seed=0)
        window = Window(min_s=0.5, max_s=6.0, budget_ms=budget_ms, percentile=95.0, prove=True)
        rate_ips = 0.8 * best.rate_ips  # the box may stall in one of three runs
        runs = [serve(bench, rate_ips, window, seed=seed, keep=True) for seed in range(3)]
    assert best.kept
    assert median(run.measurement(95.0, 0.95).p95_ms for run in runs) <= budget_ms


def test_a_rate_that_cannot_be_sustained_is_proven_out_quickly(harness):
    """Requests that still wait count with their waiting time so far."""
    window = Window(min_s=0.4, max_s=60.0, budget_ms=50.0, prove=True)
    with harness() as bench:
        run = serve(bench, 5000.0, window)
    assert run.overloaded
    assert run.window_s < 10.0
    found = run.measurement(99.0, 0.95)
    assert found.p99_ms > 50.0
    assert found.extra["unanswered"] > 0
    assert found.throughput_ips < 2 * 4 * 1e3 / batch_ms(4)


def test_without_a_budget_an_overload_ends_with_its_window(harness):
    """The queue that is left is counted, not waited for."""
    with harness() as bench:
        run = serve(bench, 3000.0, Window(min_s=1.0, max_s=1.0))
    found = run.measurement(99.0, 0.95)
    assert run.overloaded
    assert found.extra["unanswered"] > 0
    assert found.p99_ms > 300.0


def test_an_earlier_run_at_the_same_rate_is_added_to(harness):
    """The final round gathers requests over its turns, with sessions kept."""
    window = Window(min_s=0.5, max_s=0.5)
    with harness() as bench:
        first = serve(bench, 200.0, window, keep=True)
        setup_s = bench.setup_s
        both = serve(bench, 200.0, window, seed=2, earlier=first)
        assert bench.setup_s == setup_s
    assert len(both.batches.latencies_ms) > len(first.batches.latencies_ms)
    assert both.rate_ips == 200.0


@pytest.mark.parametrize(
    ("sleeper", "reason"), [("Crasher", "crashed"), ("Raiser", "crashed"), ("Hanger", "timeout")]
)
def test_a_fault_under_load_costs_the_trial_alone(harness, sleeper, reason):
    """It comes back as a value, and the harness goes on with fresh workers."""
    with harness(sleeper) as bench:
        failed = serve(bench, 200.0, Window(min_s=20.0, max_s=20.0))
        again = serve(bench, 50.0, Window(min_s=0.1, max_s=0.1))
    assert isinstance(failed, Failed)
    assert failed.reason == reason
    assert not isinstance(again, Failed)
