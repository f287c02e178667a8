"""NVIDIA's MPS control program as far as it is used: a daemon behind a socket, and who talks to it.

It behaves as the real one does: ``-d`` leaves a daemon behind unless one runs already, without an
option commands come from standard input, ``quit`` ends the daemon. With ``MPS_FAULT`` set to
``start`` no daemon starts, as where the GPU is not to be had.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

NAME = "nvidia-cuda-mps-control"
PIPES = "CUDA_MPS_PIPE_DIRECTORY"
PID_FILE = f"{NAME}.pid"
NOBODY = "Cannot find MPS control daemon process"
SERVER_PID = "4711"


def install(folder):
    """Put the program into *folder*, which is made."""
    folder.mkdir()
    program = folder / NAME
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {__file__} "$@"\n')
    program.chmod(0o755)


def daemon_of(pipes):
    """Return the number of the daemon whose pipes are in *pipes*, None when none runs."""
    try:
        pid = int((Path(pipes) / PID_FILE).read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _fail(why):
    sys.stdout.write(f"{why}\n")
    return 1


def _connected():
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect("control")
    except OSError:
        return None
    return connection


def _serve(listening):
    while True:
        connection, _ = listening.accept()
        with connection, connection.makefile("rw") as lines:
            command = lines.readline().strip()
            if command == "get_server_list":
                lines.write(f"{SERVER_PID}\n")
            if command == "quit":
                Path("control").unlink()
                Path(PID_FILE).unlink()
                return


def _start():
    if os.environ.get("MPS_FAULT") == "start":
        return _fail("Failed to start the MPS control daemon")
    if _connected():
        return _fail("An instance of this daemon is already running")
    Path("control").unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("control")
    listening.listen()
    if os.fork():
        return 0
    os.setsid()
    Path(PID_FILE).write_text(str(os.getpid()))
    _serve(listening)
    return 0


def _talk():
    for command in sys.stdin:
        connection = _connected()
        if connection is None:
            return _fail(NOBODY)
        with connection, connection.makefile("rw") as lines:
            lines.write(command)
            lines.flush()
            sys.stdout.write(lines.read())
    return 0


if __name__ == "__main__":
    pipes = Path(os.environ.get(PIPES, "/nonexistent"))
    if not pipes.is_dir():
        sys.exit(_fail(NOBODY))
    os.chdir(pipes)  # a socket's path must be short
    sys.exit(_start() if sys.argv[1:] == ["-d"] else _talk())
