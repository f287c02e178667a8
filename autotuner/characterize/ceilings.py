"""The most that a machine does, measured through the runtime that is judged by it.

Method: Williams et al., "Roofline" (2009); the peak is a square matrix product, the bandwidth that
of summing more than any cache holds.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from autotuner.backends.base import Backend
from autotuner.core.config import Config
from autotuner.core.layer_profile import Ceilings

_SIDE = 1024
_LONG = 16 * 1024
_SECONDS = 0.5


def measure_ceilings(backend: Backend, config: Config) -> Ceilings:
    """Return the ceilings of this process under *config*; raises BackendFailure."""
    weight = numpy_helper.from_array(np.full((_SIDE, _SIDE), 1e-3, np.float32), "w")
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    total = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    product_s = _fastest(backend, config, product, weight, (_SIDE, _SIDE))
    total_s = _fastest(backend, config, total, axes, (_SIDE, _LONG))
    return Ceilings(
        gflops_s=_SIDE**3 / product_s / 1e9,
        gb_s=4 * _SIDE * _LONG / total_s / 1e9,
    )


def _fastest(
    backend: Backend,
    config: Config,
    node: onnx.NodeProto,
    constant: onnx.TensorProto,
    shape: tuple[int, int],
) -> float:
    """Return the shortest time of a model of one *node* on an input of this *shape*."""
    graph = helper.make_graph(
        [node],
        "ceiling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [constant],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    feeds = {"x": np.ones(shape, np.float32)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ceiling.onnx"
        path.write_bytes(model.SerializeToString())
        session = backend.open(path, config, {"x": shape})
    session.run(feeds)
    times: list[float] = []
    while sum(times) < _SECONDS:
        began = time.perf_counter()
        session.run(feeds)
        times.append(time.perf_counter() - began)
    session.close()
    return min(times)
