from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from autotuner.core.errors import ModelError
from autotuner.model import cost


def network(nodes, *, weights=(), shape=("N", 4), domains=("",)):
    """Return a model with the float input x of this *shape* and zeros for weights."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros(dims, kind), name) for name, dims, kind in weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(d, 17) for d in domains])


def one(node, sample=(4,), **settings):
    """Return what one *node* costs for a *sample*."""
    settings.setdefault("shape", ("N", *sample))
    (layer,) = cost.count(network([node], **settings), {"x": sample}).layers
    return layer


def test_a_convolution_multiplies_its_kernel_at_each_place():
    """By group; a bias adds one operation for each output, and its numbers are parameters."""
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], group=2, pads=[1, 1, 1, 1])
    weights = [("w", (8, 2, 3, 3), np.float32), ("b", (8,), np.float32)]
    layer = one(node, (4, 5, 6), weights=weights)
    assert layer.output_shape == (1, 8, 5, 6)
    assert layer.multiply_adds == 8 * 30 * 2 * 9
    assert layer.flops == layer.multiply_adds + 8 * 30
    assert layer.parameters == 8 * 2 * 9 + 8
    assert layer.weight_bytes == 4 * layer.parameters
    assert (layer.read_bytes, layer.written_bytes) == (4 * 4 * 30, 4 * 8 * 30)


def test_a_transposed_convolution_multiplies_at_each_place_of_its_input():
    """That is where its kernel is laid."""
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    layer = one(node, (4, 5, 5), weights=[("w", (4, 3, 2, 2), np.float32)])
    assert layer.multiply_adds == 4 * 25 * 3 * 4


@pytest.mark.parametrize(
    ("node", "weights", "products", "rest"),
    [
        (
            helper.make_node("Gemm", ["x", "w", "b"], ["y"], transB=1),
            [("w", (10, 4), np.float32), ("b", (10,), np.float32)],
            40,
            10,
        ),
        (helper.make_node("MatMul", ["x", "w"], ["y"]), [("w", (4, 7), np.float32)], 28, 0),
        (helper.make_node("Relu", ["x"], ["y"]), [], 0, 8),
        (helper.make_node("Add", ["x", "x"], ["y"]), [], 0, 4),
        (helper.make_node("Softmax", ["x"], ["y"]), [], 0, 12),
        (helper.make_node("ReduceMean", ["x"], ["y"]), [], 0, 4),
        (helper.make_node("Identity", ["x"], ["y"]), [], 0, 0),
    ],
)
def test_each_operator_has_its_own_count(node, weights, products, rest):
    """Multiply-adds once, and every other operation beside them."""
    layer = one(node, weights=weights)
    assert (layer.multiply_adds, layer.flops) == (products, products + rest)


def test_pooling_looks_at_every_element_of_its_window():
    """The whole image where it is global."""
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    assert one(pool, (3, 4, 4)).flops == 3 * 4 * 4
    assert one(helper.make_node("GlobalAveragePool", ["x"], ["y"]), (3, 4, 4)).flops == 48


def test_statistics_and_shapes_are_no_parameters():
    """Mean and variance were collected, and a Reshape's target is no weight."""
    names = ["s", "b", "m", "v"]
    node = helper.make_node("BatchNormalization", ["x", *names], ["y"])
    layer = one(node, (3, 2, 2), weights=[(name, (3,), np.float32) for name in names])
    assert (layer.parameters, layer.weight_bytes) == (6, 48)
    shaped = helper.make_node("Reshape", ["x", "to"], ["y"])
    assert one(shaped, weights=[("to", (2,), np.int64)]).parameters == 0


def test_a_shared_weight_counts_once():
    """Where it is used first."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("MatMul", ["a", "w"], ["y"]),
    ]
    counted = cost.count(network(nodes, weights=[("w", (4, 4), np.float32)]), {"x": (4,)})
    assert [layer.parameters for layer in counted.layers] == [16, 0]


def test_an_unknown_operator_is_not_known_rather_than_free():
    """Its cost is None, and the rest is counted all the same."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Mystery", ["a"], ["y"], domain="com.example"),
    ]
    model = network(nodes, domains=("", "com.example"))
    relu, mystery = cost.count(model, {"x": (4,)}).layers
    assert relu.flops == 8
    assert (mystery.multiply_adds, mystery.flops) == (None, None)


def test_the_peak_is_what_is_alive_at_a_time():
    """A tensor is alive from its making to its last use; a chain needs two at a time."""
    chain = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["y"]),
    ]
    assert cost.count(network(chain), {"x": (4,)}).peak_activation_bytes == 2 * 16
    branched = [*chain[:2], helper.make_node("Add", ["x", "b"], ["y"])]
    assert cost.count(network(branched), {"x": (4,)}).peak_activation_bytes == 3 * 16


def test_a_graph_whose_shapes_contradict_each_other_is_refused():
    """The message passes on what ONNX says of it."""
    node = helper.make_node("Mystery", ["x"], ["y"], domain="com.example")
    with pytest.raises(ModelError, match=r"shapes .* cannot be told: .*com\.example"):
        cost.count(network([node]), {"x": (4,)})


def test_nodes_without_a_name_are_told_apart():
    """By operator and place."""
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    names = [layer.name for layer in cost.count(network(nodes), {"x": (4,)}).layers]
    assert names == ["Relu_0", "Relu_1"]
