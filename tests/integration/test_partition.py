from __future__ import annotations

import json

import onnx
import pytest


@pytest.fixture(scope="module")
def layer_times(shared_sandbox, steady_model):
    """Time the layers of a model once, for both sides."""
    path = shared_sandbox.home / "layers.json"
    done = shared_sandbox.run(
        "layers", steady_model, "--threads", 1, "--time", "1s", "--batch-size", 2, "--json"
    )
    path.write_text(done.stdout)
    return path


def test_the_parts_give_what_the_whole_gives(shared_sandbox, steady_model, layer_times):
    """The best cut is really made and run; predicted and measured times stand beside."""
    line = ("partition", steady_model, "--here", layer_times, "--there", layer_times)
    done = shared_sandbox.run(*line, "--network", "up=9gbit,rtt=0", "--verify", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    (check,) = found["partition"]["checks"]
    assert check["largest_difference"] < 1e-5
    assert check["measured_ms"] > 0.0
    assert check["predicted_ms"] > 0.0
    assert check["expected_ms"] > 0.0
    assert found["device_only"]["sent_bytes"] == 0


def test_both_parts_are_written(shared_sandbox, steady_model, layer_times):
    """Where the device is slow at the end and sending the input takes long."""
    slow = json.loads(layer_times.read_text())
    slow["profile"]["layers"][-1]["time_us"] += 1e6
    slow["profile"]["plain_ms"] += 1e3
    path = shared_sandbox.home / "slow.json"
    path.write_text(json.dumps(slow))
    out = shared_sandbox.home / "parts"
    line = ("partition", steady_model, "--here", path, "--there", layer_times)
    done = shared_sandbox.run(*line, "--network", "up=1mbit", "--export", out, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert sorted(found["partition"]["files"]) == sorted(map(str, out.iterdir()))
    for part in found["partition"]["files"]:
        onnx.checker.check_model(part, full_check=True)


def test_profiles_of_another_model_are_refused(shared_sandbox, tiny_model, layer_times):
    """And so is a file that holds no layer times."""
    line = ("partition", tiny_model, "--here", layer_times, "--network", "wifi")
    done = shared_sandbox.run(*line, "--there", layer_times)
    assert done.returncode == 2
    assert "is another model" in done.stderr
    done = shared_sandbox.run(*line, "--there", tiny_model)
    assert done.returncode == 2
    assert "make it with `autotune layers --json`" in done.stderr
