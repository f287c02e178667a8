"""Killing the daemon alone, at random moments, while somebody listens."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time

import pytest
from follower import Follower
from sandbox import FEW, QUICK

from autotuner.core.events import TuneDone

TRIALS = 4


@pytest.fixture(
    scope="module",
    params=[2, pytest.param(50, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])],
)
def searches(request, shared_sandbox, trivial_model):
    """Kill the daemon so many times, over as many searches as that takes; return their listeners.

    The moments are random: from the last kill on in even rounds, from the next finished trial on in
    odd ones.
    """
    goal = ("--max-latency", "10s", *QUICK, *FEW, "1,2,4,16", "--trials", TRIALS)
    command = (trivial_model, *goal, "--time", "10m", "--fresh", "--detach", "--json")
    chance, kills, followed = random.Random(11), 0, []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shared_sandbox.environment.items():
            patch.setenv(name, value)
        while kills < request.param:
            job = json.loads(shared_sandbox.run(*command).stdout)["job"]
            search = Follower(shared_sandbox.state, job)
            while kills < request.param and search.ending is None:
                if kills % 2 and not search.sees_another_trial():
                    break
                time.sleep(chance.uniform(0.0, 1.0))
                kills += kill_daemon(shared_sandbox)
            search.sees_the_end()
            followed.append(search)
    return followed


def kill_daemon(sandbox):
    """End the daemon as ``kill -9`` does, and nothing else; return how many there were."""
    killed = 0
    for process in sandbox.processes():
        with contextlib.suppress(Exception):
            if process.cmdline()[1:3] == ["-m", "autotuner.daemon"]:
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
    return killed


def test_the_search_ends_all_the_same(searches):
    """With its result."""
    for search in searches:
        assert isinstance(search.ending, TuneDone), search.heard
        assert search.ending.status == "ok"


def test_no_event_is_skipped_and_none_comes_twice(searches):
    """The numbers go on from daemon to daemon."""
    for search in searches:
        assert search.numbers == list(range(len(search.numbers)))


def test_no_finished_trial_is_lost(searches):
    """Each is told once, and the total counts them all; the search is not begun anew."""
    for search in searches:
        numbers = [trial.number for trial in search.trials]
        assert len(numbers) == len(set(numbers))
        assert len(numbers) <= search.ending.trials <= TRIALS


def test_what_was_told_is_on_disk(searches, shared_sandbox):
    """Whoever asks later hears the same."""
    for search in searches:
        events = shared_sandbox.state / "jobs" / search.job / "events.jsonl"
        kept = [json.loads(line)["n"] for line in events.read_text().splitlines()]
        assert kept == search.numbers
