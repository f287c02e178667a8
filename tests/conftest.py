"""Small models for every kind of test."""

from __future__ import annotations

import signal
from pathlib import Path

import hypothesis
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sandbox import Sandbox

# A shell ignores Ctrl-C on behalf of what it runs in the background, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The box is busy: how long an example takes says nothing about it.
hypothesis.settings.register_profile(
    "busy box", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy box")

TESTS = Path(__file__).parent
SLOWEST_FIRST = ("system", "integration", "tui", "contract", "unit")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Let folders begin with the slowest one, so that no process is left alone with a long file.

    Within a folder the order stays random.
    """
    items.sort(key=lambda item: SLOWEST_FIRST.index(item.path.relative_to(TESTS).parts[0]))


@pytest.fixture
def sandbox(tmp_path):
    """Give the program a home of its own, and end there whatever is still running."""
    place = Sandbox(tmp_path / "sandbox")
    place.home.mkdir()
    yield place
    place.kill()


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory):
    """Do the same for all tests of a module, which then share a daemon."""
    place = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield place
    place.kill()


@pytest.fixture
def save_model(tmp_path):
    """Write a model whose outputs copy its inputs; inputs are (name, element type, shape)."""

    def save(*inputs, name="model.onnx", metadata=None, **model_options):
        values = [helper.make_tensor_value_info(*value) for value in inputs]
        copies = [helper.make_tensor_value_info(f"{i[0]}_out", *i[1:]) for i in inputs]
        nodes = [helper.make_node("Identity", [i[0]], [f"{i[0]}_out"]) for i in inputs]
        model_options.setdefault("opset_imports", [helper.make_opsetid("", 17)])
        model = helper.make_model(
            helper.make_graph(nodes, "copies", values, copies), ir_version=8, **model_options
        )
        helper.set_model_props(model, metadata or {})
        path = tmp_path / name
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Path of a small batch-free network: x float32 [N, 3, 16, 16] -> y float32 [N, 10]."""
    return _network(tmp_path_factory.mktemp("models") / "tiny.onnx", channels=8, size=16)


@pytest.fixture(scope="session")
def trivial_model(tmp_path_factory):
    """Path of x float32 [N, 3] -> y, a single Relu: no runtime shares that out to threads.

    So its throughput is soon known, on a busy box too, and batches of 16 are many times faster.
    """
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in "xy")
    relu = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph([relu], "trivial", [x], [y])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path = tmp_path_factory.mktemp("models") / "trivial.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def steady_model(tmp_path_factory):
    """Path of the same with x float32 [N, 3, 96, 96]: slow enough to be measured precisely."""
    return _network(tmp_path_factory.mktemp("models") / "steady.onnx", channels=64, size=96)


def _network(path, *, channels, size):
    """Write a batch-free network of one convolution and one dense layer to *path*."""
    rng = np.random.default_rng(0)
    weights = {
        "conv_w": rng.standard_normal((channels, 3, 3, 3)),
        "conv_b": rng.standard_normal(channels),
        "dense_w": rng.standard_normal((10, channels)),
        "dense_b": rng.standard_normal(10),
    }
    nodes = [
        helper.make_node("Conv", ["x", "conv_w", "conv_b"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "dense_w", "dense_b"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, size, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in weights.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
