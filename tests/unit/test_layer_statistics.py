from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from autotuner.backends.layers import ProfiledRun, Step
from autotuner.characterize.attribution import attribute
from autotuner.characterize.layer_statistics import LayerStatistics
from autotuner.model import cost


@pytest.fixture
def counted():
    """Count a network of convolution, normalisation, rectifier, a branch and their sum."""
    norm = ["s", "b", "m", "v"]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("BatchNormalization", ["c", *norm], ["n"], name="norm"),
        helper.make_node("Relu", ["n"], ["r"], name="relu"),
        helper.make_node("MaxPool", ["r"], ["p"], name="pool", kernel_shape=[1, 1]),
        helper.make_node("Concat", ["r", "p"], ["y"], name="join", axis=1),
    ]
    weights = {"w": (4, 3, 1, 1), **dict.fromkeys(norm, (4,))}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros(s, np.float32), n) for n, s in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return cost.count(model, {"x": (3, 2, 2)})


def run(*times, origins=(("conv",), ("pool",), ("join",))):
    """Return a run whose steps took *times*, and 10 % more from outside."""
    steps = tuple(
        Step(name=names[0], operator="Op", origins=names, time_s=time)
        for names, time in zip(origins, times, strict=True)
    )
    return ProfiledRun(whole_s=1.1 * sum(times), steps=steps)


def test_what_follows_and_fuses_belongs_to_the_step_before(counted):
    """The step is named after the convolution; normalisation and rectifier are in it."""
    assert attribute(counted, [["conv"], ["pool"], ["join"]]) == ((0, 1, 2), (3,), (4,))


def test_what_is_named_after_the_last_takes_in_what_leads_to_it(counted):
    """The step is named after the tensor that the rectifier makes."""
    assert attribute(counted, [["r"], ["p"], ["y"]]) == ((0, 1, 2), (3,), (4,))


def test_a_step_that_the_runtime_added_has_no_nodes(counted):
    """Such as one that reorders memory."""
    groups = attribute(counted, [["conv", "norm", "relu"], ["Reorder_1"], ["pool"], ["join"]])
    assert groups == ((0, 1, 2), (), (3,), (4,))


def test_every_node_belongs_to_one_step_at_most(counted):
    """However many steps name it."""
    groups = attribute(counted, [["conv"], ["relu"], ["conv"], ["join"]])
    owned = [node for group in groups for node in group]
    assert sorted(owned) == sorted(set(owned))


def test_shares_are_of_each_run_and_add_up(counted):
    """A run that is slow as a whole changes no share."""
    found = LayerStatistics()
    found.add([4.0], [run(2.0, 1.0, 1.0), run(20.0, 10.0, 10.0), run(2.0, 1.0, 1.0)])
    layers = found.layers(counted, 1)
    assert [layer.share for layer in layers] == pytest.approx([0.5, 0.25, 0.25])
    assert sum(layer.time_us for layer in layers) == pytest.approx(4e6)
    assert found.margin == pytest.approx(0.0, abs=1e-9)
    assert found.plain_ms == 4000.0


def test_a_run_that_was_slow_beside_its_layers_changes_nothing(counted):
    """Each run's layers are compared with its own whole, and the middle one counts."""
    found = LayerStatistics()
    slow = replace(run(4.0, 2.0, 2.0), whole_s=80.0)
    found.add([4.0], [run(2.0, 1.0, 1.0), slow, run(3.0, 1.5, 1.5)])
    assert found.accounted == pytest.approx(1.0 / 1.1)
    layers = found.layers(counted, 1)
    assert sum(layer.time_us for layer in layers) / 1e3 == pytest.approx(found.whole_ms / 1.1)


def test_the_margin_shrinks_with_the_number_of_runs():
    """As the root of it."""
    few, many = LayerStatistics(), LayerStatistics()
    pair = [run(2.0, 1.0, 1.0), run(1.0, 2.0, 1.0)]
    few.add([], 2 * pair)
    many.add([], 32 * pair)
    assert many.margin == pytest.approx(few.margin / 4.0, rel=0.2)


def test_steps_may_be_named_anew_in_every_round():
    """A runtime numbers what it makes up; the same operators in order are the same plan."""
    found = LayerStatistics()
    found.add([], [run(2.0, 1.0, origins=(("conv_1",), ("join",)))])
    assert found.margin == 1.0  # one run tells nothing
    found.add([], [run(2.0, 1.0, origins=(("conv_7",), ("join",)))])
    assert len(found.runs) == 2
    assert found.margin < 1e-9


def test_a_round_with_another_plan_is_left_out():
    """Its steps cannot be added to those of the others."""
    found = LayerStatistics()
    found.add([1.0], [run(2.0, 1.0, 1.0)])
    found.add([9.0], [run(2.0, 1.0, origins=(("conv",), ("join",)))])
    assert len(found.runs) == 1
    assert found.plain_ms == 1000.0


def test_a_fused_step_moves_what_comes_in_and_goes_out(counted):
    """What stays inside is not moved; a larger batch moves more activations, the same weights."""
    found = LayerStatistics()
    found.add([], [run(2.0, 1.0, 1.0), run(2.0, 1.0, 1.0)])
    single, double = found.layers(counted, 1)[0], found.layers(counted, 2)[0]
    weights = 4 * (12 + 4 * 4)
    activations = 4 * (3 * 4 + 4 * 4)
    assert single.nodes == ("conv", "norm", "relu")
    assert single.moved_bytes == weights + activations
    assert double.moved_bytes == weights + 2 * activations
    assert double.flops == 2 * single.flops
