"""Run a platform's command with a deadline, and one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command did: *status* is None when it was ended at its deadline or did not start."""

    status: int | None
    said: str


@contextlib.contextmanager
def alone(path: Path, wait_s: float) -> Iterator[int | None]:
    """Hold the lock of the file at *path* and yield it; None when somebody kept it for *wait_s*.

    A command that inherits the lock keeps it until it ends, also when who started it was killed:
    what comes next must not be overtaken by it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        deadline = time.monotonic() + wait_s
        while not locked(handle):
            if time.monotonic() > deadline:
                yield None
                return
            time.sleep(_POLL_S)
        yield handle
    finally:
        os.close(handle)


def locked(handle: int) -> bool:
    """Take the lock of an open file if nobody else has it; say whether it is held now."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def run(
    command: Sequence[str],
    deadline_s: float,
    *,
    told: str = "",
    inherits: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run *command* with the input *told*, and end it with its children after *deadline_s*.

    *inherits* are file descriptors that it keeps open, *environment* replaces this process' own.
    """
    # Files and not pipes: a child that hangs or stays would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as stdin:
        stdin.write(told.encode())
        stdin.seek(0)
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=output,
                stderr=output,
                pass_fds=inherits,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return Ran(status=None, said=f"{command[0]}: {error.strerror}")
        try:
            status: int | None = process.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Ran(status=None, said=f"it did not end within {deadline_s:g} s")
        output.seek(0)
        return Ran(status=status, said=" ".join(output.read().decode(errors="replace").split()))
