"""Several streams in one worker process: measured, served, and failing together."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import onnxruntime
import psutil
import pytest
from made_profiles import proven

import autotuner
from autotuner import backends, store
from autotuner.bench.harness import Harness, Limits
from autotuner.bench.summary import ServedRun, SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.core.request import Workload
from autotuner.host import topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor

TESTS = Path(__file__).parents[1]
INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(3, 16, 16), batched=True),)
)
SHORT = Window(min_s=0.5, max_s=0.5)
LONG = Window(min_s=20.0, max_s=20.0)
TWO = Config(batch_size=2, streams=2, intra_op_threads=1)
QUICK = Limits(stall_s=4.0, warm_up_s=0.3)


@pytest.fixture(autouse=True)
def _workers_find_the_faults(monkeypatch):
    """Let worker processes import the faults and the package, and no window be disturbed."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(TESTS.parent)]))
    monkeypatch.setattr("autotuner.bench.surroundings.disturbance", lambda *_: None)
    monkeypatch.setattr("autotuner.bench.surroundings._BACKGROUND_S", 0.0)


@pytest.fixture
def harness(tiny_model):
    """Make harnesses for the tiny model; the provider ``fault`` is the backend named *fault*."""

    def make(fault="Scheduled"):
        def locate(provider):
            return f"faults:{fault}" if provider == "fault" else backends.locate(provider)

        return Harness(tiny_model, INPUTS, topology.read(), locate=locate, limits=QUICK)

    return make


def workers():
    """Return the living worker processes of this one."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and "autotuner.bench.worker" in child.cmdline()
    ]


def test_batches_of_every_stream_count(harness):
    """One process reports them all on one clock: what they took fills the window for each."""
    with harness() as bench:
        run = bench.measure(TWO, SHORT)
        assert len(workers()) == 1
    assert run.batches.cycles_s.sum() == pytest.approx(2 * run.window_s, rel=0.25)
    found = run.measurement(99.0, 0.95)
    assert found.throughput_ips == pytest.approx(found.n * 2 / run.window_s, rel=0.25)
    assert found.memory_mib > 20.0


def test_streams_run_at_the_same_time(harness):
    """Back to back, when batches are timed, and when requests come; each kind waits for two."""
    rng = np.random.default_rng(0)
    queued = Config(streams=2, provider="fault", max_queue_delay_ms=0.0)
    for measure in (
        lambda bench: bench.measure(Config(streams=2, provider="fault"), SHORT),
        lambda bench: bench.batch_times(queued, (1,), seconds_each=0.1),
        lambda bench: bench.serve(queued, 100.0, SHORT, rng=rng),
    ):
        with harness("RunsSideBySide") as bench:
            assert not isinstance(measure(bench), Failed)


def test_requests_go_to_streams_as_to_workers(harness):
    """Each answered once."""
    config = Config(batch_size=4, streams=2, intra_op_threads=1, max_queue_delay_ms=1.0)
    with harness() as bench:
        run = bench.serve(config, 200.0, SHORT, rng=np.random.default_rng(0))
    assert isinstance(run, ServedRun)
    assert len(run.batches.latencies_ms) == pytest.approx(200.0 * run.window_s, rel=0.5)


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ("RaisesInOneStream", "crashed", "ZeroDivisionError: in a kernel of the second stream"),
        ("HangsInOneStream", "timeout", "to run a batch"),
    ],
)
def test_one_stream_that_fails_ends_the_trial(harness, fault, reason, said):
    """With its reason; the next configuration is measured, in a process that is sound."""
    with harness(fault) as bench:
        failed = bench.measure(Config(streams=2, provider="fault"), LONG)
        assert isinstance(failed, Failed)
        assert (failed.reason, said in failed.detail) == (reason, True)
        assert workers() == []
        assert isinstance(bench.measure(TWO, SHORT), SteadyRun)


def test_answers_are_those_of_the_first_stream(harness):
    """Accuracy is judged by them."""
    with harness() as bench:
        one, two = (bench.outputs(config, INPUTS) for config in (Config(batch_size=2), TWO))
    for (expected,), (found,) in zip(one, two, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture
def pool(tmp_path, monkeypatch, tiny_model):
    """Open profiles of the tiny model with two streams in one worker."""
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path / "cache"))

    def open_pool(**settings):
        config = Config(batch_size=4, streams=2, intra_op_threads=1, **settings)
        profile = proven(tiny_model, config=config, workload=Workload(model=str(tiny_model)))
        path = store.ProfileStore(tmp_path / "state" / "profiles").save(profile)
        return autotuner.open_profile(path.stem, force=True)

    return open_pool


@pytest.fixture(scope="module")
def samples():
    """Return 42 samples, ten full batches and a half."""
    return np.random.default_rng(5).standard_normal((42, 3, 16, 16), dtype=np.float32)


@pytest.fixture(scope="module")
def expected(tiny_model, samples):
    """Return what the runtime itself answers to them."""
    session = onnxruntime.InferenceSession(tiny_model, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"x": samples})
    return answers


def test_a_pool_answers_in_order_whichever_stream_is_first(pool, samples, expected):
    """From one process."""
    with pool() as opened:
        assert len(opened.pids) == 1
        for count in (1, 4, 42, 42):
            answers = opened.run({"x": samples[:count]})
            np.testing.assert_allclose(answers["y"], expected[:count], atol=1e-5)


def test_a_pool_loses_no_request_when_its_streams_die(pool, samples, expected):
    """All that were under way go to the process that takes their place."""
    with pool(max_queue_delay_ms=5.0) as opened:
        futures = [opened.submit({"x": samples[n : n + 1]}) for n in range(10)]
        os.kill(opened.pids[0], signal.SIGKILL)
        futures += [opened.submit({"x": samples[n : n + 1]}) for n in range(10, 42)]
        for n, future in enumerate(futures):
            answer = future.result(timeout=60)["y"]
            np.testing.assert_allclose(answer, expected[n : n + 1], atol=1e-5)
