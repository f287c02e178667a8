import onnx
from onnx import TensorProto, helper

from autotuner.model.work import count


def test_a_small_network_is_counted_by_hand(tiny_model):
    """A 3x3 convolution from 3 to 8 channels at 16 x 16, pooling, and a layer of 8 x 10."""
    work = count(tiny_model, {"x": (3, 16, 16)})
    assert work.macs == 16 * 16 * 8 * 3 * 9 + 8 * 10
    assert work.nodes == 3
    assert work.weight_bytes == 4 * (8 * 3 * 9 + 8 + 10 * 8 + 10)
    assert work.traffic_bytes == 2 * 4 * (8 * 16 * 16 + 8 + 10)


def test_more_pixels_are_more_work(tiny_model):
    """The shape of a sample counts, not the one in the file."""
    small, large = (count(tiny_model, {"x": (3, side, side)}) for side in (16, 32))
    assert large.macs - 80 == 4 * (small.macs - 80)
    assert large.weight_bytes == small.weight_bytes


def test_what_a_runtime_folds_is_not_started_on_its_own(tiny_model, tmp_path):
    """One more element-wise node changes nothing."""
    model = onnx.load(tiny_model)
    model.graph.node.append(helper.make_node("Relu", ["y"], ["z"]))
    model.graph.output[0].name = "z"
    path = tmp_path / "longer.onnx"
    onnx.save(model, path)
    samples = {"x": (3, 16, 16)}
    assert count(path, samples) == count(tiny_model, samples)


def test_layers_of_unknown_shape_count_as_nothing(tmp_path):
    """The rest still does."""
    nodes = [
        helper.make_node("NonZero", ["x"], ["found"]),
        helper.make_node("Cast", ["found"], ["y"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "unknown",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "unknown.onnx"
    onnx.save(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), path
    )
    work = count(path, {"x": (4,)})
    assert (work.macs, work.nodes, work.traffic_bytes) == (0.0, 2, 0.0)
