"""The profile in force, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_profiles import proven

from autotuner import store, subject
from autotuner.core.profile import ModelRecord
from autotuner.core.request import Workload
from autotuner.host import topology


@pytest.fixture(scope="module")
def tuned(shared_sandbox, tiny_model):
    """Keep a profile as tuning would on this very machine and return its path."""
    workload = Workload(model=str(tiny_model))
    about = subject.resolve(workload, topology.read(), shared_sandbox.home / "cache")
    profile = proven(
        tiny_model,
        model=ModelRecord(
            name=about.info.name, path=str(about.info.path), sha256=about.info.sha256
        ),
        workload=workload,
        fingerprint=about.fingerprint,
    )
    return str(store.ProfileStore(shared_sandbox.state / "profiles").save(profile))


def test_a_profile_is_in_force_until_it_is_restored(shared_sandbox, tuned):
    """And the status says since when, by whom, and whether it is so now."""
    run = shared_sandbox.run
    assert run("status").stdout.startswith("No profile is in force.\n")
    applied = json.loads(run("apply", tuned, "--json").stdout)["applied"]
    assert applied["verified"]
    status = json.loads(run("status", "--json").stdout)
    assert status["applied"] == applied
    environment = (shared_sandbox.state / "active/autotune.env").read_text()
    assert "AUTOTUNE_BATCH_SIZE=" in environment
    assert run("restore").returncode == 0
    assert json.loads(run("status", "--json").stdout)["applied"] is None


def test_what_is_otherwise_now_is_an_exit_status(shared_sandbox, tuned):
    """So that a script can watch over it."""
    run = shared_sandbox.run
    assert run("apply", "--model", "tiny").returncode == 0, tuned
    (shared_sandbox.state / "active/autotune.env").unlink()
    told = run("status")
    assert (told.returncode, "autotune.env is gone" in told.stdout) == (1, True)
    assert run("restore").returncode == 0


def test_a_simulated_profile_takes_force(shared_sandbox, tuned, tmp_path):
    """Nothing shows that it is any good here."""
    text = Path(tuned).read_text(encoding="utf-8")
    text = text.replace("provider: onnxruntime-cpu", "provider: simulated")
    path = tmp_path / "simulated.yaml"
    path.write_text(text)
    done = shared_sandbox.run("apply", path)
    assert (done.returncode, "simulated" in done.stderr) == (2, "provider: simulated" in text)


def test_an_unknown_profile_is_bad_input(shared_sandbox):
    """With where to look."""
    done = shared_sandbox.run("apply", "nothing")
    assert (done.returncode, "`autotune profiles` lists them" in done.stderr) == (2, True)


def test_two_profiles_stand_side_by_side(shared_sandbox, tuned, tmp_path):
    """With what they do not have in common."""
    path = tmp_path / "other.yaml"
    text = Path(tuned).read_text(encoding="utf-8")
    path.write_text(text.replace("status: proven", "status: interrupted"))
    told = json.loads(shared_sandbox.run("profiles", "diff", tuned, path, "--json").stdout)
    assert told["differences"] == ["status: proven and interrupted"]
    shown = shared_sandbox.run("profiles", "diff", tuned, path).stdout
    assert "status: proven and interrupted" in shown
    assert "throughput" in shown
    assert shared_sandbox.run("profiles", "diff", tuned).returncode == 2
