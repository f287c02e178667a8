"""Killing everything at random moments, and going on."""

from __future__ import annotations

import json
import random
import signal
import time

import optuna
import pytest
from optuna.trial import TrialState
from sandbox import QUICK

from autotuner import store

pytestmark = pytest.mark.timeout(900)

KILLS = 20
TRIALS = 14


def finished(sandbox):
    """Return the events that tell of a finished trial of the search."""
    return [
        event
        for event in sandbox.events()
        if event["event"] == "trial_done" and event["phase"] == "search"
    ]


def wait_for_another_trial(sandbox, running):
    """Wait until one more is finished, or until the command has ended because all were."""
    before = len(finished(sandbox))
    while running.poll() is None and len(finished(sandbox)) == before:
        time.sleep(0.02)


@pytest.fixture(scope="module")
def survived(shared_sandbox, trivial_model):
    """Kill the whole tree KILLS times, then let the same command run to its end.

    The moments are random: from the start on in even rounds, from the first finished trial on in
    odd ones. Every fourth time the run is asked to end just before, so that some kills fall into
    the writing of the profile. Return what the last run did and what the others had told.
    """
    command = (trivial_model, "--max-latency", "10s", *QUICK, "--trials", TRIALS, "--time", "10m")
    rng = random.Random(7)
    for number in range(KILLS):
        running = shared_sandbox.start(*command)
        if number % 2:
            wait_for_another_trial(shared_sandbox, running)
        time.sleep(rng.uniform(0.0, 1.0 if number % 2 else 2.5))
        if number % 4 == 3:
            running.send_signal(signal.SIGINT)
            time.sleep(rng.uniform(0.0, 0.3))
        shared_sandbox.kill()
        running.communicate()
        for profile in (shared_sandbox.state / "profiles").glob("*.yaml"):
            store.read(profile)  # raises when it is torn
    told = finished(shared_sandbox)
    return shared_sandbox.run(*command, "--json", timeout_s=200), told


@pytest.fixture(scope="module")
def study(survived, shared_sandbox):  # noqa: ARG001 - it comes after
    """Return the study of the run, when all is over."""
    storage = f"sqlite:///{shared_sandbox.state / 'studies.db'}"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def test_the_search_completes(survived):
    """With as many trials as were asked for, the earlier ones counted."""
    done, _ = survived
    document = json.loads(done.stdout)
    assert done.returncode == 0, done
    assert document["trials"] == TRIALS or "promises" in document["stopped_because"]


def test_no_finished_trial_is_lost(survived, study):
    """Every trial that was told before a kill is in the study, with all that was measured."""
    _, told = survived
    kept = {trial.number: trial.user_attrs for trial in study.get_trials(deepcopy=False)}
    assert told
    for event in told:
        assert kept[event["number"]]["outcome"] == event["outcome"]


def test_no_trial_is_left_open(study):
    """Those that were cut off are closed."""
    assert study.get_trials(states=(TrialState.RUNNING,)) == []


def test_the_profile_is_whole(survived, shared_sandbox):
    """One, proven; what killed writers left behind is not taken for another."""
    done, _ = survived
    (path,) = store.ProfileStore(shared_sandbox.state / "profiles").paths()
    assert store.read(path).status == "proven"
    assert json.loads(done.stdout)["profile"] == str(path)


def test_no_process_is_left_behind(survived, shared_sandbox):
    """The daemon ends itself when there is nothing to do."""
    done, _ = survived
    assert (done.returncode, shared_sandbox.left()) == (0, [])
