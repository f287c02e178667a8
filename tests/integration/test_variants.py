"""Variants are made, kept and judged: on the digits CNN, and on small networks with a trap each."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper
from trained import write_digits

from autotuner.core.errors import ModelError, StateError
from autotuner.core.outcome import Failed
from autotuner.model import held_out, labels
from autotuner.model.accuracy import judge
from autotuner.model.calibration import Calibration
from autotuner.model.inputs import InputSpec
from autotuner.model.inspect import inspect
from autotuner.model.shapes import resolve
from autotuner.model.variants import Variant, VariantStore


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Return the folder with the trained digits CNN, its data and its labels."""
    return write_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture
def store(tmp_path):
    """Return an empty cache of variants."""
    return VariantStore(tmp_path / "cache")


@pytest.fixture(scope="module")
def integers(digits, tmp_path_factory):
    """Return the digits CNN in INT8, for all tests that only look at it."""
    calibration = calibration_of(digits / "digits.onnx", digits / "digits.npz")
    kept = VariantStore(tmp_path_factory.mktemp("integers"))
    return kept.build(inspect(digits / "digits.onnx"), "int8", calibration)


def calibration_of(path, data=None, **fields):
    """Return a calibration for the model at *path*, with random inputs where there is no data."""
    return Calibration(inputs=InputSpec(tensors=resolve(inspect(path)), data_path=data), **fields)


def run(model, samples):
    """Return the outputs of each of *samples*."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [session.run(None, samples.batch(1, index)) for index in range(samples.count)]


def judged(digits, model):
    """Judge *model* beside the digits CNN, with the labels of the held-out samples."""
    calibration = calibration_of(digits / "digits.onnx", digits / "digits.npz")
    samples, count = calibration.held_out(), calibration.inputs.load().count
    truth = labels.load(digits / "labels.txt", count)[held_out.samples(count, "held-out")]
    return judge(
        run(digits / "digits.onnx", samples),
        run(model, samples),
        output_names=["scores"],
        judged_on="data",
        samples=samples.count,
        labels=truth,
    )


def save(path, nodes, weights, shape, *, opset=17, output="y"):
    """Write a network with the input x of *shape*."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(w, np.float32), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, ir_version=7, opset_imports=[helper.make_opsetid("", opset)])
    path.write_bytes(model.SerializeToString())
    return path


def save_convolution(path, *, shape=("N", 3, 8, 8), weight=None, **options):
    """Write a network of a single convolution."""
    if weight is None:
        weight = np.random.default_rng(0).standard_normal((4, 3, 3, 3))
    return save(
        path, [helper.make_node("Conv", ["x", "w"], ["y"])], {"w": weight}, shape, **options
    )


def check_integers(digits, variant):
    """See that an INT8 variant of the digits CNN is one, and as accurate as it says."""
    assert variant.real_data
    assert variant.calibrated_on == str(digits / "digits.npz")
    assert variant.quantized_nodes >= 2
    assert variant.accuracy.passed()
    verdict = judged(digits, variant.path)
    assert verdict.reference_top1 > 0.85
    assert verdict.passed()


def test_int8_of_a_trained_network_keeps_its_accuracy(digits, integers):
    """Judged by the true labels, on images that were held out."""
    check_integers(digits, integers)


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_ranges_may_be_found_by_other_methods(digits, store, method):
    """The network keeps its accuracy."""
    calibration = calibration_of(digits / "digits.onnx", digits / "digits.npz", method=method)
    check_integers(digits, store.build(inspect(digits / "digits.onnx"), "int8", calibration))


def test_fp16_keeps_inputs_and_outputs(digits, store):
    """Weights and compute are half precision, what goes in and out stays float32."""
    variant = store.build(inspect(digits / "digits.onnx"), "fp16")
    info = inspect(variant.path)
    assert [t.element_type for t in (*info.inputs, *info.outputs)] == ["float32", "float32"]
    weights = onnx.load(variant.path).graph.initializer
    assert {weight.data_type for weight in weights} == {TensorProto.FLOAT16}
    assert variant.path.stat().st_size < 0.7 * (digits / "digits.onnx").stat().st_size
    assert judged(digits, variant.path).outputs[0].snr_db > 50


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_a_runtime_does_by_itself_is_the_model(digits, store, precision):
    """No graph is made for it."""
    info = inspect(digits / "digits.onnx")
    variant = store.build(info, precision)
    assert (variant.path, variant.sha256) == (info.path, info.sha256)
    assert not store.entries()


def test_a_second_run_builds_nothing(digits, store, tmp_path):
    """The same model, data and method are found again, by whoever asks."""
    info = inspect(digits / "digits.onnx")
    calibration = calibration_of(info.path, digits / "digits.npz")
    steps = []
    first = store.build(info, "int8", calibration, on_progress=steps.append)
    assert {"calibrating", "judging"} <= {step.step for step in steps}
    steps.clear()
    again = VariantStore(tmp_path / "cache").build(
        info, "int8", calibration, on_progress=steps.append
    )
    assert again == first
    assert not steps
    other = store.build(info, "int8", replace(calibration, method="percentile"))
    assert other.path != first.path
    assert [(entry.model, entry.variant) for entry in store.entries()] == [("digits", "int8")] * 2
    assert store.clear() > 0
    assert (store.entries(), first.path.exists()) == ([], False)


def test_a_scale_eight_times_too_large_is_caught(digits, integers, tmp_path):
    """A variant that is broken in one layer does not pass, by numbers as by labels."""
    model = onnx.load(integers.path)
    (scale,) = (t for t in model.graph.initializer if t.name == "conv2.weight_scale")
    scale.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(scale) * 8, scale.name))
    broken = tmp_path / "broken.onnx"
    onnx.save(model, broken)
    verdict = judged(digits, broken)
    assert not verdict.passed()
    assert verdict.outputs[0].score < 0.9


def test_a_layer_that_integers_cannot_hold_stays_in_float(digits, store, tmp_path):
    """Mixed precision finds it and leaves no more than needed.

    One channel is a thousand times larger than the rest and the next layer takes that back: the
    same network in float, and a ruined one in INT8.
    """
    model = onnx.load(digits / "digits.onnx")
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, channel, factor in (
        ("conv1.weight", np.s_[0], 1000),
        ("conv1.bias", np.s_[0], 1000),
        ("conv2.weight", np.s_[:, 0], 1 / 1000),
    ):
        values = numpy_helper.to_array(tensors[name]).copy()
        values[channel] *= factor
        tensors[name].CopyFrom(numpy_helper.from_array(values, name))
    path = tmp_path / "uneven.onnx"
    onnx.save(model, path)
    assert judged(digits, path).outputs[0].snr_db > 80
    variant = store.build(inspect(path), "int8", calibration_of(path, digits / "digits.npz"))
    assert variant.float_nodes
    assert 0 < variant.quantized_nodes < 3
    assert variant.accuracy.passed()
    assert judged(digits, variant.path).passed()


@pytest.mark.parametrize("opset", [11, 12])
def test_an_old_opset_is_raised_before_it_is_quantised(store, tmp_path, opset):
    """Below opset 13 QuantizeLinear has no axis, and per-channel weights make an invalid model."""
    path = save_convolution(tmp_path / "old.onnx", opset=opset)
    variant = store.build(inspect(path), "int8", calibration_of(path))
    onnx.checker.check_model(str(variant.path))
    assert inspect(variant.path).opset >= 13
    samples = calibration_of(path).held_out()
    assert [out[0].shape for out in run(variant.path, samples)] == [(1, 4, 6, 6)] * samples.count


def test_random_inputs_calibrate_for_speed_alone(store, tmp_path):
    """The variant says that its ranges mean nothing, and nothing is left in float for them."""
    path = save_convolution(tmp_path / "m.onnx")
    variant = store.build(inspect(path), "int8", calibration_of(path), min_accuracy=1.0)
    assert (variant.real_data, variant.calibrated_on) == (False, "random inputs")
    assert variant.float_nodes == ()
    assert variant.accuracy.judged_on == "random inputs"


def test_a_fixed_batch_is_fed_as_it_is(store, tmp_path):
    """Calibration and judging fill the batch that the model takes."""
    path = save_convolution(tmp_path / "m.onnx", shape=(4, 3, 8, 8))
    variant = store.build(inspect(path), "int8", calibration_of(path))
    assert inspect(variant.path).batch == 4
    assert variant.accuracy.samples == 8


def test_matrix_products_can_find_their_ranges_on_the_way(store, tmp_path):
    """int8-dynamic needs no data; its weights take a quarter of the space."""
    rng = np.random.default_rng(0)
    weights = {f"w{i}": rng.standard_normal((64, 64)) / 8 for i in range(3)}
    names = ["x", "a", "b", "y"]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(3)]
    path = save(tmp_path / "dense.onnx", nodes, weights, ["N", 64])
    variant = store.build(inspect(path), "int8-dynamic")
    assert variant.quantized_nodes == 3
    assert variant.path.stat().st_size < 0.4 * path.stat().st_size
    samples = calibration_of(path).held_out()
    verdict = judge(
        run(path, samples),
        run(variant.path, samples),
        output_names=["y"],
        judged_on="random inputs",
        samples=samples.count,
    )
    assert verdict.passed()


def test_external_data_is_read(store, tmp_path):
    """Weights beside the model belong to it."""
    path = save_convolution(tmp_path / "plain.onnx")
    outside = tmp_path / "outside.onnx"
    onnx.save(onnx.load(path), outside, save_as_external_data=True, size_threshold=0)
    assert isinstance(store.build(inspect(outside), "fp16"), Variant)


@pytest.mark.parametrize(
    ("precision", "spoil", "message"),
    [
        ("int8", {"weight": np.full((4, 3, 3, 3), np.nan)}, "the weight w holds NaN"),
        ("fp16", {"weight": np.full((4, 3, 3, 3), np.inf)}, "the weight w holds NaN or infinity"),
        ("int8-dynamic", {}, "1 of 1 layers of m are convolutions"),
    ],
)
def test_a_variant_that_cannot_be_is_a_value(store, tmp_path, precision, spoil, message):
    """The reason names the tensor; other variants go on."""
    path = save_convolution(tmp_path / "m.onnx", **spoil)
    failed = store.build(inspect(path), precision, calibration_of(path))
    assert isinstance(failed, Failed)
    assert failed.reason == "unsupported"
    assert message in failed.detail
    assert not store.entries()


def test_the_infinity_of_a_mask_stays_in_float(store, tmp_path):
    """It has no range, and is no reason to refuse the network."""
    rng = np.random.default_rng(0)
    mask = np.zeros((1, 8))
    mask[0, 5:] = -np.inf
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Add", ["a", "mask"], ["b"]),
        helper.make_node("Softmax", ["b"], ["y"]),
    ]
    weights = {"w": rng.standard_normal((8, 8)), "mask": mask}
    path = save(tmp_path / "masked.onnx", nodes, weights, ["N", 4, 8])
    variant = store.build(inspect(path), "int8", calibration_of(path))
    samples = calibration_of(path).held_out()
    answers = np.concatenate([outputs[0] for outputs in run(variant.path, samples)])
    assert answers[..., 5:].max() == 0
    assert answers.sum(-1) == pytest.approx(1, abs=0.01)


def test_a_network_without_weights_has_no_int8(store, save_model):
    """There is nothing to quantise."""
    path = save_model(("x", TensorProto.FLOAT, ["N", 3]))
    failed = store.build(inspect(path), "int8", calibration_of(path))
    assert "no convolution or matrix product" in failed.detail


def test_a_quantised_model_is_not_quantised_again(integers, store):
    """Quantising twice would lose twice."""
    failed = store.build(inspect(integers.path), "fp16")
    assert "quantised already" in failed.detail


def test_int8_without_data_is_refused(digits, store):
    """The message says how to get it."""
    failed = store.build(inspect(digits / "digits.onnx"), "int8")
    assert failed.reason == "unsupported"
    assert "--data" in failed.detail


def test_too_few_samples_are_the_users_to_mend(digits, store, tmp_path):
    """Bad data ends the run with its number, not a variant."""
    np.savez(tmp_path / "few.npz", x=np.zeros((3, 1, 8, 8), np.float32))
    calibration = calibration_of(digits / "digits.onnx", tmp_path / "few.npz")
    with pytest.raises(ModelError, match="3 samples"):
        store.build(inspect(digits / "digits.onnx"), "int8", calibration)


def test_data_of_two_kinds_is_told(digits, store, tmp_path):
    """Samples outside the range that was calibrated are cut off; their input is named."""
    calibration = calibration_of(digits / "digits.onnx", digits / "digits.npz")
    x = calibration.inputs.load().arrays["x"].copy()
    x[held_out.samples(len(x), "held-out")] *= 255
    np.savez(tmp_path / "mixed.npz", x=x)
    calibration = calibration_of(digits / "digits.onnx", tmp_path / "mixed.npz")
    variant = store.build(inspect(digits / "digits.onnx"), "int8", calibration)
    assert "input x lies within 0 to 255, and was calibrated within 0 to 1" in variant.note


def test_a_cache_that_cannot_be_written_is_named(digits, tmp_path):
    """A file where the folder should be."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(StateError, match="AUTOTUNE_CACHE_DIR"):
        VariantStore(tmp_path / "cache").build(inspect(digits / "digits.onnx"), "fp16")


def children():
    """Return the processes that this one has started, by whatever test."""
    return set(psutil.Process().children())


def test_a_build_can_be_called_off(digits, store, tmp_path):
    """No process and no folder stay behind."""
    steps = []
    others = children()
    built = store.build(
        inspect(digits / "digits.onnx"),
        "fp16",
        on_progress=steps.append,
        cancelled=lambda: bool(steps),
    )
    assert built is None
    assert children() <= others
    assert not list((tmp_path / "cache").glob("*/.building-*"))


def test_a_build_that_is_killed_costs_that_variant_alone(digits, store, tmp_path):
    """The kernel may end it for want of memory: nothing is taken for whole, the next try works."""
    others = children()

    def kill(_):
        for child in children() - others:
            child.kill()

    info = inspect(digits / "digits.onnx")
    failed = store.build(info, "fp16", on_progress=kill)
    assert failed.reason == "crashed"
    assert "SIGKILL" in failed.detail
    assert (store.entries(), list((tmp_path / "cache" / "variants-1").iterdir())) == ([], [])
    assert isinstance(store.build(info, "fp16"), Variant)


def test_a_run_that_is_killed_while_it_builds_leaves_nothing_whole(digits, store, tmp_path):
    """What is left is no variant, and the next build clears it away."""
    script = f"""
import pathlib, sys
from autotuner.model.inspect import inspect
from autotuner.model.variants import VariantStore
store = VariantStore(pathlib.Path({str(tmp_path / "cache")!r}))
info = inspect(pathlib.Path({str(digits / "digits.onnx")!r}))
store.build(info, "fp16", on_progress=lambda step: print(step.step, flush=True) or sys.stdin.read())
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as builder:
        builder.stdout.readline()
        workers = psutil.Process(builder.pid).children()
        builder.kill()
    psutil.wait_procs(workers, timeout=20)
    left = tmp_path / "cache" / "variants-1"
    assert [folder.name.startswith(".building-") for folder in left.iterdir()] == [True]
    assert not store.entries()
    assert isinstance(store.build(inspect(digits / "digits.onnx"), "fp16"), Variant)
    assert len(list(left.iterdir())) == 1


def test_a_damaged_variant_is_made_anew(digits, store):
    """A file that was cut off is not what was once written."""
    info = inspect(digits / "digits.onnx")
    variant = store.build(info, "fp16")
    content = variant.path.read_bytes()
    variant.path.write_bytes(content[:-10])
    assert not store.entries()
    assert store.build(info, "fp16") == variant
    assert variant.path.read_bytes() == content
