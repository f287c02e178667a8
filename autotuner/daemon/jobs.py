"""A job: on disk before it is acknowledged, run in a process of its own, its events numbered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from autotuner import durable
from autotuner.core.errors import StateError
from autotuner.core.events import JobFailed, encode_event

_KEPT = 50
_LONGEST_EVENT_BYTES = 1 << 20


class Job:
    """One request and what happened to it; its events are numbered from 0."""

    def __init__(self, folder: Path, submitted: Mapping[str, Any]) -> None:
        self.id = folder.name
        self.submitted = submitted
        self.ended = False
        self._folder = folder
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

    async def run(self) -> None:
        """Run the job to its end; its last event is always an ending."""
        if self._cancelled:
            message = "The job was cancelled before it began."
            await self._add(encode_event(JobFailed(message=message, interrupted=True)), last=True)
            return
        try:
            ending = await self._carry_out()
        except OSError as error:
            message = (
                f"The job in {self._folder} cannot be run: {error.strerror}; mend that, or choose "
                "another folder with AUTOTUNE_STATE_DIR."
            )
            ending = encode_event(JobFailed(message=message))
        await self._add(ending, last=True)

    async def _carry_out(self) -> dict[str, Any]:
        """Run the job's process, tell its events and return the ending."""
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "autotuner.daemon.job",
                str(self._folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LONGEST_EVENT_BYTES,
            )
        assert self._process.stdout is not None
        ending: dict[str, Any] | None = None
        async for line in self._process.stdout:
            event = json.loads(line)
            if event["event"].endswith(("_done", "_failed")) and event["event"] != "trial_done":
                ending = event  # held back until the process is gone and the box is free
            else:
                await self._add(event)
        status = await self._process.wait()
        if ending is None:
            log_path = self._folder / "log"
            message = f"The job's process ended early (status {status}); see {log_path}."
            ending = encode_event(JobFailed(message=message, unexpected=True, log=str(log_path)))
        return ending

    def cancel(self) -> None:
        """Ask the job to end with what it has; asking twice does no harm."""
        self._cancelled = True
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(b"cancel\n")

    async def events(self, first: int) -> AsyncIterator[dict[str, Any]]:
        """Yield the events from number *first* on, those to come included, until the last."""
        number = first
        while True:
            async with self._news:
                while len(self._events) <= number and not self.ended:
                    await self._news.wait()
            for event in self._events[number:]:
                yield event
                number += 1
            if self.ended and number >= len(self._events):
                return

    async def _add(self, event: dict[str, Any], *, last: bool = False) -> None:
        stamped = {"job": self.id, "n": len(self._events), "t": round(time.time(), 3), **event}
        # A full disk costs the record; who listens hears of it all the same.
        with (
            contextlib.suppress(OSError),
            (self._folder / "events.jsonl").open("a", encoding="utf-8") as file,
        ):
            file.write(json.dumps(stamped) + "\n")
        async with self._news:
            self._events.append(stamped)
            self.ended = last
            self._news.notify_all()


class Jobs:
    """The jobs of one state folder, run one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._queue: asyncio.Queue[Job] = asyncio.Queue()

    def __getitem__(self, id_: str) -> Job:
        return self._jobs[id_]

    @property
    def busy(self) -> bool:
        """Whether a job is running or waiting."""
        return any(not job.ended for job in self._jobs.values())

    def submit(self, submitted: Mapping[str, Any]) -> tuple[Job, bool]:
        """Return the job for a request and whether it is new.

        A request that is equal to one under way joins it. Raises StateError when the disk refuses.
        """
        for job in self._jobs.values():
            if not job.ended and job.submitted == submitted:
                return job, False
        folder = self._folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"
        try:
            folder.mkdir(parents=True)
            durable.write(folder / "request.json", json.dumps(submitted).encode())
            self._prune()
        except OSError as error:
            raise StateError(
                f"The job cannot be kept in {folder.parent}: {error.strerror}; "
                "free some space there or choose another folder with AUTOTUNE_STATE_DIR."
            ) from error
        job = Job(folder, submitted)
        self._jobs[job.id] = job
        self._queue.put_nowait(job)
        return job, True

    async def work(self) -> None:
        """Run the jobs as they come, for ever."""
        while True:
            await (await self._queue.get()).run()

    def _prune(self) -> None:
        """Remove the oldest job folders; those of jobs under way are the newest."""
        for old in sorted(self._folder.iterdir())[: -_KEPT - len(self._jobs)]:
            shutil.rmtree(old, ignore_errors=True)
