from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_profiles import proven

from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Constraint, Objective
from autotuner.core.profile import ModelRecord

PROFILE = proven(
    Path("/models/resnet-50.onnx"),
    objective=Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=50.0)]),
    fingerprint=Fingerprint(model_sha256="ab" * 32),
)


def test_the_name_says_model_objective_and_fingerprint():
    """A person finds the file, and two objectives do not overwrite each other."""
    digest = PROFILE.fingerprint.digest
    assert PROFILE.name == f"resnet-50_throughput_ips_p99_ms-50_{digest}"


def test_the_name_differs_by_budget():
    """Every bound is part of it, with its fraction."""
    bounds = [Constraint("p99_ms", at_most=2.5), Constraint("throughput_ips", at_least=100.0)]
    other = replace(PROFILE, objective=Objective.minimize("p50_ms", bounds))
    assert other.name.startswith("resnet-50_p50_ms_p99_ms-2.5_throughput_ips-100_")


def test_the_name_differs_by_fingerprint():
    """Two boxes may keep their profiles in one folder."""
    other = replace(PROFILE, fingerprint=Fingerprint(model_sha256="cd" * 32))
    assert other.name != PROFILE.name


@pytest.mark.parametrize(
    ("model", "stem"),
    [
        ("my model (v2)", "my-model-v2"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("模型", "model"),
        ("", "model"),
        ("Net_1.5", "Net_1.5"),
    ],
)
def test_the_name_is_a_harmless_file_name(model, stem):
    """Whatever the model is called, no path, hidden file or option comes of it."""
    record = ModelRecord(name=model, path="/x", sha256="ab")
    assert replace(PROFILE, model=record).name.startswith(f"{stem}_throughput_ips_")
