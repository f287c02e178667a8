"""Sockets that lead to a daemon: the box's own, a private one, and that of another box."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from autotuner import locations
from autotuner.core.errors import InputError, MachineError, ProtocolError

_START_S = 20.0


class DaemonGone(ProtocolError):  # noqa: N818 - a fact about the daemon
    """The daemon hung up."""

    def __init__(self) -> None:
        super().__init__("The daemon went away; run the command again, it goes on where it was.")


def connect(path: Path) -> socket.socket | None:
    """Connect to the daemon at *path*; None where there is none, or none for this user."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError, PermissionError):
        connection.close()
        return None
    return connection


def wait_for(path: Path) -> socket.socket:
    """Connect to a daemon at *path* that is coming back; raises DaemonGone when it does not."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if connection := connect(path):
            return connection
        time.sleep(0.1)
    raise DaemonGone


def private(state: Path, path: Path) -> socket.socket:
    """Connect to the private daemon of *state* at *path*, starting it if need be.

    Raises DaemonGone when it was killed as it started, MachineError when it does not start.
    """
    return connect(path) or _start(state, path)


def through_ssh(host: str) -> socket.socket:
    """Start the user's own ssh, whose keys and settings hold, and the bridge at its other end.

    Raises InputError for what is no host, MachineError without ssh.
    """
    if host.startswith("-"):
        raise InputError(f"{host!r} is no host; write it as for ssh, such as user@box.")
    ssh = shutil.which("ssh")
    if ssh is None:
        raise MachineError("ssh is not found; install an OpenSSH client.")
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [ssh, "-T", host, f"{remote_command()} bridge"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            start_new_session=True,  # Ctrl-C is for us to handle
        )
    _let_go(process)
    return ours


def remote_command() -> str:
    """Return what starts this program on another box; ``AUTOTUNE_REMOTE`` overrides it."""
    return os.environ.get("AUTOTUNE_REMOTE", "autotune")


def _start(state: Path, path: Path) -> socket.socket:
    log = locations.make_folder(state) / "daemon.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotuner.daemon", "private", str(state), str(path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and a lost terminal are the client's affair
        )
    deadline = time.monotonic() + _START_S
    try:
        while time.monotonic() < deadline:
            if connection := connect(path):
                return connection
            if (status := process.poll()) and status < 0:
                raise DaemonGone  # somebody killed it
            if status:
                break
            time.sleep(0.01)
    finally:
        _let_go(process)
    raise MachineError(f"The daemon does not start; see {log}.")


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Let *process* outlive us, of which Popen would warn, and leave no zombie if it does not."""
    if process.poll() is None:
        threading.Thread(target=os.waitpid, args=(process.pid, 0), daemon=True).start()
        process.returncode = 0
