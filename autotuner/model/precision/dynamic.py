"""INT8 with ranges found during each run: for models that are mostly matrix products.

Made with ``onnxruntime.quantization``. Needs no calibration; weights per channel. Convolutions stay
in float, as finding ranges on the way costs them more than integers gain.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from autotuner.model.precision.graph import PreparedGraph
from autotuner.model.precision.unsupported import Unsupported

_LEAST_SHARE = 0.5


def quantize(prepared: PreparedGraph, target: Path) -> int:
    """Write the variant to *target* and return the number of nodes that became integer.

    Raises Unsupported where that touches less than half of the weights.
    """
    quantize_dynamic(
        prepared.path,
        target,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        use_external_data_format=prepared.large,
        extra_options={"MatMulConstBOnly": True},
    )
    model = onnx.load(target)
    share = _integer_share(model)
    if share < _LEAST_SHARE:
        raise Unsupported(
            f"only {share:.0%} of the weights belong to matrix products with constant weights, "
            "so int8-dynamic would gain little"
        )
    return sum(node.op_type == "MatMulInteger" for node in model.graph.node)


def _integer_share(model: onnx.ModelProto) -> float:
    integers = floats = 0
    for tensor in model.graph.initializer:
        size = 1
        for axis in tensor.dims:
            size *= axis
        if tensor.data_type == onnx.TensorProto.INT8:
            integers += size
        elif tensor.data_type == onnx.TensorProto.FLOAT:
            floats += size
    return integers / max(1, integers + floats)
