"""The interface in a real terminal: tmux, through a real ssh to this machine."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from sandbox import AUTOTUNE, QUICK

_PATIENCE_S = 60


def _tool(name):
    """Return the path of a program of the rig; without it the test fails in CI, else it skips."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None:
        say = pytest.fail if {"CI", "AUTOTUNE_REQUIRE_RIGS"} & set(os.environ) else pytest.skip
        say(f"{name} is not installed")
    return found


@dataclass
class Terminal:
    """A terminal of 80x24 in a tmux server of its own."""

    name: str

    def tmux(self, *arguments):
        """Run a command of this tmux server and return what it prints."""
        command = ["tmux", "-L", self.name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def open(self, command):
        """Run *command* in the terminal, which stays when it ends."""
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", f"{command}; cat")

    def close(self):
        """End everything in the terminal."""
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False)

    def type(self, *keys):
        """Send *keys*."""
        self.tmux("send-keys", *keys)

    def shows(self, *words):
        """Wait until the terminal shows one of *words* and return the screen."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            screen = self.tmux("capture-pane", "-p")
            if any(word in screen for word in words):
                return screen
            time.sleep(0.1)
        raise TimeoutError(f"none of {words} was shown: {screen}")


@pytest.fixture
def terminal(tmp_path):
    """Open a terminal for the test, and close it afterwards."""
    _tool("tmux")
    place = Terminal(f"autotune-{os.getpid()}-{tmp_path.name}")
    yield place
    place.close()


@pytest.fixture
def ssh(tmp_path):
    """Start an ssh server on the loopback; return the command that runs something through it."""
    sshd = _tool("sshd")
    for key in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key]
        subprocess.run(command, check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {tmp_path}/host\nPidFile none\n"
        f"AuthorizedKeysFile {tmp_path}/user.pub\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin yes\nPasswordAuthentication no\nAcceptEnv LANG\n"
    )
    server = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=subprocess.DEVNULL)
    _wait_for_port(port)
    yield (
        f"ssh -tt -p {port} -i {tmp_path}/user -o StrictHostKeyChecking=no -o LogLevel=ERROR "
        f"-o UserKnownHostsFile=/dev/null -o SendEnv=LANG {getpass.getuser()}@127.0.0.1"
    )
    server.terminate()
    server.wait()


def _wait_for_port(port):
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("sshd does not listen")


def _ssh_clients(terminal):
    """Return the ssh processes that run in *terminal*."""
    shell = psutil.Process(int(terminal.tmux("list-panes", "-F", "#{pane_pid}")))
    return [p for p in [shell, *shell.children(recursive=True)] if p.name() == "ssh"]


def _watch(sandbox, ssh):
    names = ("AUTOTUNE_STATE_DIR", "AUTOTUNE_CACHE_DIR", "AUTOTUNE_LOCK")
    settings = " ".join(f"{name}={sandbox.environment[name]}" for name in names)
    return f"LANG=C.UTF-8 {ssh} env LANG=C.UTF-8 TERM=xterm-256color {settings} {AUTOTUNE} tui"


def test_a_search_is_watched_over_ssh(sandbox, terminal, ssh, steady_model):
    """A lost ssh costs nothing: the job goes on, and the next look sees all of it; x ends it."""
    started = sandbox.run(steady_model, "--max-latency", "1s", "--time", "10m", "--detach", *QUICK)
    assert started.returncode == 0, started.stderr
    terminal.open(_watch(sandbox, ssh))
    terminal.shows("● search")
    for client in _ssh_clients(terminal):
        client.send_signal(signal.SIGKILL)
    terminal.close()
    known = len(sandbox.wait_for("trial_done"))
    sandbox.wait_for("trial_done", known + 2)
    terminal.open(_watch(sandbox, ssh))
    screen = terminal.shows("● search", "final round")
    assert "baseline" in screen
    terminal.type("x")
    terminal.shows("end the job")
    terminal.type("y")
    terminal.shows("✗ interrupted", "✓ proven")
    terminal.type("q")
    terminal.shows("nothing is proven", "Proven")


def test_a_profile_is_applied_over_ssh(sandbox, terminal, ssh, tiny_model):
    """What a search found is applied by two keys, after before and after were shown."""
    found = sandbox.run(tiny_model, "--max-latency", "1s", "--trials", "1", *QUICK)
    assert found.returncode == 0, found.stderr
    terminal.open(_watch(sandbox, ssh))
    terminal.shows("✓ proven")
    terminal.type("3")
    terminal.shows("with 50% confidence")
    terminal.type("a")
    assert "before" in terminal.shows("after")
    terminal.type("y")
    terminal.shows("Applied")
    terminal.shows("● tiny")
    assert "tiny" in sandbox.run("status").stdout


def test_the_daemon_is_killed_and_comes_back(sandbox, terminal, steady_model):
    """A daemon that dies under the interface is found again, with every event."""
    sandbox.run(steady_model, "--max-latency", "1s", "--time", "10m", "--detach", *QUICK)
    settings = " ".join(
        f"{name}={value}"
        for name, value in sandbox.environment.items()
        if name.startswith("AUTOTUNE_")
    )
    terminal.open(f"env LANG=C.UTF-8 {settings} {AUTOTUNE} tui")
    terminal.shows("● search")
    daemons = [p for p in sandbox.processes() if "autotuner.daemon" in p.cmdline()]
    for daemon in daemons:
        daemon.kill()
    known = len(sandbox.wait_for("trial_done"))
    sandbox.wait_for("trial_done", known + 2)
    terminal.shows("● search")
    terminal.type("q")
    terminal.shows("goes on")
