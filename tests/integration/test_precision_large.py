"""Models too large for one file: their weights lie beside the graph at every step."""

from __future__ import annotations

import onnx
import pytest

from autotuner.model.inputs import InputSpec
from autotuner.model.inspect import inspect
from autotuner.model.precision import graph, half, session, static
from autotuner.model.shapes import resolve


@pytest.fixture
def prepared(steady_model, tmp_path, monkeypatch):
    """Prepare a small model as if it were large."""
    monkeypatch.setattr(graph, "_LARGE_BYTES", 0)
    return graph.prepare(steady_model, tmp_path)


def quantize(prepared, model, target):
    """Quantise *prepared* with random inputs."""
    samples = InputSpec(tensors=resolve(inspect(model))).load()
    feeds = [samples.batch(1, index) for index in range(4)]
    static.calibrate(prepared, feeds, "minmax", symmetric=False, on_sample=list).quantize(target)


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_large_variant_is_whole(prepared, steady_model, tmp_path, precision):
    """Graph and weights are two files, which load together."""
    target = tmp_path / "variant" / "model.onnx"
    target.parent.mkdir()
    for _ in range(2):  # writing it again does not double the weights
        if precision == "fp16":
            half.convert(prepared, target)
        else:
            quantize(prepared, steady_model, target)
    assert [file.name for file in sorted(target.parent.iterdir())] == [
        "model.onnx",
        "model.onnx.data",
    ]
    assert (target.parent / "model.onnx.data").stat().st_size < steady_model.stat().st_size
    assert any(
        t.external_data for t in onnx.load(target, load_external_data=False).graph.initializer
    )
    session.check(target)
