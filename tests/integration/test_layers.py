from __future__ import annotations

import json

import pytest

BATCHES = ("--batch-size", 16, "--time", "1s")
"""Some milliseconds each: what is outside the layers is a small constant."""


@pytest.mark.parametrize("provider", ["onnxruntime-cpu", "openvino-cpu"])
def test_layer_times_add_up_to_the_whole(shared_sandbox, steady_model, provider):
    """Within 5 %, on either runtime; every share has its margin and the machine its ceilings."""
    done = shared_sandbox.run(
        "layers", steady_model, "--provider", provider, "--threads", 1, *BATCHES, "--json"
    )
    found = json.loads(done.stdout)
    profile = found["profile"]
    assert done.returncode == 0, done.stderr
    assert found["layers_ms"] == pytest.approx(profile["whole_ms"], rel=0.05)
    assert sum(layer["share"] for layer in profile["layers"]) == pytest.approx(1.0)
    assert profile["margin"] == max(layer["share_margin"] for layer in profile["layers"])
    assert profile["ceilings"]["gflops_s"] > 0.1
    assert found["operators"][0]["operator"] in {"Conv", "FusedConv", "Convolution"}


def test_a_simulated_device_shares_its_time_out_by_operations(shared_sandbox):
    """It is called simulated everywhere."""
    line = ("layers", "mobilenet-v2", "--device", "sim:jetson-orin-nano")
    found = json.loads(shared_sandbox.run(*line, "--json").stdout)
    profile = found["profile"]
    assert profile["simulated"] is True
    assert found["layers_ms"] == pytest.approx(profile["plain_ms"])
    assert "Simulated: shared out by operations" in shared_sandbox.run(*line).stdout


def test_a_runtime_without_layer_times_is_named(shared_sandbox, tiny_model):
    """With the providers that have them."""
    done = shared_sandbox.run("layers", tiny_model, "--provider", "onnxruntime-cuda")
    assert done.returncode == 2
    assert "onnxruntime-cuda" in done.stderr
