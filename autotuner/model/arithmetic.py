"""How much arithmetic each operator of ONNX does, told from the shapes of its tensors.

Multiply-adds count once. Of the rest every operation counts: batch normalisation is subtract,
divide, multiply, add; a rectifier is compare and select; pooling looks at all of its window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import onnx

Shape = tuple[int, ...]
Shapes = Sequence[Shape | None]

# Operations for each element of the output.
_ELEMENTWISE = {
    **dict.fromkeys(
        [
            "Abs",
            "Add",
            "And",
            "BitShift",
            "Ceil",
            "Cos",
            "Div",
            "Equal",
            "Erf",
            "Exp",
            "Floor",
            "Greater",
            "GreaterOrEqual",
            "Less",
            "LessOrEqual",
            "Log",
            "Max",
            "Mean",
            "Min",
            "Mod",
            "Mul",
            "Neg",
            "Not",
            "Or",
            "Pow",
            "Reciprocal",
            "Round",
            "Sign",
            "Sin",
            "Sqrt",
            "Sub",
            "Sum",
            "Tan",
            "Tanh",
            "Where",
            "Xor",
        ],
        1,
    ),
    **dict.fromkeys(["Clip", "LeakyRelu", "PRelu", "Relu", "ThresholdedRelu"], 2),
    **dict.fromkeys(["DequantizeLinear", "QuantizeLinear", "QLinearAdd", "QLinearMul"], 2),
    **dict.fromkeys(["Celu", "Elu", "HardSigmoid", "HardSwish", "Selu", "Softplus", "Softsign"], 3),
    **dict.fromkeys(["BatchNormalization", "Gelu", "Mish", "Sigmoid", "Swish"], 4),
    **dict.fromkeys(["Hardmax", "LogSoftmax", "Softmax"], 3),
    **dict.fromkeys(["GroupNormalization", "InstanceNormalization", "LayerNormalization"], 8),
}
_MOVING = frozenset(
    [
        "Cast",
        "CastLike",
        "Compress",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "DepthToSpace",
        "Dropout",
        "Expand",
        "Flatten",
        "Gather",
        "GatherElements",
        "GatherND",
        "Identity",
        "Pad",
        "Range",
        "Reshape",
        "Resize",
        "ScatterElements",
        "ScatterND",
        "Shape",
        "Size",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Upsample",
    ]
)
_REDUCING = frozenset(
    [
        "ArgMax",
        "ArgMin",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "QLinearGlobalAveragePool",
        "ReduceL1",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
    ]
)
_POOLING = frozenset(["AveragePool", "LpPool", "MaxPool", "QLinearAveragePool"])
# The position of the second factor among the inputs of an operator that multiplies and adds.
_PRODUCTS = {
    "Conv": 1,
    "ConvInteger": 1,
    "ConvTranspose": 1,
    "FusedConv": 1,
    "FusedGemm": 1,
    "FusedMatMul": 1,
    "Gemm": 1,
    "MatMul": 1,
    "MatMulInteger": 1,
    "QLinearConv": 3,
    "QLinearMatMul": 3,
}
# Where an operator that multiplies and adds takes a bias.
_BIASES = {
    "Conv": 2,
    "ConvTranspose": 2,
    "FusedConv": 2,
    "Gemm": 2,
    "FusedGemm": 2,
    "QLinearConv": 8,
}


def multiply_adds(node: onnx.NodeProto, inputs: Shapes, outputs: Shapes) -> int | None:
    """Return the multiply-adds of *node*; None when an operator or a shape is not known."""
    if node.op_type not in _PRODUCTS:
        return None if operations(node, inputs, outputs) is None else 0
    left, right = inputs[0], inputs[_PRODUCTS[node.op_type]]
    out = outputs[0]
    if left is None or right is None or out is None:
        return None
    if node.op_type == "ConvTranspose":
        return math.prod(left) * math.prod(right[1:])
    if "Conv" in node.op_type:
        return math.prod(out) * math.prod(right[1:])
    attributes = _integers(node)
    inner = left[0] if attributes.get("transA") else left[-1]
    return math.prod(out) * inner


def operations(node: onnx.NodeProto, inputs: Shapes, outputs: Shapes) -> int | None:
    """Return every arithmetic operation of *node*, a multiply-add counted once."""
    kind = node.op_type
    if kind in _MOVING:
        return 0
    if kind in _PRODUCTS:
        products = multiply_adds(node, inputs, outputs)
        biased = _BIASES.get(kind, len(inputs)) < len(inputs)
        return None if products is None else products + biased * _elements(outputs[0])
    rule = _RULES.get(kind)
    shapes = (inputs[0] if inputs else None, outputs[0])
    if rule is None or None in shapes:
        return None
    return rule(node, *shapes)  # type: ignore[arg-type]


def _per_element(count: int) -> Callable[[onnx.NodeProto, Shape, Shape], int]:
    return lambda _node, _taken, made: count * math.prod(made)


def _reduction(_node: onnx.NodeProto, taken: Shape, _made: Shape) -> int:
    return math.prod(taken)


def _pool(node: onnx.NodeProto, _taken: Shape, made: Shape) -> int:
    window = next((a.ints for a in node.attribute if a.name == "kernel_shape"), (1,))
    return math.prod(made) * math.prod(window)


def _neighbours(node: onnx.NodeProto, _taken: Shape, made: Shape) -> int:
    """Normalise over neighbouring channels: their squares, a power and a quotient."""
    return math.prod(made) * (_integers(node).get("size", 1) + 2)


_RULES: Mapping[str, Callable[[onnx.NodeProto, Shape, Shape], int]] = {
    **{kind: _per_element(count) for kind, count in _ELEMENTWISE.items()},
    **dict.fromkeys(_REDUCING, _reduction),
    **dict.fromkeys(_POOLING, _pool),
    "LRN": _neighbours,
}


def _elements(shape: Shape | None) -> int:
    return 0 if shape is None else math.prod(shape)


def _integers(node: onnx.NodeProto) -> dict[str, int]:
    return {attribute.name: attribute.i for attribute in node.attribute}
