from __future__ import annotations

import contextlib
import json
import time

import psutil
import pytest

BATCHES = ("--batch-size", 32, "--time", "1s")
"""Tens of milliseconds each: what is outside the layers is a small constant."""


@pytest.mark.alone
@pytest.mark.parametrize("provider", ["onnxruntime-cpu", "openvino-cpu"])
def test_layer_times_add_up_to_the_whole(shared_sandbox, steady_model, provider):
    """Within 5 %, on either runtime; every share has its margin and the machine its ceilings."""
    line = ("layers", steady_model, "--provider", provider, "--threads", 1, *BATCHES, "--json")
    done = shared_sandbox.run(*line)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    profile = found["profile"]
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


def test_a_client_whose_daemon_and_state_vanish_ends_with_one_sentence(sandbox, tiny_model):
    """It neither waits for ever nor shows a traceback."""
    client = sandbox.start("layers", tiny_model, "--time", "60s", "--margin", "0.0001%")
    deadline = time.monotonic() + 60.0
    while not _timed(sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sandbox.state.rename(sandbox.home / "vanished")
    for process in _others(sandbox, client):
        with contextlib.suppress(psutil.NoSuchProcess):  # it died with another one
            process.kill()
    _, said = client.communicate(timeout=60.0)
    assert client.returncode != 0
    assert said.startswith("autotune: ")
    assert said.count("\n") == 1


def _timed(sandbox):
    """Say whether the process that times layers runs."""
    found = []
    for process in sandbox.processes():
        with contextlib.suppress(psutil.Error):
            found += process.cmdline()
    return "autotuner.characterize" in found


def _others(sandbox, client):
    return [process for process in sandbox.processes() if process.pid != client.pid]
