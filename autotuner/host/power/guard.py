"""The process that restores the power state when this one is killed."""

from __future__ import annotations

import select
import subprocess
import sys
from pathlib import Path

from autotuner.host.power.base import PowerError

_START_S = 20.0
_END_S = 60.0


class Guard:
    """A guardian of the journal at *path*; it shares the journal's *lock* and watches a pipe.

    It is ready when this returns. Raises PowerError when it does not start.
    """

    def __init__(self, path: Path, root: Path, lock: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autotuner.host.guardian", str(path), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            start_new_session=True,  # what ends this process' group must not end its guardian
        )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_S)
        if not ready or not self._process.stdout.readline():
            self._process.kill()
            self.dismiss()
            raise PowerError(
                "No power mode is set, because the process that would restore it after a crash "
                "did not start; look for its error above."
            )

    def dismiss(self) -> None:
        """Close the pipe and wait until the guardian has done what is left to do."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
