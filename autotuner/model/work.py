"""How much work a model is for a processor, by what its layers cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx

from autotuner.core.work import Work
from autotuner.model import cost

_FUSED = frozenset(
    [
        "Add",
        "BatchNormalization",
        "Clip",
        "Constant",
        "Dropout",
        "Elu",
        "Flatten",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Mul",
        "PRelu",
        "Relu",
        "Reshape",
        "Sigmoid",
        "Squeeze",
        "Sub",
        "Unsqueeze",
    ]
)
"""Operators that every runtime folds into the node before them, or whose output is a view."""


def count(path: Path, samples: Mapping[str, Sequence[int]]) -> Work:
    """Return the work of the ONNX model at *path*, the shape of one sample given by input.

    What cannot be told of a layer counts as nothing. Raises ModelError when shapes contradict each
    other.
    """
    model = onnx.load(path, load_external_data=False)
    found = cost.count(model, {name: tuple(shape) for name, shape in samples.items()})
    started = [layer for layer in found.layers if layer.operator not in _FUSED]
    written = [layer.written_bytes or 0 for layer in started]
    return Work(
        macs=float(sum(layer.multiply_adds or 0 for layer in started)),
        nodes=len(started),
        weight_bytes=float(sum(layer.weight_bytes for layer in found.layers)),
        traffic_bytes=2.0 * sum(written),
        activation_bytes=float(found.peak_activation_bytes or 2 * max(written, default=0)),
    )
