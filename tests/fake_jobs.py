"""Jobs without processes: what a job says is a script of its test."""

from __future__ import annotations

import asyncio
import contextlib
import json

from autotuner.core.events import MeasureDone, Note, encode_event
from autotuner.core.outcome import Failed
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.record import Submitted

END = encode_event(
    MeasureDone(model="net", config={}, outcome=Failed("oom"), elapsed_s=1.0)  # type: ignore[arg-type]
)


def note(text):
    """Return an event of a job, as plain data."""
    return encode_event(Note(text=text))


def submitted(kind="measure", priority=0, at=0.0, **request):
    """Return a request as it is handed in."""
    return Submitted(kind=kind, request=request, priority=priority, submitted=at)


class FakeProcess:
    """A job that says what the test makes it say, and remembers what it was told."""

    def __init__(self):
        self.told = []
        self.stopped = False
        self._said = asyncio.Queue()

    def say(self, *events):
        """Let the job write *events*, bytes as they are; None is its end."""
        for event in events:
            self._said.put_nowait(event)

    async def lines(self):
        """Yield what the job says."""
        while (event := await self._said.get()) is not None:
            yield event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"

    def send(self, word):
        """Remember what the job was told."""
        self.told.append(word)

    async def wait(self):
        """Say how it ended."""
        return "status 0"

    async def stop(self):
        """Remember that it was stopped."""
        self.stopped = True


class FakeLauncher:
    """Starts fake jobs; *started* has them by the name of their folder, in order."""

    def __init__(self):
        self.started = {}

    async def start(self, folder, log):
        """Start a job that waits for its script."""
        del log
        self.started[folder.name] = FakeProcess()
        return self.started[folder.name]


@contextlib.asynccontextmanager
async def working(folder, *, hold=False, **limits):
    """Run a queue over *folder* and yield it with its launcher; leave as a killed daemon does."""
    launcher = FakeLauncher()
    queue = JobQueue(folder, launcher, hold=hold, **limits)
    work = asyncio.create_task(queue.work())
    try:
        yield queue, launcher
    finally:
        work.cancel()
        await queue.stop()


async def until(condition):
    """Let the others work until *condition* holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


async def told(job, first=0):
    """Return all events of a job that ends."""
    return [event async for event in job.events(first)]
