"""Make a runnable ONNX model from the bare structure of a reference network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper, version_converter

from autotuner.model import weights
from autotuner.model.families import (
    densenet,
    inception,
    mnasnet,
    mobilenet,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
    xception,
)

OPSET = 17  # per-channel INT8 needs at least 13
IR_VERSION = 8
_SEED = 0

# Structures without weights that the onnx package ships for its own tests.
_LIGHT_DIR = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
_LIGHT_FILES = {
    "alexnet": "light_bvlc_alexnet.onnx",
    "inception-v1": "light_inception_v1.onnx",
    "inception-v2": "light_inception_v2.onnx",
    "resnet-50": "light_resnet50.onnx",
    "shufflenet": "light_shufflenet.onnx",
    "squeezenet": "light_squeezenet.onnx",
    "vgg-19": "light_vgg19.onnx",
    "zfnet-512": "light_zfnet512.onnx",
}
_BUILDERS: Mapping[str, Callable[[], onnx.GraphProto]] = {
    **{f"resnet-{depth}": partial(resnet.resnet, depth) for depth in (18, 34, 101, 152)},
    **{f"vgg-{depth}": partial(vgg.vgg, depth) for depth in (11, 13, 16)},
    **{f"densenet-{depth}": partial(densenet.densenet, depth) for depth in (121, 161, 169, 201)},
    "inception-v3": inception.v3,
    "mnasnet": mnasnet.mnasnet,
    "mobilenet-v1": mobilenet.v1,
    "mobilenet-v2": mobilenet.v2,
    "shufflenet-v2": shufflenet.v2,
    "squeezenet-1.0": squeezenet.v1_0,
    "xception": xception.xception,
}


def make(name: str) -> onnx.ModelProto:
    """Return the reference model *name*: seeded weights, free batch axis ``N``."""
    model = _bare(name)
    weights.fill(model.graph, np.random.default_rng(_SEED))
    return model


def skeleton(name: str) -> onnx.ModelProto:
    """Return the reference model *name* with weights that have a shape and no values."""
    model = _bare(name)
    weights.outline(model.graph)
    return model


def _bare(name: str) -> onnx.ModelProto:
    graph = _BUILDERS[name]() if name in _BUILDERS else _light(_LIGHT_FILES[name])
    graph.name = name
    return helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="edge-autotune",
    )


def _light(file_name: str) -> onnx.GraphProto:
    """Return a structure of the onnx package in our opset and for any batch size."""
    graph = version_converter.convert_version(onnx.load(_LIGHT_DIR / file_name), OPSET).graph
    _free_inputs(graph)
    _free_batch(graph)
    return graph


def _free_inputs(graph: onnx.GraphProto) -> None:
    """Drop initialisers that nothing uses, and take the others off the graph's inputs."""
    used = {name for node in graph.node for name in node.input}
    constants = {tensor.name for tensor in graph.initializer}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    values = [value for value in graph.input if value.name not in constants]
    del graph.initializer[:], graph.input[:]
    graph.initializer.extend(tensors)
    graph.input.extend(values)


def _free_batch(graph: onnx.GraphProto) -> None:
    """Replace the batch size 1 in inputs, outputs and Reshape targets."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    del graph.value_info[:]
    weight_names = {
        name for node in graph.node if node.op_type == weights.BLANK for name in node.output
    }
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[0] in weight_names:
            continue
        target = constants.get(node.input[1])
        if target is not None:
            sizes = numpy_helper.to_array(target).copy()
            sizes[0] = 0  # as in the input
            target.CopyFrom(numpy_helper.from_array(sizes, target.name))
