"""A neighbour that begins to use the processors in the middle of a search shows in its trials."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from autotuner.core.events import TrialDone, TrialStarted, TuneDone
from autotuner.core.request import TuneRequest, Workload
from autotuner.host import activity
from autotuner.tuning import Places, tune

pytestmark = pytest.mark.alone

HOGGED = 2
read_activity = activity.read


class Hogs:
    """Processes that keep every processor busy, and the time that all of them have used so far."""

    def __init__(self):
        self._running = []
        self._used_s = 0.0

    def start(self):
        """Begin to use the processors, one process for each."""
        command = [sys.executable, "-c", "while True: pass"]
        self._running = [subprocess.Popen(command) for _ in os.sched_getaffinity(0)]

    def stop(self):
        """Leave them alone."""
        self._used_s = self.used_s
        for hog in self._running:
            hog.kill()
            hog.wait()
        self._running = []

    @property
    def used_s(self):
        """The processor time of all hogs."""
        times = [psutil.Process(hog.pid).cpu_times() for hog in self._running]
        return self._used_s + sum(time.user + time.system for time in times)


@pytest.fixture
def hogs(monkeypatch):
    """Let the box look as if nobody but the hogs were there besides us, however busy it is."""
    neighbours = Hogs()

    def read(cpus, pids):
        seen = read_activity(cpus, pids)
        return replace(
            seen,
            busy_s=seen.own_s + neighbours.used_s,
            steal_s=0.0,
            throttled=None,
            clock_mhz=None,
        )

    monkeypatch.setattr(activity, "read", read)
    yield neighbours
    neighbours.stop()


@pytest.fixture
def tuned(hogs, trivial_model, tmp_path, monkeypatch):
    """Tune a model that a larger batch makes much faster; return what was measured, and the end.

    Hogs run while the trial number *hogged* is measured, if one is named. Windows are shorter than
    usual: the batches of this model are short, too.
    """
    monkeypatch.setattr("autotuner.scenario._TRIAL_S", (0.4, 0.8))
    monkeypatch.setattr("autotuner.scenario._TURN_S", (0.5, 1.2))

    def run(name, *, hogged=None):
        request = TuneRequest(
            workload=Workload(model=str(trivial_model)),
            max_latency_ms=10_000.0,
            percentile=50.0,
            confidence=0.5,
            max_trials=3,
            dimensions={
                "workers": (1,),
                "batch_size": (1, 3, 12),
                "intra_op_threads": (1,),
                "affinity": ("none",),
            },
        )
        places = Places(
            profiles=tmp_path / name, storage=f"sqlite:///{tmp_path}/{name}.db", cache=tmp_path
        )
        done = []
        for event in tune(request, places=places, cancelled=lambda: False):
            if isinstance(event, TrialStarted) and event.phase == "search":
                (hogs.start if event.number == hogged else hogs.stop)()
            if isinstance(event, TrialDone):
                hogs.stop()
                done.append(event)
            end = event
        return done, end

    return run


def test_a_hog_in_the_middle_of_a_search_marks_its_trial_and_changes_nothing(tuned):
    """The other trials are sound, and the winner is the same as without it."""
    done, end = tuned("hogged", hogged=HOGGED)
    hogged = [e for e in done if e.phase == "search" and e.number == HOGGED]
    assert [e.outcome.disturbed is not None for e in hogged] == [True]
    assert "other processes used" in hogged[0].outcome.disturbed
    assert [e.outcome.disturbed for e in done if e not in hogged] == [None] * (len(done) - 1)
    assert isinstance(end, TuneDone)
    assert end.proven
    assert end.winner.measurement.disturbed is None
    _, calm = tuned("calm")
    assert end.winner.config == calm.winner.config
