"""The box's own daemon, without a service manager."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from sandbox import PATIENCE_S, QUICK

IDLE_MIB = 40
IDLE_SHARE = 0.001
"""Of one CPU."""


class SystemDaemon:
    """A system's daemon in a sandbox; clients find it by its socket."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.socket = sandbox.home / "run/autotuner.sock"
        self.environment = {
            **sandbox.environment,
            "AUTOTUNE_SOCKET": str(self.socket),
            "AUTOTUNE_CONFIG": str(sandbox.home / "config.yaml"),
        }
        self.process = None

    def start(self, *options):
        """Start it and return the process; the socket may not be there yet."""
        command = [sys.executable, "-m", "autotuner.daemon", "system", *options]
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)

    def up(self, *options):
        """Start it and wait until it serves."""
        self.process = self.start(*options)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as client:
                if client.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.02)
        self.process.kill()
        raise TimeoutError(self.process.stderr.read())

    def down(self):
        """Tell it to end and return its status."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode

    def cpu_s(self):
        """Return the CPU time of its threads so far, to the nanosecond (unlike getrusage)."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def run(self, *arguments):
        """Run a command that speaks to it."""
        return self.sandbox.run(*arguments, environment=self.environment.items())


@pytest.fixture
def system(sandbox):
    """Return a daemon that is not started yet."""
    daemon = SystemDaemon(sandbox)
    yield daemon
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.down()


def free_port():
    """Return a port that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.alone
def test_clients_find_it_and_start_none_of_their_own(system):
    """And it is light while it idles."""
    system.up()
    status = json.loads(system.run("status", "--json").stdout)
    assert (status["system"], status["pid"]) == (True, system.process.pid)
    assert psutil.Process(system.process.pid).memory_info().rss / 2**20 < IDLE_MIB
    began, before_s = time.monotonic(), system.cpu_s()
    time.sleep(6.0)  # more than a beat
    assert system.cpu_s() - before_s < IDLE_SHARE * (time.monotonic() - began)
    assert system.down() == 0


def test_a_second_one_is_refused(system):
    """Whatever its socket; the first one serves on."""
    system.up()
    second = system.start()
    _, err = second.communicate(timeout=PATIENCE_S)
    assert (second.returncode, "Another daemon keeps its state" in err) == (1, True)
    assert system.run("status").returncode == 0


def test_sigterm_in_mid_search_costs_nothing(system, steady_model):
    """It ends soon, leaves no process, and the next one goes on by itself."""
    system.up()
    command = (steady_model, "--max-latency", "10s", *QUICK, "--trials", 500, "--time", "10m")
    job = json.loads(system.run(*command, "--detach", "--json").stdout)["job"]
    system.sandbox.wait_for("trial_done")
    assert system.down() == 0
    assert system.sandbox.left() == []
    before = len(system.sandbox.events())
    system.up()
    system.sandbox.wait_for("started", 2)
    assert [event["n"] for event in system.sandbox.events()][:before] == list(range(before))
    assert system.run("cancel", job).returncode == 0


@pytest.mark.parametrize("event", [None, "started", "paused"])
def test_sigterm_ends_it_in_every_state(system, steady_model, event):
    """While a job starts, before its first trial, or while one is paused; no process is left."""
    system.up()
    goal = ("--max-latency", "10s", *QUICK, "--trials", 500, "--time", "10m")
    job = json.loads(system.run(steady_model, *goal, "--detach", "--json").stdout)["job"]
    if event == "paused":
        system.sandbox.wait_for("started")
        assert system.run("pause", job).returncode == 0
    elif event:
        system.sandbox.wait_for(event)
    assert system.down() == 0
    assert system.sandbox.left() == []


def test_prometheus_reads_it(system):
    """Over HTTP, only where it was asked for."""
    port = free_port()
    system.up("--metrics", f"127.0.0.1:{port}")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
        told = answer.read().decode()
    assert 'autotuner_jobs{state="running"} 0.0' in told
    assert 'autotuner_reading{name="memory.used_mib"' in told


def test_a_configuration_that_makes_no_sense_is_named(system):
    """The daemon does not start with half of it, and its status says not to try again."""
    (system.sandbox.home / "config.yaml").write_text("access:\n  watch: everyone\n")
    daemon = system.start()
    _, err = daemon.communicate(timeout=PATIENCE_S)
    assert daemon.returncode == 2
    assert "config.yaml, line 2: access.watch should be one of" in err
    assert "Traceback" not in err


def test_a_model_in_the_configuration_is_kept_tuned(system, tiny_model):
    """Its tuning starts by itself, after what people ask for."""
    (system.sandbox.home / "config.yaml").write_text(
        f"models:\n- model: {tiny_model}\n  max_latency: 1s\n"
    )
    system.up()
    deadline = time.monotonic() + PATIENCE_S
    while not (jobs := json.loads(system.run("jobs", "--json").stdout)["jobs"]):
        assert time.monotonic() < deadline
    assert (jobs[0]["kind"], jobs[0]["priority"]) == ("tune", -10)
    status = json.loads(system.run("status", "--json").stdout)
    assert status["kept"][0]["job"] == jobs[0]["job"]
