from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from autotuner.characterize.cuts import checked, legal_cuts
from autotuner.characterize.messages import SplitRun, SplitTurn
from autotuner.characterize.scaled_layers import share_out
from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import LayerProfile, LayerTime
from autotuner.core.network import Network
from autotuner.core.partition import Partition
from autotuner.model import cost, recipe

FAST = Network(up_mbit_s=8e3)
RAW_INPUT_BYTES = 3 * 224 * 224
STUDY = Network(up_mbit_s=8e-3 * RAW_INPUT_BYTES / 100.7)
"""A published study's Wi-Fi: the raw image takes 100.7 ms."""


def chain():
    """Count a chain of three rectifiers whose first is fed beside it into a sum."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="one"),
        helper.make_node("MaxPool", ["a"], ["b"], name="two", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["b"], ["c"], name="three"),
        helper.make_node("Concat", ["c", "w"], ["y"], name="four", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros((1, 1, 2, 2), np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    return cost.count(model, {"x": (1, 4, 4)})


def profile(*times, groups=(("one",), ("two",), ("three",), ("four",)), sha256="ab", batch=1):
    """Return a profile whose steps, of these nodes, take these *times* in ms."""
    layers = tuple(
        LayerTime(name=str(i), operator="Op", nodes=nodes, time_us=1e3 * t, share=0, share_margin=0)
        for i, (nodes, t) in enumerate(zip(groups, times, strict=True))
    )
    return LayerProfile(
        model="m",
        model_sha256=sha256,
        config=Config(batch_size=batch),
        device="d",
        sample_shapes={"x": (1, 4, 4)},
        layers=layers,
        runs=1,
        whole_ms=sum(times),
        plain_ms=sum(times),
        margin=0.0,
        wanted_margin=0.0,
    )


def cut(here, there, network=FAST, **settings):
    """Return the legal cuts of the chain."""
    settings.setdefault("samples", 1)
    return legal_cuts(chain(), ["x"], ["y"], here, there, network, **settings)


def test_every_place_of_a_chain_is_a_cut():
    """From the server alone to the device alone; what crosses is what the rest takes."""
    cuts = cut(profile(4, 3, 2, 1), profile(0.4, 0.3, 0.2, 0.1))
    assert [c.tensors for c in cuts] == [("x",), ("a",), ("b",), ("c",), ()]
    assert [c.sent_bytes for c in cuts] == [64, 64, 16, 16, 0]
    assert [c.device_ms for c in cuts] == pytest.approx([0, 4, 7, 9, 10])
    assert [c.server_ms for c in cuts] == pytest.approx([1.0, 0.6, 0.3, 0.1, 0.0])
    assert cuts[-1].transfer_ms == 0.0


def test_what_is_fused_on_either_machine_is_not_parted():
    """Its time belongs to no single node."""
    fused = profile(7, 3, groups=(("one", "two"), ("three", "four")))
    cuts = cut(profile(4, 3, 2, 1), fused)
    assert [c.tensors for c in cuts] == [("x",), ("b",), ()]


def test_a_step_that_the_runtime_added_is_paid_by_the_next():
    """Nothing of the time is lost."""
    added = profile(4, 5, 3, 2, 1, groups=(("one",), (), ("two",), ("three",), ("four",)))
    cuts = cut(added, profile(0.4, 0.3, 0.2, 0.1))
    assert [c.device_ms for c in cuts] == pytest.approx([0, 4, 12, 14, 15])


def test_the_cost_of_timing_layers_is_taken_off():
    """The times add up to a plain run."""
    slowed = replace(profile(4, 3, 2, 1), plain_ms=5.0)
    assert cut(slowed, profile(1, 1, 1, 1))[-1].device_ms == pytest.approx(5.0)


def test_a_batch_sends_its_samples():
    """And energy is computing and sending; unknown where a power is."""
    here, there = profile(4, 3, 2, 1), profile(0.4, 0.3, 0.2, 0.1)
    network = Network(up_mbit_s=8e-3, tx_w=2.0)  # a byte a millisecond
    first, second, *_ = cut(here, there, network, samples=2, device_w=3.0)
    assert first.sent_bytes == 128
    assert first.energy_j == pytest.approx(128e-3 * 2.0)
    assert second.energy_j == pytest.approx(4e-3 * 3.0 + 128e-3 * 2.0)
    assert cut(here, there, network)[0].energy_j is None


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (profile(1, 1, 1, 1, sha256="cd"), "different models"),
        (profile(1, 1, 1, 1, batch=2), "batch 1 and 2"),
    ],
)
def test_profiles_that_do_not_belong_together_are_refused(there, reason):
    """With what to do about it."""
    with pytest.raises(InputError, match=reason):
        cut(profile(1, 1, 1, 1), there)


def test_parts_are_judged_at_the_speed_of_the_box_at_that_time():
    """The whole model, run in turn with them, tells it, whichever box the profiles come from."""
    here, there = profile(4, 3, 2, 1), profile(0.4, 0.3, 0.2, 0.1)
    place = cut(here, there)[2]  # 7 of 10 ms here, 0.3 of 1 ms there
    turns = tuple(
        SplitTurn(whole_s=(0.020 * load, 0.002 * load), parts_s=(0.0147 * load, 0.0006 * load))
        for load in (1.0, 1.0, 3.0)
    )
    found = checked(place, here, there, SplitRun(turns=turns, largest_difference=1e-6))
    assert found.predicted_ms == pytest.approx(7.3)
    assert found.expected_ms == pytest.approx(14.6)
    assert found.measured_ms == pytest.approx(15.3)
    assert "14.60 ms expected (+4.8%), 7.30 ms by the profiles" in str(found)


def published(name, device_ms, server_ms, network=STUDY, **settings):
    """Return the partition of a reference model whose layers share the totals by FLOPs."""
    model = recipe.skeleton(name)
    inputs, outputs = (
        [value.name for value in values] for values in (model.graph.input, model.graph.output)
    )
    counted = cost.count(model, {inputs[0]: (3, 224, 224)})
    here, there = (
        share_out(
            counted.layers,
            model=name,
            model_sha256="ab",
            device="simulated",
            config=Config(),
            total_ms=total_ms,
            sample_shapes={inputs[0]: (3, 224, 224)},
        )
        for total_ms in (device_ms, server_ms)
    )
    cuts = legal_cuts(
        counted,
        inputs,
        outputs,
        here,
        there,
        network,
        samples=1,
        input_bytes=RAW_INPUT_BYTES,
        **settings,
    )
    return Partition(model=name, network=network, goal="latency", simulated=True, cuts=cuts)


def test_the_published_cut_of_mobilenet_v2_comes_out():
    """On one big core over Wi-Fi: device 154 ms, server 138 ms, near the middle about 115 ms.

    Within 10 %, as the study's times of single layers are not given and FLOPs stand for them.
    """
    found = published("mobilenet-v2", 154.0, 138.0 - 100.7)
    assert found.device_only.total_ms == pytest.approx(154.0, rel=0.01)
    assert found.server_only.total_ms == pytest.approx(138.0, rel=0.03)
    assert found.best.total_ms == pytest.approx(115.0, rel=0.1)
    assert 0.25 < found.best.device_ms / found.device_only.total_ms < 0.75


def test_a_heavy_network_goes_to_the_server_and_a_light_one_stays():
    """What decides is the device's time beside that of sending the input."""
    heavy = published("vgg-16", 5000.0, 60.0)
    light = published("squeezenet", 60.0, 30.0)
    assert heavy.best == heavy.server_only
    assert light.best == light.device_only


def test_the_published_least_energy_over_lte_does_not_follow_from_the_published_ends():
    """The study has 0.453 J on the device, 0.182 J on the server and 0.158 J at its best cut.

    It names neither rate nor powers. With those that give both ends, no cut inside is below the
    server's, as FLOPs stand for the times of layers.
    """
    rate, device_ms = 5.85, 154.0
    sending_s = Network(up_mbit_s=rate).up_ms(RAW_INPUT_BYTES) / 1e3
    lte = Network(up_mbit_s=rate, tx_w=0.182 / sending_s)
    found = published("mobilenet-v2", device_ms, 37.3, lte, device_w=0.453 / (device_ms / 1e3))
    assert found.device_only.energy_j == pytest.approx(0.453)
    assert found.server_only.energy_j == pytest.approx(0.182)
    least = min(c.energy_j for c in found.cuts if c not in (found.device_only, found.server_only))
    assert least == pytest.approx(0.26, abs=0.01)
