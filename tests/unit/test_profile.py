from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence, ModelRecord, Profile, SearchRecord
from autotuner.core.request import Workload

EVIDENCE = Evidence(config=Config(), measurement=Measurement(p99_ms=5.0))
PROFILE = Profile(
    status="proven",
    created="2025-01-01T00:00:00Z",
    tool_version="0.1.0",
    model=ModelRecord(name="resnet-50", path="/models/resnet-50.onnx", sha256="ab" * 32),
    objective=Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=50.0)]),
    confidence=0.95,
    winner=EVIDENCE,
    baseline=EVIDENCE,
    speedup=1.0,
    search=SearchRecord(
        trials=3,
        failed=0,
        space_size=10,
        elapsed_s=1.0,
        sampler="auto",
        seed=0,
        stopped_because="every configuration was measured",
    ),
    fingerprint=Fingerprint(model_sha256="ab" * 32),
    workload=Workload(model="resnet-50"),
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
