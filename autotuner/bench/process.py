"""One worker process as the harness sees it: started, spoken to, ended, and what its end meant."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from autotuner.bench.messages import FromWorker, Hello, ToWorker
from autotuner.core.outcome import Failed

_TAIL_CHARACTERS = 500


class WorkerGone(Exception):  # noqa: N818 - a fact about a worker, not an error of ours
    """The worker process has ended or hung up."""

    def __init__(self, worker: WorkerProcess) -> None:
        super().__init__(f"worker {worker.pid} is gone")
        self.worker = worker


class GivenUp(Exception):  # noqa: N818 - carries a value up to where it is returned
    """The trial is over without a measurement, for the reason *failed*."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.detail)
        self.failed = failed


def took_too_long(what: str, limit_s: float) -> GivenUp:
    """Return what to raise when a worker needs more than *limit_s* to do *what*."""
    return GivenUp(Failed("timeout", f"a worker took more than {limit_s:.0f} s {what}"))


class WorkerProcess:
    """A running worker; it dies with this process and has its environment, or *environment*."""

    def __init__(self, backend: str, environment: Mapping[str, str] | None = None) -> None:
        ours, theirs = socket.socketpair()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the worker
        self._oom_kills = _oom_kills()
        self.busy = False
        self._started = time.monotonic()
        self.start_s: float | None = None
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autotuner.bench.worker", str(theirs.fileno()), backend],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._stderr,
                stderr=self._stderr,
                env=environment,
            )
        self.connection = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def send(self, message: ToWorker) -> None:
        """Send *message*; raises WorkerGone when nobody is there."""
        try:
            self.connection.send(message)
        except OSError as error:
            raise WorkerGone(self) from error

    def receive(self) -> FromWorker:
        """Return the next message, waiting for it; raises WorkerGone when none will come."""
        try:
            message: FromWorker = self.connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerGone(self) from error
        if isinstance(message, Hello):
            self.start_s = time.monotonic() - self._started
        return message

    def kill(self) -> None:
        """End the process at once; ending it twice does no harm."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self.connection.close()
        self._stderr.close()

    def obituary(self) -> Failed:
        """Say why the worker ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        code, said = self._process.returncode, self._last_words()
        if code == -signal.SIGKILL and _oom_kills() > self._oom_kills:
            return Failed("oom", "the kernel ended a worker because memory ran out")
        if code is not None and code < 0:
            how = f"a worker was ended by {signal.Signals(-code).name}"
        else:
            how = f"a worker ended with status {code}"
        return Failed("crashed", f"{how}: {said}" if said else how)

    def _last_words(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _TAIL_CHARACTERS))
        text = self._stderr.read().decode(errors="replace")
        return " ".join(text.split())[-_TAIL_CHARACTERS:]


def _oom_kills() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
