"""Engines are built from ONNX, shown with TensorRT for RTX, which needs no GPU to build."""

from __future__ import annotations

import gc
import os
import sys
import time
from importlib.util import find_spec
from types import SimpleNamespace
from unittest.mock import MagicMock

import onnx
import pytest
import variants
from onnx import TensorProto, helper

from autotuner.backends import BackendFailure, tensorrt
from autotuner.backends.nvidia import Gpu
from autotuner.backends.tensorrt_build import GRAPHS, Recipe, build
from autotuner.model import reference
from autotuner.model.calibration import Calibration
from autotuner.model.inputs import InputSpec
from autotuner.model.inspect import inspect
from autotuner.model.precision import builder
from autotuner.model.precision.messages import MODEL_FILE, Built, Order
from autotuner.model.shapes import resolve

TARGET = "SM86"
SHAPES = {"x": (4, 3, 16, 16)}


@pytest.fixture(scope="module")
def trt():
    """Return the package that builds for a GPU that is not there."""
    if find_spec("tensorrt_rtx") is None:
        if os.environ.get("CI") or os.environ.get("AUTOTUNE_REQUIRE_RIGS"):
            pytest.fail("tensorrt-rtx-cu13 is not installed")
        pytest.skip("tensorrt-rtx-cu13 is not installed")
    import tensorrt_rtx  # noqa: PLC0415 - optional, and heavy

    return tensorrt_rtx


@pytest.mark.parametrize("precision", GRAPHS)
def test_every_precision_becomes_an_engine(trt, tiny_model, tmp_path, precision):
    """From the graph that is named for it."""
    path = variants.save(GRAPHS[precision], tiny_model, tmp_path / "variant.onnx")
    built = build(trt, Recipe(model=path, precision=precision, shapes=SHAPES), target=TARGET)
    assert len(built.engine) > 1000
    assert built.timing_cache is None


def test_single_precision_is_not_tensor_float(trt, tiny_model):
    """Unless it is asked for, which TensorRT's own default is."""
    fp32, tf32 = (
        build(trt, Recipe(model=tiny_model, precision=precision, shapes=SHAPES), target=TARGET)
        for precision in ("fp32", "tf32")
    )
    assert fp32.engine != tf32.engine


def test_an_operator_that_cannot_be_read_is_named(trt, tmp_path):
    """And the node, so that it can be found in the model."""
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 3, 16, 16]) for n in "xy"]
    node = helper.make_node("Juggle", ["x"], ["y"], name="third_ball")
    graph = helper.make_graph([node], "unknown", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, ir_version=8), tmp_path / "unknown.onnx")
    recipe = Recipe(model=tmp_path / "unknown.onnx", precision="fp32", shapes=SHAPES)
    with pytest.raises(BackendFailure, match=r"Juggle.*third_ball") as caught:
        build(trt, recipe, target=TARGET)
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("content", [b"", b"this is no model", None])
def test_what_is_no_model_is_refused(trt, tmp_path, content):
    """In one line."""
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BackendFailure) as caught:
        build(trt, Recipe(model=path, precision="fp32", shapes=SHAPES), target=TARGET)
    assert caught.value.reason == "unsupported"
    assert "\n" not in caught.value.detail


def test_an_unknown_precision_is_refused(trt, tiny_model):
    """By its name."""
    with pytest.raises(BackendFailure, match="int3"):
        build(trt, Recipe(model=tiny_model, precision="int3", shapes=SHAPES), target=TARGET)


def test_shapes_of_other_inputs_are_refused(trt, tiny_model):
    """The input that has none is named."""
    recipe = Recipe(model=tiny_model, precision="fp32", shapes={"image": (4, 3, 16, 16)})
    with pytest.raises(BackendFailure, match="input x"):
        build(trt, recipe, target=TARGET)


def test_shapes_that_the_model_does_not_take_are_refused(trt, tiny_model):
    """TensorRT's words say which."""
    recipe = Recipe(model=tiny_model, precision="fp32", shapes={"x": (4, 5, 16, 16)})
    with pytest.raises(BackendFailure) as caught:
        build(trt, recipe, target=TARGET)
    assert caught.value.detail.strip()


@pytest.mark.filterwarnings("ignore:Use Deprecated in TensorRT-RTX")
def test_an_engine_is_kept_for_its_gpu_and_version(trt, tiny_model, monkeypatch, tmp_path):
    """The second time it comes from the disk; for another GPU it does not."""
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path))
    recipe = Recipe(model=tiny_model, precision="fp32", shapes=SHAPES)

    def engine(name, capability):
        gpu = Gpu(name=name, compute_capability=capability, cuda=(13, 0))
        monkeypatch.setattr(tensorrt, "find_gpu", lambda: gpu)
        return tensorrt._engine(trt, recipe)

    first = engine("Orin", (8, 7))
    assert engine("Orin", (8, 7)) == first
    assert len(list(tmp_path.rglob("*.engine"))) == 1
    engine("Titan V", (7, 0))
    assert len(list(tmp_path.rglob("*.engine"))) == 2
    timings = {file.name for file in tmp_path.rglob("*.timing")}
    assert timings == {f"{trt.__version__}-8.7.timing", f"{trt.__version__}-7.0.timing"}
    monkeypatch.setattr(tensorrt, "build", None)
    assert engine("Orin", (8, 7)) == first


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:Use Deprecated in TensorRT-RTX")
@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("name", reference.NAMES)
def test_every_reference_model_becomes_an_engine_once(
    trt, name, precision, tmp_path, monkeypatch, capsys
):
    """From the variants that are made for every runtime, for batches up to 8; then it is there."""
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path))
    gpu = Gpu(name="Orin", compute_capability=(8, 7), cuda=(13, 0))
    monkeypatch.setattr(tensorrt, "find_gpu", lambda: gpu)
    model = reference.path(name, tmp_path)
    tensors = resolve(inspect(model))
    if precision != "fp32":
        model = _variant(GRAPHS[precision], model, tensors, tmp_path / "variant")
    shapes = {tensor.name: (8, *tensor.sample_shape) for tensor in tensors}
    recipe = Recipe(model=model, precision=precision, shapes=shapes)
    began = time.monotonic()
    engine = tensorrt._engine(trt, recipe)
    seconds = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"\n{name} {precision}: {len(engine) >> 20} MiB in {seconds:.1f} s ")
    monkeypatch.setattr(tensorrt, "build", None)
    assert tensorrt._engine(trt, recipe) == engine


def _variant(graph, model, tensors, folder):
    """Make the variant *graph* of *model*, calibrated with random samples, and return its file."""
    folder.mkdir()
    integer = graph == "int8-symmetric"
    order = Order(
        model=model,
        variant=graph,
        folder=folder,
        calibration=Calibration(inputs=InputSpec(tensors=tensors)) if integer else None,
        batch_size=1,
        min_accuracy=0.99,
    )
    made = builder.build(order, lambda _: None)
    assert isinstance(made, Built)
    return folder / MODEL_FILE


def test_version_8_6_is_told_what_later_ones_take_from_the_graph(tiny_model):
    """Lower types, and that contexts share a profile, which smaller batches and streams need."""
    trt = MagicMock()
    trt.ILogger = type("ILogger", (), {})
    trt.NetworkDefinitionCreationFlag = SimpleNamespace(EXPLICIT_BATCH=0)
    builder = trt.Builder.return_value
    builder.create_network.return_value.num_inputs = 0
    builder.build_serialized_network.return_value = b"engine"
    built = build(trt, Recipe(model=tiny_model, precision="fp16", shapes=SHAPES))
    assert built.engine == b"engine"
    builder.create_network.assert_called_once_with(1)
    config = builder.create_builder_config.return_value
    config.set_flag.assert_called_once_with(trt.BuilderFlag.FP16)
    config.set_preview_feature.assert_called_once_with(
        trt.PreviewFeature.PROFILE_SHARING_0806, True
    )


def test_no_garbage_is_collected_while_tensorrt_is_at_work(tiny_model):
    """It would wait for ever: an old builder's end needs the lock with which the logger is called.

    When an operator cannot be read the collector goes on just the same.
    """
    collects = []
    trt = MagicMock()
    trt.ILogger = type("ILogger", (), {})
    trt.Builder.side_effect = lambda _: collects.append(gc.isenabled())
    with pytest.raises(AttributeError):
        build(trt, Recipe(model=tiny_model, precision="fp16", shapes=SHAPES))
    assert collects == [False]
    assert gc.isenabled()
