"""Values of the model room, made short for tests."""

from __future__ import annotations

from pathlib import Path

from autotuner.model.info import ModelInfo, TensorInfo
from autotuner.model.shapes import InputTensor


def model_info(image_size=None, **shapes):
    """Return a model called m with float inputs of the given *shapes* and no outputs."""
    return ModelInfo(
        name="m",
        path=Path("m.onnx"),
        size_bytes=1,
        sha256="0",
        ir_version=8,
        opsets={"ai.onnx": 17},
        producer="",
        inputs=tuple(
            TensorInfo(name=name, element_type="float32", shape=shape)
            for name, shape in shapes.items()
        ),
        outputs=(),
        operators={},
        image_size=image_size,
    )


def input_tensor(name="x", shape=(3,), *, element_type="float32", batched=True):
    """Return a settled input, by default x with samples of three floats."""
    return InputTensor(name=name, element_type=element_type, sample_shape=shape, batched=batched)
