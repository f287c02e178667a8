"""Killing the daemon alone, at random moments, while somebody listens."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time

import pytest
from sandbox import QUICK

from autotuner import client
from autotuner.core.events import Ending, TrialDone, TuneDone


@pytest.fixture(scope="module", params=[2, pytest.param(50, marks=pytest.mark.soak)])
def survived(request, shared_sandbox, steady_model):
    """Listen to a search while its daemon is killed many times; return the stamped events."""
    command = (
        steady_model,
        "--max-latency",
        "10s",
        *QUICK,
        "--trials",
        request.param + 2,
        "--time",
        "10m",
    )
    done = shared_sandbox.run(*command, "--detach", "--json")
    job = json.loads(done.stdout)["job"]
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shared_sandbox.environment.items():
            patch.setenv(name, value)

        def listen():
            with client.connected(shared_sandbox.state) as daemon:
                heard.extend(told for told in daemon.stamped_events(job) if told is not None)

        listener = threading.Thread(target=listen)
        listener.start()
        rng = random.Random(11)
        for number in range(request.param):
            if number % 2:
                wait_for_another(heard, TrialDone)
            time.sleep(rng.uniform(0.0, 1.0))
            kill_daemon(shared_sandbox)
        listener.join(timeout=200)
    return heard


def wait_for_another(heard, kind):
    """Wait until one more event of *kind* was heard."""
    seen, deadline = len(heard), time.monotonic() + 60
    while not any(isinstance(told, kind) for _, _, told in heard[seen:]):
        assert time.monotonic() < deadline, heard
        assert not heard or not isinstance(heard[-1][2], Ending), heard
        time.sleep(0.02)


def kill_daemon(sandbox):
    """End the daemon as ``kill -9`` does, and nothing else."""
    for process in sandbox.processes():
        with contextlib.suppress(Exception):
            if process.cmdline()[1:3] == ["-m", "autotuner.daemon"]:
                os.kill(process.pid, signal.SIGKILL)


def test_the_search_ends_all_the_same(survived):
    """With its result."""
    ending = survived[-1][2]
    assert isinstance(ending, TuneDone)
    assert ending.status == "ok"


def test_no_event_is_skipped_and_none_comes_twice(survived):
    """The numbers go on from daemon to daemon."""
    assert [number for number, _, _ in survived] == list(range(len(survived)))


def test_no_finished_trial_is_lost(survived):
    """Each number of a trial is told once, and the total counts them all."""
    numbers = [
        told.number for _, _, told in survived if isinstance(told, TrialDone) and told.number
    ]
    assert len(numbers) == len(set(numbers))
    assert survived[-1][2].trials >= len(numbers)


def test_what_was_told_is_on_disk(survived, shared_sandbox):
    """Whoever asks later hears the same."""
    last = max(shared_sandbox.state.glob("jobs/*"))
    kept = [json.loads(line)["n"] for line in (last / "events.jsonl").read_text().splitlines()]
    assert kept == [number for number, _, _ in survived]
