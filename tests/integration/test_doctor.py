from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def document(shared_sandbox):
    """Return what `autotune doctor --json` prints."""
    done = shared_sandbox.run("doctor", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_the_check_up_is_one_document(document):
    """Every area is there, every check is whole, and what needs attention has a remedy."""
    assert document["status"] == "ok"
    areas = {check["area"] for check in document["checks"]}
    assert areas == {"runtimes", "machine", "conflicts", "sensors", "power"}
    for check in document["checks"]:
        assert check["status"] in {"ok", "absent", "attention"}
        assert check["detail"]


def test_the_runtime_that_measures_here_is_found(document):
    """With its precisions."""
    found = {check["name"]: check for check in document["checks"]}
    assert found["onnxruntime-cpu"]["status"] == "ok"
    assert "fp32" in found["onnxruntime-cpu"]["detail"]
    assert "memory.used_mib" in found["system"]["detail"]


def test_people_get_a_table(shared_sandbox, document):
    """With the same names."""
    done = shared_sandbox.run("doctor")
    assert done.returncode == 0
    assert all(check["name"] in done.stdout for check in document["checks"])
