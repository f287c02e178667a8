"""The process of a job as the daemon sees it: lines to it, lines from it, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, Protocol

Word = Literal["cancel", "pause", "resume"]

PAUSED = "paused"
"""What a job says instead of an ending when it ends to go on later; no event of its own."""

LONGEST_EVENT_BYTES = 1 << 26
"""A sweep ends with all of its measurements in one event."""

_LAST_MOMENT_S = 2.0


class JobProcess(Protocol):
    """A running job."""

    def lines(self) -> AsyncIterator[bytes]:
        """Yield what it writes, line by line, until it is gone."""

    def send(self, word: Word) -> None:
        """Tell it something; it may be gone already."""

    async def wait(self) -> str:
        """Wait until it is gone and say how it ended."""

    async def stop(self) -> None:
        """Hang up, and end it when it does not end by itself in a moment."""


class Launcher(Protocol):
    """Starts the processes of jobs."""

    async def start(self, folder: Path, log: Path) -> JobProcess:
        """Start the job in *folder*, what it prints going to *log*. Raises OSError."""


class ChildLauncher:
    """Starts jobs as children of the daemon."""

    async def start(self, folder: Path, log: Path) -> ChildProcess:
        """Start the job; it ends when the daemon does."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "autotuner.daemon.job",
                str(folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                limit=LONGEST_EVENT_BYTES,
            )
        return ChildProcess(process)


class ChildProcess:
    """A job in a child process, spoken to through its standard input and output."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what it writes, line by line."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            yield line

    def send(self, word: Word) -> None:
        """Write *word* to its standard input."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(f"{word}\n".encode())

    async def wait(self) -> str:
        """Return its exit status in words."""
        return f"status {await self._process.wait()}"

    async def stop(self) -> None:
        """Close its standard input, which tells it to end, and kill it after a moment."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _LAST_MOMENT_S)
        except asyncio.TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
