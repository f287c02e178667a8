"""Precisions on every runtime, from the data to the profile, on a network with trained weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper
from trained import write_digits

from autotuner import guard, store
from autotuner.core.config import Config
from autotuner.core.errors import ModelError
from autotuner.core.events import MeasureDone, Note, PlanDone, TuneDone
from autotuner.core.judgement import AccuracyRules, Judgement
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.request import MeasureRequest, TuneRequest, Workload
from autotuner.host import topology
from autotuner.measuring import measure
from autotuner.model.variants import VariantStore
from autotuner.subject import resolve
from autotuner.tuning import Places, tune


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Return the folder with the trained digits network, its data and its labels."""
    return write_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Return the cache that the tests of this file share, as runs on a box do."""
    return tmp_path_factory.mktemp("cache")


def workload(folder, **rules):
    """Return the workload of the digits with their data and labels."""
    return Workload(
        model=str(folder / "digits.onnx"),
        data=str(folder / "digits.npz"),
        accuracy=AccuracyRules(labels=str(folder / "labels.txt"), **rules),
    )


def tuned(work, cache, *, max_trials=1, **options):
    """Tune for a moment and return the events."""
    request = TuneRequest(
        workload=work,
        max_latency_ms=10_000.0,
        percentile=50.0,
        confidence=0.5,
        max_trials=max_trials,
        **options,
    )
    places = Places(
        profiles=cache / "profiles", storage=f"sqlite:///{cache}/studies.db", cache=cache
    )
    return list(tune(request, places=places, cancelled=lambda: False))


def judged(events):
    """Return what was judged, by runtime and precision."""
    return {(e.provider, e.precision): e for e in events if isinstance(e, Judgement)}


def measured(work, cache, **config):
    """Measure a configuration for a moment and return the events."""
    request = MeasureRequest(workload=work, config=Config(**config), seconds=0.1)
    return list(measure(request, cache_dir=cache, cancelled=lambda: False))


def test_every_precision_is_judged_before_it_is_measured(digits, cache, monkeypatch):
    """INT8 keeps what the network knows, and the profile says how its winner was judged."""
    monkeypatch.setattr("autotuner.scenario.ClosedLoop.proof_s", 4.0)  # precision matters not
    dimensions = {
        "provider": ("onnxruntime-cpu",),
        "precision": ("int8",),
        "batch_size": (16,),
        "workers": (1,),
        "intra_op_threads": (1,),
        "affinity": ("none",),
    }
    events = tuned(workload(digits), cache, dimensions=dimensions)
    found = judged(events)
    assert found.keys() == {("onnxruntime-cpu", "int8")}
    accuracy = found["onnxruntime-cpu", "int8"].accuracy
    assert accuracy.judged_by == "labels"
    assert accuracy.reference_top1 > 0.8
    assert accuracy.score >= 0.99
    done = events[-1]
    assert isinstance(done, TuneDone)
    assert done.judgements == tuple(found.values())
    profile = store.read(Path(done.profile))
    pair = (profile.winner.config.provider, profile.winner.config.precision)
    kept = profile.judgement
    # Either may win by a hair; the baseline, FP32, is what the others are judged by.
    assert (kept and (kept.provider, kept.precision)) == (pair if pair in found else None)


def test_an_automatic_precision_is_judged_too(digits, cache):
    """OpenVINO's BF16 is asked for by name where the processor has it, never taken unseen."""
    events = measured(workload(digits), cache, provider="openvino-cpu")
    assert judged(events)["openvino-cpu", "fp32"].accuracy.outputs[0].snr_db > 60.0
    offered = resolve(workload(digits), topology.read(), cache).precisions["openvino-cpu"]
    if "bf16" in offered:
        events = measured(workload(digits), cache, provider="openvino-cpu", precision="bf16")
        assert judged(events)["openvino-cpu", "bf16"].accuracy.outputs[0].snr_db < 80.0


def test_what_is_not_accurate_enough_is_not_measured(digits, cache):
    """The user's own measure decides, and the figures stand beside the reason."""
    (cache / "halves.py").write_text("def half(reference, candidate):\n    return 0.5\n")
    work = workload(digits, metric="halves:half", metric_folder=str(cache))
    done = measured(work, cache, precision="int8")[-1]
    assert isinstance(done, MeasureDone)
    assert done.outcome.reason == "inaccurate"
    assert "0.5" in done.outcome.detail


def test_what_is_refused_leaves_the_search_space():
    """The others go on; where nothing is left the message says why."""
    pairs = (("onnxruntime-cpu", "fp32"), ("onnxruntime-cpu", "int8"))
    refused = Judgement(
        provider="onnxruntime-cpu", precision="int8", failed=Failed("inaccurate", "0.5 of FP32")
    )
    assert guard.passed(pairs, [refused]) == pairs[:1]
    with pytest.raises(ModelError, match=r"int8 on onnxruntime-cpu .* inaccurate: 0.5 of FP32"):
        guard.passed(pairs[1:], [refused])


def test_int8_without_data_says_how_to_get_it(digits, cache):
    """It is not offered unasked, and refused when it is asked for."""
    work = Workload(model=str(digits / "digits.onnx"))
    events = tuned(work, cache, dry_run=True)
    assert any("--data" in e.text for e in events if isinstance(e, Note))
    assert isinstance(events[-1], PlanDone)
    assert "int8" not in events[-1].dimensions.get("precision", ())
    with pytest.raises(ModelError, match="INT8 needs real inputs"):
        tuned(work, cache, dimensions={"precision": ("int8",)})


def test_an_uncalibrated_variant_is_measured_and_marked(digits, cache):
    """Its speed counts, its answers do not."""
    rules = AccuracyRules(allow_uncalibrated=True)
    work = Workload(model=str(digits / "digits.onnx"), accuracy=rules)
    events = measured(work, cache, precision="int8")
    judgement = judged(events)["onnxruntime-cpu", "int8"]
    assert judgement.uncalibrated
    assert judgement.accuracy is None
    assert isinstance(events[-1].outcome, Measurement)


def test_a_broken_variant_is_never_measured(digits, cache, monkeypatch):
    """One scale of one layer that is eight times too large is caught."""
    build = VariantStore.build

    def broken(self, info, variant, *arguments, **options):
        built = build(self, info, variant, *arguments, **options)
        model = onnx.load(built.path)
        (scale,) = (t for t in model.graph.initializer if t.name == "conv2.weight_scale")
        scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * 8, scale.name))
        onnx.save(model, cache / "broken.onnx")
        return replace(built, path=cache / "broken.onnx")

    monkeypatch.setattr(VariantStore, "build", broken)
    done = measured(workload(digits), cache, precision="int8")[-1]
    assert isinstance(done, MeasureDone)
    assert isinstance(done.outcome, Failed)
    assert done.outcome.reason == "inaccurate"
