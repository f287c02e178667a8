"""Another box's daemon through the user's own ssh, with a real sshd on the loopback."""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import rigs
from sandbox import AUTOTUNE, PATIENCE_S, QUICK


def listens(port):
    """Say whether somebody listens on *port* of the loopback."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def loopback(tmp_path_factory):
    """Run an sshd on the loopback and return a folder with an ``ssh`` that knows it as ``box``."""
    rigs.need_root()
    rigs.need_programs(ssh="openssh-client", **{"ssh-keygen": "openssh-client"})
    if not Path("/usr/sbin/sshd").exists():
        rigs.need_programs(sshd="openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPidFile none\nUsePAM no\n"
    )
    (folder / "config").write_text(
        f"Host box\nHostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\n"
        f"IdentityFile {folder}/user\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"
        "LogLevel ERROR\nBatchMode yes\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    wrapper = folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config "$@"\n')
    wrapper.chmod(0o755)
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"]
    with (folder / "log").open("w") as log:
        sshd = subprocess.Popen(command, stderr=log)
    deadline = time.monotonic() + PATIENCE_S
    while not listens(port):
        assert sshd.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield folder
    sshd.terminate()
    sshd.wait()


@pytest.fixture
def away(sandbox, loopback, tmp_path):
    """Return how to run a command here that speaks to the sandbox over there."""
    state = sandbox.environment["AUTOTUNE_STATE_DIR"]
    there = " ".join(
        f"{name}={value}"
        for name, value in sandbox.environment.items()
        if name.startswith("AUTOTUNE_")
    )
    here = {
        **os.environ,
        "PATH": f"{loopback}:{os.environ['PATH']}",
        "AUTOTUNE_REMOTE": f"env {there} {AUTOTUNE}",
        "AUTOTUNE_STATE_DIR": str(tmp_path / "here"),
        "COLUMNS": "200",
    }

    def start(*arguments):
        command = [AUTOTUNE, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=here, stdin=subprocess.DEVNULL, **pipes)

    start.state = state
    return start


def told(process):
    """Return what a command said, once it has ended well."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out


def test_the_status_is_that_of_the_other_box(away):
    """Nothing is started or written here."""
    status = json.loads(told(away("status", "--host", "box", "--json")))
    assert status["state"] == away.state


def test_a_job_over_there_is_followed_and_cancelled(away, sandbox, steady_model):
    """Its ending is told here; leaving a watched job leaves it alone."""
    done = sandbox.run(
        *(steady_model, "--max-latency", "10s", *QUICK, "--time", "10m", "--trials", 500),
        *("--detach", "--json"),
    )
    job = json.loads(done.stdout)["job"]
    sandbox.wait_for("trial_started")
    watching = away("watch", "--host", "box")
    assert watching.stdout.readline().startswith("The inputs are random")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=PATIENCE_S)
    (listed,) = json.loads(told(away("jobs", "--host", "box", "--json")))["jobs"]
    assert (listed["job"], listed["state"]) == (job, "running")
    following = away("attach", job, "--host", "box", "--json")
    sandbox.wait_for("trial_done", phase="baseline")
    told(away("cancel", job, "--host", "box"))
    out, _ = following.communicate(timeout=PATIENCE_S)
    assert json.loads(out)["status"] == "interrupted"


def test_a_box_that_is_not_there_is_named(away):
    """With what ssh said; no traceback."""
    failed = away("status", "--host", "nobody.invalid")
    _, err = failed.communicate(timeout=PATIENCE_S)
    assert failed.returncode == 2
    assert "No daemon answers on nobody.invalid" in err
    assert "Traceback" not in err


def test_a_host_cannot_be_an_option(away):
    """What begins with a dash never reaches ssh."""
    failed = away("status", "--host=-oProxyCommand=touch")
    _, err = failed.communicate(timeout=PATIENCE_S)
    assert (failed.returncode, "is no host" in err) == (2, True)
