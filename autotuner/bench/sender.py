"""Waiting requests go to free workers in batches, and the answers come back."""

from __future__ import annotations

import itertools
import selectors
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection

from autotuner.bench.batching import Batching
from autotuner.bench.messages import BatchDone, Refused, RunBatch
from autotuner.bench.pool import Ready
from autotuner.bench.process import GivenUp, WorkerProcess, took_too_long

_TICK_NS = 50_000_000
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class _Sent:
    first: int
    size: int
    at_ns: int


class BatchSender:
    """Sends the requests that are due at *due_ns* to the workers of *ready*, batched as they wait.

    *due_ns* rises and may grow meanwhile; the clock is CLOCK_MONOTONIC. *answered* is told the
    place of a batch's first request, its size and when its answer was here. *check* is called many
    times a second and may raise; besides, WorkerGone and GivenUp are raised. The samples lie in the
    workers already, and outputs stay there.
    """

    def __init__(
        self,
        ready: Ready,
        batching: Batching,
        due_ns: Sequence[int],
        *,
        answered: Callable[[int, int, int], None],
        check: Callable[[], None],
    ) -> None:
        self._ready = ready
        self._batching = batching
        self._due_ns = due_ns
        self._answered = answered
        self._check = check
        self._checked_ns = 0
        self._next = 0
        self._sent: dict[tuple[WorkerProcess, int], _Sent] = {}
        self._free = deque(itertools.product(ready.workers, range(ready.config.streams)))
        # Unlike poll and epoll, select takes a timeout in microseconds.
        self._selector = selectors.SelectSelector()
        for worker in ready.workers:
            worker.busy = True
            take = partial(self._take, worker)
            self._selector.register(worker.connection, selectors.EVENT_READ, take)
        self.batches: list[tuple[int, int]] = []
        """Size of every batch that is done, and how many nanoseconds it kept its worker busy."""

    def listen(self, source: Connection, take: Callable[[], None]) -> None:
        """Call *take* while waiting whenever there is something to read from *source*."""
        self._selector.register(source, selectors.EVENT_READ, take)

    def send_ready(self) -> int:
        """Send every batch that a free worker may take; return the time."""
        while True:
            now_ns = time.monotonic_ns()
            ready_ns = self._ready_ns()
            if ready_ns is None or ready_ns > now_ns:
                return now_ns
            size = self._batching.size(self._due_ns, self._next, now_ns)
            worker, stream = self._free.popleft()
            worker.send(RunBatch(key=self._ready.key, stream=stream, size=size))
            self._sent[worker, stream] = _Sent(self._next, size, now_ns)
            self._next += size

    def wait(self, until_ns: float) -> None:
        """Take the answers that come before *until_ns* or before there is something to send."""
        now_ns = time.monotonic_ns()
        ready_ns = self._ready_ns()
        wake_ns = min(until_ns, now_ns + _TICK_NS, until_ns if ready_ns is None else ready_ns)
        for key, _ in self._selector.select(max(0.0, (wake_ns - now_ns) / _NS_PER_S)):
            key.data()
        if now_ns - self._checked_ns >= _TICK_NS:
            self._checked_ns = now_ns
            self._check()
            self._look_for_stalls(now_ns)

    def finish(self) -> None:
        """Send nothing more and wait for the batches that are on their way."""
        self._free.clear()
        while self._sent:
            self.wait(time.monotonic_ns() + _TICK_NS)

    def oldest_open(self) -> int:
        """Return the place of the oldest request without an answer."""
        return min([self._next, *(sent.first for sent in self._sent.values())])

    def _ready_ns(self) -> int | None:
        """Return when a free worker may take the next batch; None when none may for now."""
        if not self._free or self._next >= len(self._due_ns):
            return None
        return self._batching.ready_ns(self._due_ns, self._next)

    def _take(self, worker: WorkerProcess) -> None:
        message = worker.receive()
        now_ns = time.monotonic_ns()
        if isinstance(message, Refused):
            raise GivenUp(message.failed)
        assert isinstance(message, BatchDone)
        sent = self._sent.pop((worker, message.stream))
        self.batches.append((sent.size, now_ns - sent.at_ns))
        self._free.append((worker, message.stream))
        self._answered(sent.first, sent.size, now_ns)

    def _look_for_stalls(self, now_ns: int) -> None:
        oldest_ns = min((sent.at_ns for sent in self._sent.values()), default=now_ns)
        if now_ns - oldest_ns > self._ready.stall_s * _NS_PER_S:
            raise took_too_long("to run a batch", self._ready.stall_s)
