from __future__ import annotations

import json


def test_a_model_is_shown_with_its_layers_and_totals(shared_sandbox, tiny_model):
    """As JSON every layer, for people a row for each operator."""
    done = shared_sandbox.run("inspect", str(tiny_model), "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["status"], found["model"]) == (0, "ok", "tiny")
    assert found["parameters"] == 8 * 3 * 9 + 8 + 10 * 8 + 10
    assert [layer["operator"] for layer in found["layers"]] == [
        "Conv",
        "Relu",
        "GlobalAveragePool",
        "Flatten",
        "Gemm",
    ]
    text = shared_sandbox.run("inspect", str(tiny_model)).stdout
    assert "x: float32[N, 3, 16, 16]" in text
    assert "GlobalAveragePool" in text


def test_a_reference_model_is_inspected_without_being_made(shared_sandbox):
    """Half a gigabyte of weights is not written to count them."""
    found = json.loads(shared_sandbox.run("inspect", "vgg-16", "--json").stdout)
    assert round(found["parameters"] / 1e6, 2) == 138.36
    assert not list(shared_sandbox.home.rglob("*.onnx"))


def test_an_open_axis_is_asked_for(shared_sandbox, save_model):
    """As everywhere, with the option that settles it; given, it is used."""
    path = save_model(("x", 1, ["N", 3, "H", "W"]))
    refused = shared_sandbox.run("inspect", str(path))
    assert refused.returncode == 2
    assert "--shape x=3x?x?" in refused.stderr
    done = shared_sandbox.run("inspect", str(path), "--shape", "3x8x8", "--json")
    assert json.loads(done.stdout)["sample_shapes"] == {"x": [3, 8, 8]}
