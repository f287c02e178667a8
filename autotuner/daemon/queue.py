"""The jobs of a box: kept over restarts, run one after the other by priority."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from autotuner.core.errors import InputError, StateError
from autotuner.daemon.jobs import Job
from autotuner.daemon.process import Launcher
from autotuner.daemon.record import JobRecord, Submitted


class JobQueue:
    """The jobs in one folder.

    What an earlier daemon left unfinished goes on; with *hold* it waits until it is resumed or
    asked for again. At most *most_queued* jobs wait; of those that have ended the oldest are
    forgotten beyond *most_kept* jobs. *notes* says what the owner of the box should know.
    """

    def __init__(
        self,
        folder: Path,
        launcher: Launcher,
        *,
        hold: bool,
        most_queued: int = 100,
        most_kept: int = 50,
    ) -> None:
        self.notes: list[str] = []
        self._most_queued = most_queued
        self._most_kept = most_kept
        self._folder = folder
        self._launcher = launcher
        self._change = asyncio.Event()
        self._jobs: dict[str, Job] = {}
        for record in sorted(self._recovered(), key=lambda record: record.submitted.submitted):
            job = self._known(record)
            if hold:
                job.hold()

    def __getitem__(self, id_: str) -> Job:
        """Return the job called *id_*; raises InputError when there is none."""
        if id_ not in self._jobs:
            raise InputError(f"There is no job {id_!r}; `autotune jobs` lists them.")
        return self._jobs[id_]

    def __iter__(self) -> Iterator[Job]:
        """Return the jobs, the newest last."""
        return iter(list(self._jobs.values()))

    @property
    def running(self) -> Job | None:
        """The job that has the box, if any."""
        return next((job for job in self if job.state == "running"), None)

    @property
    def busy(self) -> bool:
        """Whether a job is running or waiting for its turn, or is paused in mid-run."""
        return any(job.state in {"queued", "running"} or job.alive for job in self)

    def submit(self, submitted: Submitted) -> tuple[Job, bool]:
        """Return the job for a request and whether it is new.

        A request that is equal to one under way joins it, unless that is being cancelled. Raises
        StateError when too many wait and when the disk refuses.
        """
        for job in self:
            if job.serves(submitted):
                job.resume()
                return job, False
        if sum(job.state in {"queued", "paused"} for job in self) >= self._most_queued:
            raise StateError(
                f"{self._most_queued} jobs wait already; cancel some (`autotune jobs` lists them)."
            )
        try:
            record = JobRecord.create(self._folder, submitted)
        except OSError as error:
            raise StateError(
                f"The job cannot be kept in {self._folder}: {error.strerror}; "
                "free some space there or choose another folder with AUTOTUNE_STATE_DIR."
            ) from error
        job = self._known(record)
        self._prune()
        self._change.set()
        return job, True

    async def work(self) -> None:
        """Give the box to one job after the other, for ever."""
        while True:
            self._change.clear()
            if self.running is None and (job := self._next()):
                job.run()
            await self._change.wait()

    async def stop(self) -> None:
        """End what runs; the next daemon goes on with it."""
        for job in self:
            await job.stop()

    def _next(self) -> Job | None:
        """Return the queued job of the highest priority, the oldest of these."""
        queued = (job for job in self if job.state == "queued")
        return max(queued, key=lambda job: job.record.submitted.priority, default=None)

    def _known(self, record: JobRecord) -> Job:
        job = Job(record, self._launcher, self._change.set)
        self._jobs[job.id] = job
        return job

    def _recovered(self) -> Iterator[JobRecord]:
        folders = list(self._folder.iterdir()) if self._folder.is_dir() else []
        for folder in folders:
            if not (folder / "request.json").is_file():
                shutil.rmtree(folder, ignore_errors=True)  # never acknowledged
                continue
            try:
                yield JobRecord.read(folder)
            except (StateError, OSError) as error:
                self.notes.append(f"{error} It was moved aside.")
                aside = self._folder.parent / "damaged"
                with contextlib.suppress(OSError):
                    aside.mkdir(exist_ok=True)
                    folder.rename(aside / folder.name)

    def _prune(self) -> None:
        """Forget the oldest jobs that have ended."""
        ended = [job for job in self if job.state == "ended"]
        for job in ended[: max(0, len(self._jobs) - self._most_kept)]:
            del self._jobs[job.id]
            shutil.rmtree(job.record.folder, ignore_errors=True)
