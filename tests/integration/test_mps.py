"""MPS is switched by a control program that behaves like NVIDIA's, in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time

import mps_control
import numpy as np
import psutil
import pytest
from made_profiles import proven

import autotuner
from autotuner import store
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.core.request import Workload
from autotuner.host import mps, topology
from autotuner.host.mps import Mps, MpsError
from autotuner.model.inputs import InputSpec

HOLDER = """
import sys, pathlib, time
from autotuner.host.mps import Mps
held = Mps(pathlib.Path(sys.argv[1]))
held.use(on=True)
print("on", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def others(tmp_path, monkeypatch):
    """Install the program and return the folder where others would have their pipes."""
    mps_control.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "others"
    folder.mkdir()
    monkeypatch.setenv(mps_control.PIPES, str(folder))
    yield folder
    for file in tmp_path.rglob(mps_control.PID_FILE):
        os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.fixture
def ours(tmp_path):
    """Return the folder that is ours while we have a daemon."""
    return tmp_path / "ours"


def daemon(folder):
    """Return the number of the daemon that belongs to our *folder*."""
    return mps_control.daemon_of(folder / "pipes")


def ended(pid):
    """Say whether the process has ended, whether or not somebody has noticed."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def start_of_somebody_else():
    """Start a daemon as somebody else does, by hand."""
    subprocess.run([mps_control.NAME, "-d"], check=True)


def wait_until(condition):
    """Wait until *condition* holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def holder(ours):
    """Start a process that holds MPS on; return it when it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, ours], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "on\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_it_is_ours_to_switch_where_nobody_uses_it():
    """The control program is there and finds no daemon."""
    assert mps.refusal() is None


def test_a_machine_without_the_program_is_told_so(monkeypatch):
    """By the program's name."""
    monkeypatch.setenv("PATH", "")
    assert mps.refusal() == f"{mps_control.NAME} is not installed"


def test_a_daemon_runs_while_it_is_on(ours):
    """What starts meanwhile finds it by its pipes; afterwards there is no trace of it."""
    with Mps(ours) as ours_now:
        assert ours_now.environment == os.environ
        ours_now.use(on=True)
        ours_now.use(on=True)
        assert daemon(ours) is not None
        assert ours_now.environment[mps_control.PIPES] == str(ours / "pipes")
        ours_now.use(on=False)
        assert (daemon(ours), ours_now.on, ours.exists()) == (None, False, False)
        ours_now.use(on=True)
        pid = daemon(ours)
    wait_until(lambda: ended(pid))
    assert not ours.exists()


def test_one_of_somebody_else_is_left_alone(others, ours):
    """It is recognised by the pipes that every program here would use, and named by them."""
    start_of_somebody_else()
    pid = mps_control.daemon_of(others)
    assert str(others) in mps.refusal()
    with pytest.raises(MpsError, match="runs for somebody else"):
        Mps(ours).use(on=True)
    assert (mps.recover(ours), ours.exists()) == ((), False)
    assert mps_control.daemon_of(others) == pid


def test_what_does_not_start_is_explained_and_leaves_nothing(ours, monkeypatch):
    """In the program's own words."""
    monkeypatch.setenv("MPS_FAULT", "start")
    monkeypatch.setattr(mps, "_TURN_S", 0.2)
    held = Mps(ours)
    with pytest.raises(MpsError, match="Failed to start the MPS control daemon"):
        held.use(on=True)
    assert (held.on, ours.exists()) == (False, False)


def test_the_guardian_ends_it_when_its_holder_is_killed(holder, ours):
    """At once, without a next start."""
    pid = daemon(ours)
    holder.kill()
    wait_until(lambda: daemon(ours) is None)
    wait_until(lambda: ended(pid))
    assert mps.recover(ours) == ()
    assert not ours.exists()


def test_the_next_start_ends_it_when_the_guardian_was_killed_too(holder, ours):
    """The folder tells it; the next start after that has nothing left to say."""
    for process in (*psutil.Process(holder.pid).children(recursive=True), holder):
        process.kill()
    assert daemon(ours) is not None
    (said,) = mps.recover(ours)
    assert "ended" in said
    assert (daemon(ours), mps.recover(ours)) == (None, ())


@pytest.fixture
def harness(ours, tmp_path, monkeypatch):
    """Return a harness whose runtime loads only where its process can reach our daemon."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with Harness(
        tmp_path / "no.onnx",
        InputSpec(tensors=()),
        topology.read(),
        locate=lambda _: "faults:NeedsMps",
        mps=Mps(ours),
    ) as opened:
        yield opened


def test_workers_are_started_with_what_their_configuration_says(harness, ours, others):
    """A process keeps to what there was when it began, so others are started for each kind."""
    window = Window(min_s=0.05, max_s=0.1)
    for on in (True, False, True):
        found = harness.measure(Config(workers=2, mps=on), window)
        pipes = ours / "pipes" if on else others
        if on:
            assert not isinstance(found, Failed)
        else:
            assert str(pipes) in found.detail
        assert (daemon(ours) is not None) == on


def test_a_configuration_is_left_out_where_it_does_not_start(harness, monkeypatch):
    """That trial alone fails."""
    monkeypatch.setenv("MPS_FAULT", "start")
    monkeypatch.setattr(mps, "_TURN_S", 0.2)
    found = harness.measure(Config(workers=2, mps=True), Window(min_s=0.05, max_s=0.1))
    assert (found.reason, "--mps off" in found.detail) == ("unsupported", True)


@pytest.fixture
def pool(tmp_path, monkeypatch, tiny_model):
    """Open a profile whose two workers are to share a GPU."""
    monkeypatch.setenv("AUTOTUNE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    config = Config(workers=2, intra_op_threads=1, mps=True)
    profile = proven(tiny_model, config=config, workload=Workload(model=str(tiny_model)))
    path = store.ProfileStore(tmp_path / "state" / "profiles").save(profile)
    return lambda: autotuner.open_profile(path, force=True)


def pipes_of(pool):
    """Return where each worker of *pool* looks for a daemon."""
    return {psutil.Process(pid).environ()[mps_control.PIPES] for pid in pool.pids}


def test_a_pool_has_a_daemon_for_as_long_as_its_workers(pool, others, tmp_path):
    """Its own, as a run has, also for a worker that takes the place of a dead one."""
    with pool() as opened:
        (pipes,) = pipes_of(opened)
        assert pipes != str(others)
        pid = mps_control.daemon_of(pipes)
        assert pid is not None
        dead, _ = opened.pids
        os.kill(dead, signal.SIGKILL)

        def replaced():
            opened.run({"x": np.zeros((8, 3, 16, 16), np.float32)})
            return dead not in opened.pids

        wait_until(replaced)
        assert pipes_of(opened) == {pipes}
    wait_until(lambda: ended(pid))
    assert list(tmp_path.glob("autotune-mps-*")) == []


def test_a_pool_uses_the_daemon_of_somebody_else(pool, others):
    """And leaves it running."""
    start_of_somebody_else()
    pid = mps_control.daemon_of(others)
    with pool() as opened:
        assert pipes_of(opened) == {str(others)}
    assert mps_control.daemon_of(others) == pid


def test_a_pool_says_why_it_cannot_share(pool, monkeypatch):
    """Rather than serve otherwise than was measured."""
    monkeypatch.setenv("MPS_FAULT", "start")
    monkeypatch.setattr(mps, "_TURN_S", 0.2)
    with pytest.raises(MpsError, match="does not start here"):
        pool()
