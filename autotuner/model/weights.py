"""Random weights for a network's bare structure.

Method: He et al., "Delving Deep into Rectifiers" (2015), with the last layer of a residual branch
scaled down as in Goyal et al., "Accurate, Large Minibatch SGD" (2017), so that activations keep
their scale through any depth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

BLANK = "ConstantOfShape"
"""The operator that stands where a weight belongs; its input is the weight's shape."""

_SHAPE_ONLY = {
    "AveragePool",
    "Concat",
    "Dropout",
    "Flatten",
    "GlobalAveragePool",
    "LRN",
    "MaxPool",
    "Reshape",
    "Transpose",
    "Unsqueeze",
}
_ACTIVATIONS = {"Clip", "Relu"}
_RESIDUAL_SCALE = 0.35
_SPREAD = 0.05

Weights = np.ndarray[Any, np.dtype[np.float32]]


def fill(graph: onnx.GraphProto, rng: np.random.Generator) -> None:
    """Give every weight of *graph* random values; blanks first, then those with made-up values."""
    structure = _Structure(graph)
    for name, shape in _taken_out(graph).items():
        values = structure.draw(rng, name, shape)
        graph.initializer.append(numpy_helper.from_array(values, name))


def outline(graph: onnx.GraphProto) -> None:
    """Give every weight of *graph* its shape and no values: enough to count by, not to run."""
    for name, shape in _taken_out(graph).items():
        weight = onnx.TensorProto(name=name, dims=shape, data_type=onnx.TensorProto.FLOAT)
        graph.initializer.append(weight)


def _taken_out(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Take the weights out of *graph*, blank or not, and return their shapes by name."""
    blanks = [node for node in graph.node if node.op_type == BLANK]
    constants = {tensor.name: tensor for tensor in graph.initializer}
    shapes = {
        blank.output[0]: tuple(numpy_helper.to_array(constants[blank.input[0]]).tolist())
        for blank in blanks
    }
    shapes |= {
        tensor.name: tuple(tensor.dims)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.dims
    }
    for blank in blanks:
        graph.node.remove(blank)
    replaced = shapes.keys() | {blank.input[0] for blank in blanks}
    for name in replaced & constants.keys():
        graph.initializer.remove(constants[name])
    return shapes


class _Structure:
    """Who makes and who takes each tensor of a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._producers = {name: node for node in graph.node for name in node.output}
        self._consumers: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
        for node in graph.node:
            for slot, name in enumerate(node.input):
                self._consumers.setdefault(name, []).append((node, slot))

    def draw(self, rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Weights:
        """Return values for the weight *name* that suit the layer it belongs to."""
        layer, slot = self._layer(name)
        match layer.op_type, slot:
            case (("Conv" | "Gemm"), 1):
                gain = 2.0 if self._rectified(layer.input[0]) else 1.0
                fan_in = math.prod(shape[1:])
                values = rng.standard_normal(shape, np.float32)
                values *= math.sqrt(gain / fan_in) * self._branch_scale(layer)
                return values
            case "BatchNormalization", 1:
                return self._near(rng, self._branch_scale(layer), shape)
            case ("BatchNormalization", 4) | ("Mul", _):
                return self._near(rng, 1.0, shape)
            case _:
                return self._near(rng, 0.0, shape)

    @staticmethod
    def _near(rng: np.random.Generator, value: float, shape: tuple[int, ...]) -> Weights:
        return rng.uniform(value - _SPREAD, value + _SPREAD, shape).astype(np.float32)

    def _layer(self, name: str) -> tuple[onnx.NodeProto, int]:
        """Return the layer that takes the weight *name*, and as which of its inputs."""
        layer, slot = self._consumers[name][0]
        while layer.op_type in _SHAPE_ONLY:
            layer, slot = self._consumers[layer.output[0]][0]
        return layer, slot

    def _branch_scale(self, layer: onnx.NodeProto) -> float:
        """Return the scale of a layer's output: less than 1 where it ends a residual branch."""
        match self._consumers.get(layer.output[0]):
            case [(node, _)] if node.op_type in {"Add", "Sum"}:
                return _RESIDUAL_SCALE
            case _:
                return 1.0

    def _rectified(self, name: str) -> bool:
        """Say whether *name* comes out of an activation, which halves the signal's power."""
        return any(node.op_type in _ACTIVATIONS for node in self._makers(name))

    def _makers(self, name: str) -> Iterator[onnx.NodeProto]:
        """Yield the nodes that computed the values of *name*, not merely moved or pooled them."""
        node = self._producers.get(name)
        if node is None:
            return
        if node.op_type in _SHAPE_ONLY:
            for source in node.input:
                yield from self._makers(source)
        else:
            yield node
