"""FP16: weights and compute in half precision, inputs and outputs as they were.

Made with ``onnxruntime.transformers.float16``: the descendant of onnxconverter-common's converter
that is kept up, which comes with ONNX Runtime and knows which inputs of Resize and others have to
stay in float32.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import convert_float_to_float16

from autotuner.model.precision import graph
from autotuner.model.precision.unsupported import Unsupported


def convert(prepared: graph.PreparedGraph, target: Path) -> None:
    """Write the FP16 variant of *prepared* to *target*; raises Unsupported without FP32 weights."""
    model = prepared.load()
    if not any(t.data_type == onnx.TensorProto.FLOAT for t in model.graph.initializer):
        raise Unsupported("the model has no float32 weights to convert")
    # prepare() has inferred the types already.
    converted = convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)
    ONNXModel(converted).topological_sort()  # the converter puts the casts of inputs last
    graph.save(converted, target, large=prepared.large)
