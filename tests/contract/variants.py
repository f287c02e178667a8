"""The tiny model in other precisions, so simply made that a test can see what it is."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def halved(tiny_model):
    """Return the tiny model with weights, inputs, outputs and computation in half precision."""
    model = onnx.load(tiny_model)
    for tensor in model.graph.initializer:
        half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    return model


def quantised(tiny_model):
    """Return the tiny model with the input and the weights of its convolution quantised."""
    model = onnx.load(tiny_model)
    for name in ("x", "conv_w"):
        ends = [f"{name}_scale", f"{name}_zero"]
        for operator, feed, result in (
            ("DequantizeLinear", f"{name}_q", f"{name}_dq"),
            ("QuantizeLinear", name, f"{name}_q"),
        ):
            model.graph.node.insert(0, helper.make_node(operator, [feed, *ends], [result]))
        model.graph.initializer.append(numpy_helper.from_array(np.float32(0.05), ends[0]))
        model.graph.initializer.append(numpy_helper.from_array(np.int8(0), ends[1]))
    (convolution,) = (node for node in model.graph.node if node.op_type == "Conv")
    convolution.input[0], convolution.input[1] = "x_dq", "conv_w_dq"
    onnx.checker.check_model(model)
    return model


def save(graph, tiny_model, path):
    """Write the variant *graph* of the tiny model to *path* and return that."""
    made = {"fp32": onnx.load, "fp16": halved, "int8": quantised, "int8-symmetric": quantised}[
        graph
    ](tiny_model)
    onnx.save(made, path)
    return path
