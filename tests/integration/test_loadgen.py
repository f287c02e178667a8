"""MLPerf LoadGen beside our own judgement: ``autotune verify PROFILE --loadgen``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from made_profiles import proven
from sleepers import batch_ms

from autotuner import store, subject
from autotuner.bench.harness import Cancelled, Harness, Limits
from autotuner.bench.loadtest import LoadTest
from autotuner.bench.window import Window
from autotuner.core.config import BASELINE, Config
from autotuner.core.events import LoadGenVerdict
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed
from autotuner.core.profile import Evidence, ModelRecord
from autotuner.core.request import Workload
from autotuner.host import topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor

TESTS = Path(__file__).parents[1]
GENEROUS = 20.0
INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(2,), batched=True),)
)


@pytest.fixture
def keep_profile(sandbox):
    """Measure a configuration for a moment and keep it as a profile with a generous budget.

    The 90th percentile is bounded, which needs fewer batches and queries than the 99th.
    """

    def keep(model, config):
        workload = Workload(model=model)
        about = subject.resolve(workload, topology.read(), sandbox.home / "cache")
        with Harness(about.info.path, about.inputs, about.topology) as harness:
            run = harness.measure(config, Window(min_s=0.5, max_s=0.5))
        measured = run.measurement(99.0, 0.95)
        budget_ms = GENEROUS * measured.p50_ms
        evidence = Evidence(config=config, measurement=measured)
        objective = Objective.maximize("throughput_ips", [Constraint("p90_ms", at_most=budget_ms)])
        profile = proven(
            about.info.path,
            model=ModelRecord(
                name=about.info.name, path=str(about.info.path), sha256=about.info.sha256
            ),
            workload=workload,
            objective=objective,
            winner=evidence,
            baseline=Evidence(config=BASELINE, measurement=measured),
            fingerprint=about.fingerprint,
        )
        return store.ProfileStore(sandbox.state / "profiles").save(profile)

    return keep


@pytest.mark.alone
@pytest.mark.parametrize(
    ("model", "config", "scenario"),
    [
        ("squeezenet", Config(batch_size=4, intra_op_threads=1), "Server"),
        ("mobilenet-v2", Config(intra_op_threads=1), "SingleStream"),
    ],
)
def test_loadgen_confirms_a_profile(sandbox, keep_profile, model, config, scenario):
    """It says VALID beside our own verdict, and leaves no file behind."""
    path = keep_profile(model, config)
    done = sandbox.run("verify", path, "--loadgen", "--json")
    document = json.loads(done.stdout)
    found = document["loadgen"]
    assert found["scenario"] == scenario
    assert found["valid"], found["summary"]
    assert found["early_stopping"]
    assert found["completed_qps"] > 0.0
    assert found["latency_ms"] > 0.0
    assert "Result is : VALID" in found["summary"]
    if scenario == "Server":
        assert found["latency_ms"] <= found["target_latency_ms"]
        assert found["completed_qps"] <= 1.2 * found["target_qps"]
    assert done.returncode == {"kept": 0, "broken": 1, "stale": 4}[document["status"]]
    assert not list(sandbox.home.glob("mlperf*"))


def test_what_is_missing_is_said_before_anything_is_measured(sandbox, keep_profile, tmp_path):
    """The message names what to install."""
    path = keep_profile("squeezenet", BASELINE)
    (tmp_path / "mlperf_loadgen.py").write_text("raise ImportError('no such library')\n")
    blocked = {"PYTHONPATH": str(tmp_path)}
    done = sandbox.run("verify", path, "--loadgen", environment=blocked)
    assert done.returncode == 2
    assert "LoadGen is not installed; install edge-autotune[loadgen]" in done.stderr


@pytest.fixture
def sleepers(tmp_path, monkeypatch):
    """Make harnesses whose only backend is the sleeper of the given name."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(TESTS.parent)]))
    monkeypatch.setattr("autotuner.bench.surroundings.disturbance", lambda *_: None)

    def make(sleeper, **settings):
        return Harness(
            tmp_path / "no.onnx",
            INPUTS,
            topology.read(),
            locate=lambda _: f"sleepers:{sleeper}",
            limits=Limits(warm_up_s=0.3),
            **settings,
        )

    return make


@pytest.mark.alone
def test_too_high_a_rate_is_invalid(sleepers):
    """LoadGen's verdict is its own: half more than the capacity cannot be served."""
    capacity_qps = 1e3 / batch_ms(1)
    test = LoadTest(percentile=50.0, target_qps=1.5 * capacity_qps, target_latency_ms=50.0)
    with sleepers("Sleeper") as harness:
        verdict = harness.ask_loadgen(Config(), test)
    assert isinstance(verdict, LoadGenVerdict)
    assert not verdict.valid
    assert verdict.latency_ms > 50.0
    assert verdict.completed_qps < 1.1 * capacity_qps


def test_a_worker_that_crashes_ends_it_with_a_reason(sleepers):
    """No verdict is made up."""
    test = LoadTest(percentile=50.0, target_qps=50.0, target_latency_ms=500.0)
    with sleepers("Crasher") as harness:
        failed = harness.ask_loadgen(Config(), test)
    assert isinstance(failed, Failed)
    assert failed.reason == "crashed"


def test_it_can_be_called_off(sleepers):
    """LoadGen itself cannot be; its process is ended."""
    off = iter([False] * 40)
    test = LoadTest(percentile=50.0, target_qps=50.0, target_latency_ms=500.0)
    with (
        sleepers("Sleeper", cancelled=lambda: next(off, True)) as harness,
        pytest.raises(Cancelled),
    ):
        harness.ask_loadgen(Config(), test)
