"""The harness with real worker processes: it measures, and it survives what they do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import psutil
import pytest

from autotuner import backends
from autotuner.bench.harness import Cancelled, Harness, Limits
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.core.request import Workload
from autotuner.host import memory, topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor
from autotuner.subject import resolve

TESTS = Path(__file__).parents[1]
INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(3, 16, 16), batched=True),)
)
SHORT = Window(min_s=0.2, max_s=0.2)
HEALTHY = Config(intra_op_threads=1)
FAULTY = Config(intra_op_threads=1, provider="fault")
PATIENT = Limits(start_s=60.0, load_s=60.0, stall_s=20.0, warm_up_s=0.3)
IMPATIENT = {
    "HangsAtStart": replace(PATIENT, start_s=5.0),
    "HangsAtLoad": replace(PATIENT, load_s=3.0),
    "HangsInARun": replace(PATIENT, stall_s=3.0),
}
"""The limits of what hangs: each ends by its own one."""


@pytest.fixture(autouse=True)
def _workers_find_the_faults(monkeypatch):
    """Let worker processes import the faults and the package under test."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(TESTS.parent)]))


@pytest.fixture(autouse=True)
def disturbances(monkeypatch):
    """Return what disturbs the coming windows: nothing, unless a test says otherwise."""
    coming = []
    monkeypatch.setattr(
        "autotuner.bench.surroundings.disturbance", lambda *_: coming.pop(0) if coming else None
    )
    monkeypatch.setattr("autotuner.bench.surroundings._BACKGROUND_S", 0.0)
    return coming


@pytest.fixture
def harness(tiny_model):
    """Make harnesses for the tiny model; the provider ``fault`` is the backend named *fault*.

    So is ``tensorrt``, which builds engines.
    """

    def make(fault="Scheduled", inputs=INPUTS, **settings):
        def locate(provider):
            faulty = provider in ("fault", "tensorrt")
            return f"faults:{fault}" if faulty else backends.locate(provider)

        settings.setdefault("limits", IMPATIENT.get(fault, PATIENT))
        return Harness(tiny_model, inputs, topology.read(), locate=locate, **settings)

    return make


def workers_of(parent=None):
    """Return the living worker processes of *parent*, of this process unless told otherwise."""
    found = []
    for child in psutil.Process(parent).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may end meanwhile
            if "autotuner.bench.worker" in child.cmdline():
                found.append(child)
    return found


def test_a_configuration_is_measured(harness):
    """All figures are there and agree with each other."""
    config = Config(batch_size=2, workers=2, intra_op_threads=1)
    with harness() as bench:
        run = bench.measure(config, SHORT)
        assert bench.window_s == pytest.approx(run.window_s)
        assert bench.setup_s > 0.0
    found = run.measurement(99.0, 0.95)
    assert found.n >= 10
    assert 0.0 < found.p50_ms <= found.p90_ms <= found.p95_ms <= found.p99_ms <= found.max_ms
    assert found.throughput_ips <= 2 * 2 * 1e3 / found.mean_ms
    assert 20.0 < found.memory_mib < 1000.0
    assert found.setup_s > 0.0
    assert found.window_s >= 0.2


def test_an_engine_may_take_longer_than_a_model_and_can_be_called_off(harness):
    """It gets a limit of its own; while it is built there is always a way out."""
    limits = replace(PATIENT, load_s=0.2, build_s=60.0)
    stop = False
    with harness("HangsAtLoad", limits=limits, cancelled=lambda: stop) as bench:
        failed = bench.measure(FAULTY, SHORT)
        assert failed.reason == "timeout"
        for elapsed_s in bench.load(replace(FAULTY, provider="tensorrt")):
            if elapsed_s > 2.0 * limits.load_s:
                break
        stop = True
        with pytest.raises(Cancelled):
            bench.measure(replace(FAULTY, provider="tensorrt"), SHORT)
    assert workers_of() == []


def test_a_batch_that_stays_on_the_device_is_never_copied(harness):
    """It is bound once, and run from where it lies."""
    with harness("RunsBound", replace(INPUTS, on_device=True)) as bench:
        assert isinstance(bench.measure(FAULTY, SHORT), SteadyRun)


def test_workers_outlive_a_trial_and_end_with_the_harness(harness):
    """Starting a process is not paid for twice, and none is left behind."""
    with harness() as bench:
        bench.measure(HEALTHY, SHORT)
        first = workers_of()
        bench.measure(Config(intra_op_threads=1, batch_size=2), SHORT)
        assert workers_of() == first
        assert len(first) == 1
    assert workers_of() == []


def test_a_kept_configuration_is_not_loaded_again(harness):
    """The final round switches between loaded configurations; an earlier run is added to."""
    with harness() as bench:
        first = bench.measure(HEALTHY, SHORT, keep=True)
        setup_s = bench.setup_s
        both = bench.measure(HEALTHY, SHORT, earlier=first, keep=True)
        assert bench.setup_s == setup_s
        bench.unload(HEALTHY)
        bench.measure(HEALTHY, SHORT)
        assert bench.setup_s > setup_s
    assert len(both.batches.latencies_ms) > len(first.batches.latencies_ms)
    assert both.window_s > first.window_s


def test_a_disturbed_window_is_repeated(harness, disturbances):
    """The undisturbed one counts, and says nothing of the other."""
    disturbances.append("a build")
    with harness() as bench:
        run = bench.measure(HEALTHY, SHORT)
        assert bench.window_s > 1.9 * SHORT.min_s
    assert run.disturbed is None
    assert disturbances == []


def test_a_window_that_stays_disturbed_says_so_and_spoils_no_earlier_one(harness, disturbances):
    """It comes back alone."""
    with harness() as bench:
        first = bench.measure(HEALTHY, SHORT, keep=True)
        before_s = bench.window_s
        disturbances.extend(["a build", "another build"])
        second = bench.measure(HEALTHY, SHORT, earlier=first)
        both_s = bench.window_s - before_s
    assert second.disturbed == "another build"
    assert second.window_s <= both_s - SHORT.min_s


def test_a_hopeless_configuration_is_not_measured_to_the_end(harness):
    """Its first batches already say that the budget is out of reach."""
    limits = Limits(warm_up_s=60.0)
    with harness("Slow", limits=limits) as bench:
        run = bench.measure(FAULTY, Window(min_s=60.0, max_s=60.0, budget_ms=50.0))
        assert bench.window_s < 10.0
    assert run.disturbed is None
    assert run.batches.latencies_ms.min() > 100.0


def test_no_worker_survives_an_exception_in_the_body(harness):
    """Whatever ends the block."""
    seen = []

    def use_it():
        with harness() as bench:
            bench.measure(HEALTHY, SHORT, keep=True)
            seen.extend(workers_of())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use_it()
    assert len(seen) == 1
    assert workers_of() == []


@pytest.mark.parametrize(
    ("fault", "reason", "said"),
    [
        ("DiesAtStart", "crashed", "libfault.so: cannot open"),
        ("HangsAtStart", "timeout", "to start"),
        ("ExitsAtLoad", "crashed", "status 3: fatal: no such kernel"),
        ("CrashesAtLoad", "crashed", "SIGSEGV"),
        ("RaisesAtLoad", "crashed", "ZeroDivisionError: in the optimiser"),
        ("RefusesAtLoad", "unsupported", "no kernel for Loop"),
        ("HangsAtLoad", "timeout", "to load the model"),
        ("CrashesInARun", "crashed", "SIGSEGV"),
        ("RaisesInARun", "crashed", "ZeroDivisionError: in a kernel"),
        ("HangsInARun", "timeout", "to run a batch"),
    ],
)
def test_a_fault_costs_one_trial_alone(harness, fault, reason, said):
    """It comes back as a value that says why, and the next configuration is measured."""
    with harness(fault) as bench:
        failed = bench.measure(FAULTY, Window(min_s=60.0, max_s=60.0))
        assert isinstance(failed, Failed)
        assert failed.reason == reason
        assert said in failed.detail
        assert isinstance(bench.measure(HEALTHY, SHORT), SteadyRun)
        assert len(workers_of()) == 1


def test_one_of_two_workers_that_crashes_ends_the_trial(harness):
    """The other one is not left running."""
    with harness("CrashesInARun") as bench:
        failed = bench.measure(Config(workers=2, provider="fault"), Window(min_s=60.0, max_s=60.0))
        assert isinstance(failed, Failed)
        assert workers_of() == []


def test_a_crash_while_unloading_is_not_blamed_on_the_next_configuration(harness):
    """The run before it was sound, and so is the one after it, on the same runtime."""
    with harness("CrashesAtClose") as bench:
        assert isinstance(bench.measure(FAULTY, SHORT), SteadyRun)
        following = Config(intra_op_threads=2, provider="fault")
        assert isinstance(bench.measure(following, SHORT), SteadyRun)


@pytest.mark.alone
def test_a_memory_hog_is_ended_before_memory_runs_out(harness):
    """The guard acts at its floor, and the memory is back for the next configuration."""
    floor = memory.available_mib() - 1000.0  # far more than others take meanwhile
    limits = Limits(stall_s=20.0, warm_up_s=0.1, memory_floor_mib=floor)
    with harness("HogsMemory", limits=limits) as bench:
        failed = bench.measure(FAULTY, Window(min_s=10.0, max_s=10.0))
        assert isinstance(failed, Failed)
        assert failed.reason == "oom"
        assert "memory were left free" in failed.detail
        assert isinstance(bench.measure(HEALTHY, SHORT), SteadyRun)


def test_a_model_that_the_runtime_refuses_is_a_failed_trial(tmp_path):
    """A damaged file is one of the many reasons for which a configuration cannot be measured."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with Harness(broken, INPUTS, topology.read(), limits=PATIENT) as bench:
        failed = bench.measure(HEALTHY, SHORT)
    assert isinstance(failed, Failed)
    assert failed.reason == "unsupported"


@pytest.mark.parametrize("fault", ["HangsAtStart", "HangsAtLoad", "HangsInARun", "Scheduled"])
def test_cancelling_is_quick_wherever_it_comes(harness, fault):
    """No limit has to pass first, and no process is left."""
    asked = []

    def cancelled():
        asked.append(time.monotonic())
        return len(asked) > 25  # at one tick each, after rather more than a second

    limits = replace(PATIENT, stall_s=60.0)
    with harness(fault, cancelled=cancelled, limits=limits) as bench:
        with pytest.raises(Cancelled):
            bench.measure(FAULTY, Window(min_s=60.0, max_s=60.0))
        assert workers_of() == []
    assert asked[-1] - asked[0] < 30.0


@pytest.mark.parametrize("fault", ["Scheduled", "HangsAtLoad"])
def test_a_worker_dies_with_its_parent(tiny_model, fault):
    """Even when the parent is killed and can clean nothing up, and the worker hangs."""
    program = f"""
import itertools
from pathlib import Path
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.host import topology
from test_harness import INPUTS
asked = itertools.count()
def cancelled():
    if next(asked) == 20:
        print("ready", flush=True)
with Harness(
    Path({str(tiny_model)!r}),
    INPUTS,
    topology.read(),
    locate=lambda _: "faults:{fault}",
    cancelled=cancelled,
) as bench:
    bench.measure(Config(), Window(min_s=60, max_s=60))
"""
    folders = [str(Path(__file__).parent), os.environ["PYTHONPATH"]]
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
    ) as parent:
        assert parent.stdout.readline() == b"ready\n"
        (worker,) = workers_of(parent.pid)
        parent.send_signal(signal.SIGKILL)
        worker.wait(timeout=60)


def figures(bench, config):
    """Return what a short window shows; a box may stall in one of three."""
    run = bench.measure(config, Window(min_s=0.4, max_s=0.4), keep=True)
    return run.measurement(99.0, 0.95)


@pytest.mark.alone
def test_figures_agree_with_a_known_schedule(harness):
    """Nine batches of 4 ms and one of 12 ms: every figure is known beforehand."""
    expected = {"p50_ms": 4.0, "p95_ms": 12.0, "mean_ms": 4.8, "throughput_ips": 1000.0 / 4.8}
    with harness() as bench:
        found = [figures(bench, FAULTY) for _ in range(3)]
    for name, value in expected.items():
        assert median(getattr(one, name) for one in found) == pytest.approx(value, rel=0.15)


@pytest.mark.alone
def test_two_workers_do_twice_as_much_as_one(harness):
    """Where they do not hinder each other, which those that sleep do not."""
    one, two = (Config(workers=n, provider="fault") for n in (1, 2))
    with harness() as bench:
        gains = [
            figures(bench, two).throughput_ips / figures(bench, one).throughput_ips
            for _ in range(3)
        ]
    assert median(gains) == pytest.approx(2.0, rel=0.15)


def test_the_outputs_are_those_of_the_model(steady_model):
    """Every sample is answered once, in its order, whatever the batch size."""
    about = resolve(Workload(model=str(steady_model)), topology.read(), steady_model.parent)
    samples = about.inputs.load()
    session = onnxruntime.InferenceSession(str(steady_model), providers=["CPUExecutionProvider"])
    expected = session.run(None, samples.batch(samples.count))[0]
    with Harness(about.info.path, about.inputs, about.topology) as harness:
        found = harness.outputs(Config(batch_size=4, intra_op_threads=1), about.inputs)
    answers = np.concatenate([arrays[0] for arrays in found])
    np.testing.assert_allclose(answers, expected, rtol=1e-4, atol=1e-5)


def test_a_graph_of_its_own_is_what_a_configuration_runs(tiny_model, steady_model):
    """Precisions differ in their graphs."""
    about = resolve(Workload(model=str(steady_model)), topology.read(), steady_model.parent)
    with Harness(
        tiny_model, about.inputs, about.topology, graph_of=lambda _: steady_model
    ) as harness:
        found = harness.outputs(Config(intra_op_threads=1), about.inputs)
    assert len(found) == about.inputs.load().count
