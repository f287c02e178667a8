"""What the bench says of a model agrees with a plain loop over the runtime."""

from __future__ import annotations

import itertools
import time
from statistics import median

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.host import topology
from autotuner.model.inputs import InputSpec
from autotuner.model.shapes import InputTensor

pytestmark = pytest.mark.alone

PAIRS = 7
SECONDS = 0.6
INPUTS = InputSpec(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=(3, 64, 64), batched=True),)
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Return the path of a convolutional network that takes a few milliseconds a sample."""
    rng = np.random.default_rng(0)
    widths = (3, 32, 48, 48)
    weights = [
        numpy_helper.from_array(
            rng.standard_normal((wide, narrow, 3, 3)).astype(np.float32) / 20, f"w{i}"
        )
        for i, (narrow, wide) in enumerate(itertools.pairwise(widths))
    ]
    nodes = [
        helper.make_node("Conv", [f"t{i}" if i else "x", f"w{i}"], [f"t{i + 1}"], pads=[1] * 4)
        for i in range(len(weights))
    ]
    graph = helper.make_graph(
        [*nodes, helper.make_node("GlobalAveragePool", [f"t{len(weights)}"], ["y"])],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", widths[-1], 1, 1])],
        weights,
    )
    path = tmp_path_factory.mktemp("agreement") / "network.onnx"
    onnx.save(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path
    )
    return path


def plain_loop(session, batches):
    """Run batches in turn for SECONDS; return inferences per second and the median in ms."""
    latencies = []
    began = time.perf_counter()
    while (before := time.perf_counter()) - began < SECONDS:
        session.run(None, batches[len(latencies) % len(batches)])
        latencies.append((time.perf_counter() - before) * 1e3)
    elapsed_s = time.perf_counter() - began
    return len(latencies) * len(batches[0]["x"]) / elapsed_s, median(latencies)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_the_bench_agrees_with_a_plain_loop(network, batch_size):
    """Throughput and median latency within 5 %, the median of pairs measured in turn."""
    config = Config(batch_size=batch_size, intra_op_threads=1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    inputs = INPUTS.load()
    batches = [inputs.batch(batch_size, index) for index in range(inputs.count // batch_size)]
    window = Window(min_s=SECONDS, max_s=SECONDS)
    throughputs, medians = [], []
    with Harness(network, INPUTS, topology.read()) as bench:
        for _ in range(PAIRS):
            loop_ips, loop_ms = plain_loop(session, batches)
            found = bench.measure(config, window, keep=True).measurement(99.0, 0.95)
            throughputs.append(found.throughput_ips / loop_ips)
            medians.append(found.p50_ms / loop_ms)
    assert median(throughputs) == pytest.approx(1.0, abs=0.05)
    assert median(medians) == pytest.approx(1.0, abs=0.05)
