"""Count what each layer of a model does, from its graph and the shapes in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import onnx
from onnx import shape_inference

from autotuner.core.errors import ModelError
from autotuner.core.inspection import Layer
from autotuner.model import arithmetic, element_type
from autotuner.model.arithmetic import Shape

_LARGE_BYTES = 4096
_PACKED = re.compile(r"^u?int([24])$")
_STATISTICS = {"BatchNormalization": (3, 4)}
"""Inputs that were collected, not learned: not counted as parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor of the graph; *shape* is None where it cannot be told."""

    shape: Shape | None
    element_type: str
    stored: bool

    @property
    def bytes(self) -> int | None:
        """The size of the tensor."""
        if self.shape is None:
            return None
        return round(math.prod(self.shape) * _item_bytes(self.element_type))

    @property
    def parameters(self) -> int:
        """How many parameters it holds; integers of 64 bits are shapes and indices."""
        if self.shape is None or not self.stored or self.element_type == "int64":
            return 0
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The nodes of a graph in its order, each with its work for one sample, and all tensors."""

    nodes: tuple[onnx.NodeProto, ...]
    layers: tuple[Layer, ...]
    tensors: Mapping[str, Tensor]
    peak_activation_bytes: int | None


def count(model: onnx.ModelProto, samples: Mapping[str, Shape]) -> Cost:
    """Return what *model* costs for one sample of these shapes, by input without the batch axis.

    Weights may lack their content. *model* is changed: large weights lose theirs. Raises
    ModelError when shapes contradict each other.
    """
    tensors = _tensors(model, samples)
    nodes = tuple(model.graph.node)
    seen: set[str] = set()
    layers = tuple(_layer(node, index, tensors, seen) for index, node in enumerate(nodes))
    outputs = [value.name for value in model.graph.output]
    return Cost(
        nodes=nodes,
        layers=layers,
        tensors=tensors,
        peak_activation_bytes=_peak(nodes, tensors, outputs),
    )


def layer_name(node: onnx.NodeProto, index: int) -> str:
    """Return the node's name, or one of its operator and its place where it has none."""
    return node.name or f"{node.op_type}_{index}"


def _tensors(model: onnx.ModelProto, samples: Mapping[str, Shape]) -> dict[str, Tensor]:
    graph = model.graph
    stored = {weight.name for weight in graph.initializer}
    tensors = {
        weight.name: Tensor(
            shape=tuple(weight.dims), element_type=_type_name(weight.data_type), stored=True
        )
        for weight in graph.initializer
    }
    for weight in graph.initializer:
        if len(weight.raw_data) > _LARGE_BYTES:  # would be copied while shapes are inferred
            weight.ClearField("raw_data")
    for value in graph.input:
        if value.name in samples:
            _settle(value, samples[value.name])
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    except shape_inference.InferenceError as error:
        raise ModelError(
            f"The shapes inside the model {graph.name} cannot be told: "
            f"{' '.join(str(error).split())}; mend the model or export it again."
        ) from error
    for value in (*inferred.value_info, *inferred.input, *inferred.output):
        if value.name not in stored:
            tensor = value.type.tensor_type
            tensors[value.name] = Tensor(
                shape=_shape(tensor), element_type=_type_name(tensor.elem_type), stored=False
            )
    return tensors


def _settle(value: onnx.ValueInfoProto, sample: Shape) -> None:
    """Give an input the shape of a batch of one *sample*, or of the batch that it fixes."""
    dims = value.type.tensor_type.shape.dim
    batched = len(dims) != len(sample)
    sizes = (max(1, dims[0].dim_value) if dims else 1, *sample) if batched else sample
    del dims[:]
    dims.extend(onnx.TensorShapeProto.Dimension(dim_value=size) for size in sizes)


def _shape(tensor: onnx.TypeProto.Tensor) -> Shape | None:
    if not tensor.HasField("shape"):
        return None
    sizes = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
    return None if -1 in sizes else sizes


def _type_name(kind: int) -> str:
    return element_type.NAMES.get(kind, "unknown")


@cache
def _item_bytes(name: str) -> float:
    """Return the bytes of one element; 0 where that is not known."""
    if name in {"unknown", "string"}:
        return 0.0
    packed = _PACKED.search(name)
    return int(packed[1]) / 8 if packed else float(element_type.dtype(name).itemsize)


def _layer(
    node: onnx.NodeProto, index: int, tensors: Mapping[str, Tensor], seen: set[str]
) -> Layer:
    """Count one node; weights that an earlier one, in *seen*, also uses are counted there."""
    inputs = [tensors.get(name) for name in node.input]
    outputs = [tensors.get(name) for name in node.output]
    shapes = [[tensor.shape if tensor else None for tensor in side] for side in (inputs, outputs)]
    own = {
        name: tensor
        for slot, (name, tensor) in enumerate(zip(node.input, inputs, strict=True))
        if tensor and tensor.stored and name not in seen
    }
    statistics = {node.input[i] for i in _STATISTICS.get(node.op_type, ()) if i < len(node.input)}
    seen.update(own)
    return Layer(
        name=layer_name(node, index),
        operator=node.op_type,
        output_shape=shapes[1][0] if shapes[1] else None,
        parameters=sum(tensor.parameters for name, tensor in own.items() if name not in statistics),
        weight_bytes=sum(tensor.bytes or 0 for tensor in own.values()),
        multiply_adds=arithmetic.multiply_adds(node, *shapes),
        flops=arithmetic.operations(node, *shapes),
        read_bytes=_sum(
            tensor.bytes if tensor else None
            for name, tensor in zip(node.input, inputs, strict=True)
            if name and not (tensor and tensor.stored)
        ),
        written_bytes=_sum(tensor.bytes if tensor else None for tensor in outputs),
    )


def _peak(
    nodes: Iterable[onnx.NodeProto], tensors: Mapping[str, Tensor], outputs: Iterable[str]
) -> int | None:
    """Return the most bytes of activations that are alive at a time, in the graph's order."""
    order = list(nodes)
    last_use = {name: index for index, node in enumerate(order) for name in node.input}
    last_use |= dict.fromkeys(outputs, len(order))
    alive: dict[str, int] = {}
    peak = 0
    for index, node in enumerate(order):
        for name in (*node.input, *node.output):
            tensor = tensors.get(name)
            if not name or (tensor and tensor.stored):
                continue
            size = tensor.bytes if tensor else None
            if size is None:
                return None
            alive[name] = size
        peak = max(peak, sum(alive.values()))
        alive = {name: size for name, size in alive.items() if last_use.get(name, -1) > index}
    return peak


def _sum(sizes: Iterable[int | None]) -> int | None:
    known = list(sizes)
    return None if None in known else sum(size for size in known if size is not None)
