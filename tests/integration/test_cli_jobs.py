"""Jobs that outlive the command that started them."""

from __future__ import annotations

import json
import shutil
import signal

import pytest
from sandbox import PATIENCE_S, QUICK


def jobs(sandbox):
    """Return the jobs as the command tells them, by model."""
    listed = json.loads(sandbox.run("jobs", "--json").stdout)["jobs"]
    return {job["model"]: job for job in listed}


def detached(sandbox, *arguments):
    """Start a job and leave it; return its id."""
    done = sandbox.run(*arguments, "--detach", "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)["job"]


@pytest.fixture
def search(steady_model):
    """Return a command whose search takes long."""
    return (steady_model, "--max-latency", "10s", *QUICK, "--trials", 500, "--time", "10m")


def test_a_detached_job_is_found_again(sandbox, tiny_model):
    """By the command that follows it to its end and tells the result."""
    job = detached(sandbox, "measure", tiny_model, "--seconds", "0.5")
    done = sandbox.run("attach", job[:-2], "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "ok")


def test_cancelling_keeps_the_best_so_far(sandbox, search):
    """Whoever follows hears the ending; a second word about the job is refused or harmless."""
    job = detached(sandbox, *search)
    sandbox.wait_for("trial_done", phase="search")
    following = sandbox.start("attach", "--json")
    assert sandbox.run("cancel", job).returncode == 0
    out, _ = following.communicate(timeout=PATIENCE_S)
    assert (following.returncode, json.loads(out)["status"]) == (130, "interrupted")
    assert sandbox.run("cancel", job).returncode == 0
    refused = sandbox.run("pause", job)
    assert refused.returncode == 2
    assert "has ended" in refused.stderr


def test_watching_touches_nothing(sandbox, search):
    """Ctrl-C leaves the job alone."""
    detached(sandbox, *search)
    sandbox.wait_for("trial_started")
    watching = sandbox.start("watch")
    assert watching.stdout.readline().startswith("The inputs are random")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 130
    assert jobs(sandbox)["steady.onnx"]["state"] == "running"


def test_a_paused_job_lets_another_measure(sandbox, search, tiny_model):
    """And goes on afterwards; meanwhile it makes no trial."""
    job = detached(sandbox, *search)
    sandbox.wait_for("trial_done", phase="search")
    assert sandbox.run("pause", job).returncode == 0
    measured = sandbox.run("measure", tiny_model, "--seconds", "0.3", "--json")
    assert json.loads(measured.stdout)["status"] == "ok"
    assert jobs(sandbox)["steady.onnx"]["state"] == "paused"
    before = len([e for e in sandbox.events() if e["event"] == "trial_done"])
    assert sandbox.run("resume", job).returncode == 0
    sandbox.wait_for("trial_done", before + 1)


def test_a_job_is_asked_for_by_the_beginning_of_its_name(sandbox):
    """Which must be that of just one; where there is none, what to do is said."""
    assert "There is no job" in sandbox.run("attach").stderr
    assert "no job '7'" in sandbox.run("watch", "7").stderr


def test_a_job_whose_model_has_vanished_says_so(sandbox, steady_model):
    """When the next daemon goes on with it: one sentence with the path, and an end."""
    model = shutil.copy(steady_model, sandbox.home)
    detached(sandbox, model, "--max-latency", "10s", *QUICK, "--time", "10m")
    sandbox.wait_for("started")
    sandbox.kill()
    (sandbox.home / "steady.onnx").unlink()
    done = sandbox.run("attach")
    assert done.returncode == 2
    assert str(model) in done.stderr
    assert "Traceback" not in done.stderr


def test_priorities_are_refused_outside_their_range(sandbox, tiny_model):
    """In one sentence."""
    done = sandbox.run("measure", tiny_model, "--priority", 1000)
    assert done.returncode == 2
    assert "between -100 and 100" in done.stderr


def test_the_daemon_ends_when_only_held_jobs_are_left(sandbox, search):
    """A private daemon that was killed leaves nothing running behind somebody's back."""
    detached(sandbox, *search)
    sandbox.wait_for("trial_started")
    sandbox.kill()
    assert jobs(sandbox)["steady.onnx"]["state"] == "paused"
    assert sandbox.left() == []
