"""Whoever changes the machine is killed: the guardian, or the next start, puts it back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import power_machines
import psutil
import pytest
from sandbox import PATIENCE_S

from autotuner.host.power import PowerError, Switch, offered, open_control, recover
from autotuner.host.power.journal import Journal

PROGRAM = Path(power_machines.__file__).with_name("power_run.py")
KILLS = 4


class Board:
    """A pretended Jetson and processes that change its modes."""

    def __init__(self, folder):
        self.root = power_machines.jetson(folder / "root")
        self.journal = folder / "power-journal.json"
        self.before = power_machines.snapshot(self.root)
        self.processes = []

    def start(self, seed=1):
        """Start a process that changes modes; return it when it has changed one."""
        process = subprocess.Popen(
            [sys.executable, PROGRAM, self.root, self.journal, str(seed)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdout.readline() == f"{process.pid}\n"
        return process

    def start_using(self, mode):
        """Start a process that sets *mode*; return it at once."""
        program = (
            "import sys, pathlib\n"
            "from autotuner.host.power import Switch, open_control\n"
            "root, journal = map(pathlib.Path, sys.argv[1:3])\n"
            "Switch(open_control(root), journal, root=root).use(sys.argv[3])\n"
        )
        command = [sys.executable, "-c", program, self.root, self.journal, mode]
        self.processes.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        return self.processes[-1]

    def wait_until_restored(self):
        """Wait until every setting is as it was and the journal is gone."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not self.journal.exists() and power_machines.snapshot(self.root) == self.before:
                return
            time.sleep(0.01)
        assert power_machines.snapshot(self.root) == self.before
        pytest.fail("the journal is still there")


@pytest.fixture
def board(tmp_path):
    """Return a board in its own mode."""
    made = Board(tmp_path)
    yield made
    for process in made.processes:
        kill(process)


def children(process):
    """Return the children of *process*, each with the words of its command line."""
    found = []
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):  # it may end meanwhile
            found.append((child, child.cmdline()))
    return found


def guardian_of(process):
    """Return the guardian among the children of *process*."""
    (found,) = (child for child, words in children(process) if "autotuner.host.guardian" in words)
    return found


def busy_with(process, name):
    """Say whether *process* has a child whose command line holds *name*."""
    return any(name in Path(word).name for _, words in children(process) for word in words)


def kill(process):
    """End *process* as ``kill -9`` does."""
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("seed", range(KILLS))
def test_the_guardian_restores_when_the_job_is_killed(board, seed):
    """At whatever moment, also in the middle of a change; then it ends."""
    process = board.start(seed)
    guardian = guardian_of(process)
    time.sleep(random.Random(seed).uniform(0.0, 0.2))
    kill(process)
    board.wait_until_restored()
    guardian.wait(timeout=PATIENCE_S)


def test_a_signal_to_the_group_does_not_end_the_guardian(board):
    """The terminal's and the service manager's signals reach it too."""
    process = board.start()
    guardian = guardian_of(process)
    for ending in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        guardian.send_signal(ending)
    assert os.getpgid(guardian.pid) != os.getpgid(process.pid)
    kill(process)
    board.wait_until_restored()


def test_the_next_start_restores_when_the_guardian_is_killed_too(board):
    """And finds the machine's own mode, not the one that was left."""
    process = board.start()
    guardian = guardian_of(process)
    guardian.kill()
    kill(process)
    assert board.journal.exists()
    (said,) = recover(board.journal, root=board.root)
    assert "is back" in said
    board.wait_until_restored()
    assert offered(open_control(board.root))[0] == "25W"


def test_nobody_comes_in_between_the_killed_and_its_guardian(board):
    """The guardian holds the lock until it has restored."""
    process = board.start()
    guardian = guardian_of(process)
    guardian.suspend()
    kill(process)
    with pytest.raises(PowerError, match="Another process"):
        Journal(board.journal).claim(0.0)
    guardian.resume()
    Journal(board.journal).claim(20.0)
    board.wait_until_restored()


def test_a_tool_that_outlives_the_killed_is_waited_for(board):
    """It would set its mode after everything was restored."""
    power_machines.break_nvpmodel(board.root, "slow")
    process = board.start_using("15W")
    while not board.journal.exists() or not busy_with(process, "nvpmodel"):
        time.sleep(0.01)
    kill(process)
    board.wait_until_restored()
    assert (board.root / "asked").read_text() == "0\n1\n"


def test_a_service_manager_may_run_the_guardian_by_itself(board):
    """With nothing on its input it restores at once and says so."""
    process = board.start()
    guardian_of(process).kill()
    kill(process)
    command = [sys.executable, "-m", "autotuner.host.guardian", board.journal, board.root]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert "is back" in done.stderr
    board.wait_until_restored()


def test_no_mode_is_set_without_a_guardian(board, monkeypatch):
    """When it does not start, nothing has been changed."""
    control = open_control(board.root, settle_s=0.0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    switch = Switch(control, board.journal, root=board.root)
    with switch, pytest.raises(PowerError, match="did not start"):
        switch.use("15W")
    assert power_machines.snapshot(board.root) == board.before
    assert not board.journal.exists()
