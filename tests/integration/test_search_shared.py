"""Several boxes on one study in a real PostgreSQL, started here."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from autotuner.core import Dimension, Measurement, Objective, SearchSpace
from autotuner.core.errors import StateError
from autotuner.search import Search, storage

SPACE = SearchSpace(
    [
        Dimension("batch_size", (1, 2, 4, 8), ordered=True),
        Dimension("workers", (1, 2, 3), ordered=True),
    ]
)
OBJECTIVE = Objective.maximize("throughput_ips")
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
    Path(found).resolve().parent for found in [shutil.which("initdb")] if found
]
MISSING = not PROGRAMS or importlib.util.find_spec("psycopg") is None
REQUIRED = bool(os.environ.get("CI") or os.environ.get("AUTOTUNE_REQUIRE_RIGS"))
pytestmark = pytest.mark.skipif(
    MISSING and not REQUIRED, reason="PostgreSQL or psycopg is not installed"
)

DOOMED_BOX = """
import sys, time
from test_search_shared import OBJECTIVE, SPACE, measured
from autotuner.search import Search, storage
storage.HEARTBEAT_S = 1
study = Search(SPACE, OBJECTIVE, storage=sys.argv[1], name=sys.argv[2])
told = study.ask()
study.tell(told, measured(told.config))
print(told.number, study.ask().number, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def server():
    """Start an empty PostgreSQL on a socket of its own and return its URL."""
    assert not MISSING, "PostgreSQL and psycopg are required here; install both"
    # The server refuses to run as root, and a socket's path must be short.
    owner = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if owner:
        shutil.chown(folder, owner)
    control = [PROGRAMS[-1] / "pg_ctl", "-D", folder / "data", "-s", "-w"]
    options = f"-c listen_addresses='' -k {folder} -F"

    def run(*command):
        subprocess.run(command, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

    run(PROGRAMS[-1] / "initdb", "-A", "trust", "-U", "postgres", folder / "data")
    run(*control, "-l", folder / "log", "-o", options, "start")
    yield f"postgresql://postgres@/postgres?host={folder}"
    run(*control, "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def box(server, request):
    """Return a function that opens the test's study as another box would."""
    boxes = []

    def opened(**options):
        boxes.append(Search(SPACE, OBJECTIVE, storage=server, name=request.node.name, **options))
        return boxes[-1]

    yield opened
    for study in boxes:
        study.close()


def measured(config):
    """Return an exact measurement."""
    return Measurement(throughput_ips=float(config["batch_size"] * config["workers"]))


def test_two_boxes_share_trials_and_repeat_nothing(box):
    """What one box measures the other knows, and what one measures the other leaves alone."""
    seeds = SPACE.configs[:2]
    left, right = box(seeds=seeds), box(seeds=seeds)
    for _ in range(3):
        mine, theirs = left.ask(), right.ask()
        assert mine.config != theirs.config
        left.tell(mine, measured(mine.config))
        right.tell(theirs, measured(theirs.config))
    assert len(left.trials()) == len(right.trials()) == 6
    assert len({str(trial.config) for trial in left.trials()}) == 6


def test_a_killed_box_costs_one_trial(box, server, request, monkeypatch):
    """A box without signs of life loses the trial that it was at, a living one keeps its own."""
    monkeypatch.setattr(storage, "HEARTBEAT_S", 2)
    monkeypatch.setattr("autotuner.search.heartbeat.HEARTBEAT_S", 0.2)
    alive = box()
    kept = alive.ask()
    command = [sys.executable, "-c", DOOMED_BOX, server, request.node.name]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(command, env=paths, stdout=subprocess.PIPE, text=True) as doomed:
        told, lost = map(int, doomed.stdout.readline().split())
        doomed.kill()
    deadline = time.monotonic() + 60.0
    while alive._study.trials[lost].state.name != "FAIL":
        assert time.monotonic() < deadline
        time.sleep(0.2)
        alive.release(alive.ask())
    assert alive._study.trials[kept.number].state.name == "RUNNING"
    alive.tell(kept, measured(kept.config))
    assert sorted(trial.number for trial in alive.trials()) == sorted([kept.number, told])


def test_a_server_that_cannot_be_reached_is_named_without_its_password():
    """The message shows the address, never the password."""
    url = "postgresql://box:secret@/none?host=/nowhere"
    with pytest.raises(StateError, match=r"box:\*\*\*@") as caught:
        Search(SPACE, OBJECTIVE, storage=url)
    assert "secret" not in str(caught.value)
