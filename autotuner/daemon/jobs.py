"""A job under way: its process, its state, and its events for whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any, Literal

from autotuner.core.errors import StateError
from autotuner.core.events import ENDINGS, JobFailed, encode_event
from autotuner.daemon.process import PAUSED, JobProcess, Launcher
from autotuner.daemon.record import JobRecord, Submitted, Wishes

State = Literal["queued", "running", "paused", "ended"]

OUR_TURN_S = 1.0
"""Whoever ends a job may be about to end the daemon, as a service manager is: no failure then."""


class Job:
    """One job; *changed* is called whenever its state does.

    Its events stay in memory while it is under way, so that a full disk costs the record only.
    """

    def __init__(self, record: JobRecord, launcher: Launcher, changed: Callable[[], None]) -> None:
        self.record = record
        self.state: State = "queued"
        self.trial: dict[str, Any] | None = None
        """The last event that told of a finished trial, while the job is under way."""
        if record.ended:
            self.state = "ended"
        elif record.wishes.paused:
            self.state = "paused"
        self._held = False
        self._abandoned = record.wishes.cancelled  # its daemon died before it could conclude
        self._launcher = launcher
        self._changed = changed
        self._events: list[dict[str, Any]] | None = None if record.ended else record.events()
        self._news = asyncio.Condition()
        self._process: JobProcess | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        """The job's name."""
        return self.record.id

    def serves(self, submitted: Submitted) -> bool:
        """Say whether the job will answer *submitted* too."""
        same = self.record.submitted.asks_the_same_as(submitted)
        return same and self.state != "ended" and not self._cancelled

    @property
    def alive(self) -> bool:
        """Whether its process runs, be it paused."""
        return self._task is not None and self.state != "ended"

    def run(self) -> None:
        """Start the queued job, or let it go on."""
        self._become("running")
        if self._task is None:
            self._task = asyncio.create_task(self._live())
        elif self._process is not None:
            self._process.send("resume")

    def cancel(self) -> None:
        """Ask the job to end with what it has; asking twice does no harm."""
        if self.state == "ended":
            return
        self._wish(Wishes(cancelled=True))
        if self._process is not None:
            self._process.send("cancel")
        elif self._task is None:
            self.run()  # which ends it

    def pause(self) -> None:
        """Stop the job after the trial in hand. Raises StateError when it has ended."""
        self._refuse_when_ended("paused")
        self._wish(replace(self.record.wishes, paused=True))
        if self._process is not None:
            self._process.send("pause")
        self._become("paused")

    def resume(self) -> None:
        """Put a paused job back into the queue. Raises StateError when it has ended."""
        self._refuse_when_ended("resumed")
        if self.state == "paused":
            self._held = False
            self._wish(replace(self.record.wishes, paused=False))
            self._become("queued")

    def hold(self) -> None:
        """Let a job of an earlier daemon wait until somebody asks for it."""
        if self.state == "queued" and not self._abandoned:
            self._held, self.state = True, "paused"

    def release(self) -> None:
        """Let a job that was held go on; one that somebody paused stays so."""
        if self._held and self.state == "paused":
            self._held = False
            self._become("queued")

    async def stop(self) -> None:
        """End the process; the next daemon goes on with the job."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None:
            await self._process.stop()

    async def events(self, first: int) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the events from number *first* on, those to come included, until the last."""
        if self._events is None:
            for event in await asyncio.to_thread(self.record.events):
                if event["n"] >= first:
                    yield event
            return
        events, told = self._events, 0
        while True:
            async with self._news:
                while len(events) <= told and self.state != "ended":
                    await self._news.wait()
            for event in events[told:]:
                told += 1
                if event["n"] >= first:
                    yield event
            if self.state == "ended" and told >= len(events):
                return

    async def _live(self) -> None:
        """Run the job to its end, whose last event is always an ending, or until it is paused."""
        if self._cancelled and (self._abandoned or not self.record.next_number):
            message = "The job was cancelled before it had a result."
            ending: dict[str, Any] | None = encode_event(
                JobFailed(message=message, interrupted=True)
            )
        else:
            try:
                ending = await self._carry_out()
            except OSError as error:
                message = (
                    f"The job in {self.record.folder} cannot be run: {error.strerror}; mend that, "
                    "or choose another folder with AUTOTUNE_STATE_DIR."
                )
                ending = encode_event(JobFailed(message=message))
            except ValueError as error:  # whoever follows the job must hear of its end all the same
                ending = await self._misunderstood(error)
        if ending is None:
            self._task = None
            self._become("paused" if self.record.wishes.paused else "queued")
            return
        await self._add(ending, last=True)
        self._events = self.trial = None  # whoever asks from now on reads them from the disk
        self._changed()

    async def _carry_out(self) -> dict[str, Any] | None:
        """Run the job's process, tell its events and return the ending, None when it paused."""
        process = await self._launcher.start(self.record.folder, self.record.log)
        self._process = process
        if self.record.wishes.paused:  # while it started
            process.send("pause")
        if self._cancelled:
            process.send("cancel")
        ending: dict[str, Any] | None = None
        paused = False
        async for line in process.lines():
            event = json.loads(line)
            if event["event"] in ENDINGS:
                ending = event  # held back until the process is gone and the box is free
            elif event["event"] == PAUSED:
                paused = True
            else:
                await self._add(event)
        how = await process.wait()
        self._process = None
        if ending is None and not paused:
            await asyncio.sleep(OUR_TURN_S)
            log = self.record.log
            message = f"The job's process ended early ({how}); see {log}."
            ending = encode_event(JobFailed(message=message, unexpected=True, log=str(log)))
        return ending

    async def _misunderstood(self, error: ValueError) -> dict[str, Any]:
        """End a process whose words cannot be read and return the ending of the job."""
        if self._process is not None:
            await self._process.stop()
            self._process = None
        log = self.record.log
        message = f"The job said something that cannot be read ({error}); see {log}."
        return encode_event(JobFailed(message=message, unexpected=True, log=str(log)))

    @property
    def _cancelled(self) -> bool:
        return self.record.wishes.cancelled

    async def _add(self, event: dict[str, Any], *, last: bool = False) -> None:
        stamped = self.record.stamp(event)
        # A full disk costs the record; who listens hears of it all the same.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self.record.append, stamped)
        assert self._events is not None
        if event["event"] == "trial_done":
            self.trial = stamped
        async with self._news:
            self._events.append(stamped)
            if last:
                self.record.ended = True
                self.state = "ended"
            self._news.notify_all()

    def _wish(self, wishes: Wishes) -> None:
        # A full disk makes the wish forgotten at a crash, not now.
        self.record.wishes = wishes
        with contextlib.suppress(OSError):
            self.record.wish(wishes)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed()

    def _refuse_when_ended(self, what: str) -> None:
        if self.state == "ended":
            raise StateError(f"The job {self.id} has ended and cannot be {what}; start it again.")
