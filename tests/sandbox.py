"""The program in a home of its own: what a test starts there ends with the test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

AUTOTUNE = Path(sys.executable).parent / "autotune"
QUICK = ("--percentile", "50", "--confidence", "0.5", "--providers", "onnxruntime-cpu")
"""What is shown soon, also on a busy box: one runtime, and a final round of few batches."""
FEW = ("--workers", "1", "--threads", "1", "--affinity", "none", "--batch-sizes")
"""So few configurations that a run ends soon, to be followed by batch sizes.

Of the trivial model one of 16 is much faster than the default, so the final round is short, too.
"""
PATIENCE_S = 120.0
"""How long what has to happen may take on a busy box."""


@dataclass(frozen=True)
class Sandbox:
    """A folder for state, caches and the lock; processes are known by that state folder."""

    home: Path

    @property
    def state(self):
        """The state folder."""
        return self.home / "state"

    @property
    def environment(self):
        """The environment of every process in the sandbox."""
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOTUNE_", "XDG_"))}
        return {
            **outside,
            "AUTOTUNE_STATE_DIR": str(self.state),
            "AUTOTUNE_CACHE_DIR": str(self.home / "cache"),
            "AUTOTUNE_LOCK": str(self.home / "lock"),
            "COLUMNS": "200",
        }

    def start(self, *arguments, prefix=(), environment=(), **options):
        """Start the command in a session of its own, its output in pipes.

        *prefix* is a command that starts it, *environment* are further variables.
        """
        settings = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "cwd": self.home,
            "start_new_session": True,
        }
        command = [*prefix, AUTOTUNE, *map(str, arguments)]
        environment = {**self.environment, **dict(environment)}
        return subprocess.Popen(command, env=environment, **settings | options)

    def run(self, *arguments, timeout_s=120, **options):
        """Run the command to its end and return what it did."""
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def processes(self):
        """Return the living processes of the sandbox: commands, daemons, jobs and workers."""
        marker = f"AUTOTUNE_STATE_DIR={self.state}".encode()
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
                if marker in environment and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def left(self):
        """Wait for the end of every process of the sandbox; return those that do not end."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.processes()) and time.monotonic() < deadline:
            psutil.wait_procs(found, timeout=0.05)
        return found

    def kill(self):
        """End every process of the sandbox as ``kill -9`` does, until none is left."""
        while processes := self.processes():
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.01)

    def events(self):
        """Return the events of every job, the oldest job first; a torn last line does not count."""
        files = sorted(self.state.glob("jobs/*/events.jsonl"))
        lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def wait_for(self, name, count=1, *, timeout_s=PATIENCE_S, **fields):
        """Wait until so many events called *name* with these *fields* were written; return them."""
        deadline = time.monotonic() + timeout_s
        wanted = {"event": name, **fields}.items()
        while time.monotonic() < deadline:
            found = [event for event in self.events() if wanted <= event.items()]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise TimeoutError(f"no {count} events {name!r} came; there are {self.events()}")
