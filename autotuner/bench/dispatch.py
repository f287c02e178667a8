"""The open loop: requests go to the workers when they are due, whatever became of earlier ones."""

from __future__ import annotations

import math
import selectors
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotuner.bench.batching import Batching
from autotuner.bench.messages import BatchDone, Refused, RunBatch
from autotuner.bench.pool import Ready
from autotuner.bench.process import GivenUp, WorkerProcess, took_too_long
from autotuner.bench.record import Slice

_TICK_NS = 50_000_000
_NS_PER_MS = 1e6
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class _Sent:
    first: int
    size: int
    at_ns: int


class Dispatcher:
    """Serves the requests that are due at *due_ns*, rising, with the workers of *ready*.

    The clock is CLOCK_MONOTONIC. A request's latency runs from when it was due until its answer is
    here, so that whatever holds it up counts: no free worker, a worker that stalls, or this very
    process. *check* is called many times a second and may raise; besides, WorkerGone and GivenUp
    are raised. The samples lie in the workers already, and outputs stay there.
    """

    def __init__(
        self,
        ready: Ready,
        batching: Batching,
        due_ns: NDArray[np.int64],
        *,
        check: Callable[[], None],
    ) -> None:
        self._ready = ready
        self._batching = batching
        self._due = due_ns
        self._due_ns: list[int] = due_ns.tolist()
        self._answered_ns = np.zeros_like(due_ns)  # 0: not answered yet
        self._check = check
        self._checked_ns = 0
        self._next = 0
        self._sent: dict[WorkerProcess, _Sent] = {}
        self._free = deque(ready.workers)
        # Unlike poll and epoll, select takes a timeout in microseconds.
        self._selector = selectors.SelectSelector()
        for worker in ready.workers:
            worker.busy = True
            self._selector.register(worker.connection, selectors.EVENT_READ, worker)
        self.batches: list[tuple[int, int]] = []
        """Size of every batch that is done, and how many nanoseconds it kept its worker busy."""

    def serve_until(self, moment_ns: int) -> int:
        """Serve until *moment_ns*; return the time then, which may be later."""
        while (now_ns := self._send_ready()) < moment_ns:
            self._wait(moment_ns)
        return now_ns

    def serve_all(self, end_ns: int, deadline_ns: float = math.inf) -> None:
        """Serve until all requests due before *end_ns* are answered, or it is *deadline_ns*."""
        while self.oldest_open_ns(end_ns) < end_ns and self._send_ready() < deadline_ns:
            self._wait(deadline_ns)

    def finish(self) -> None:
        """Send nothing more and wait for the batches that are on their way."""
        self._free.clear()
        while self._sent:
            self._wait(time.monotonic_ns() + _TICK_NS)

    def oldest_open_ns(self, now_ns: int) -> int:
        """Return when the oldest request without an answer was due, *now_ns* when there is none."""
        first = min([self._next, *(sent.first for sent in self._sent.values())])
        return min(now_ns, self._due_ns[first]) if first < len(self._due_ns) else now_ns

    def requests(self, begin_ns: int, end_ns: int) -> Slice:
        """Return the requests due from *begin_ns* on and before *end_ns*, in order of arrival.

        One without an answer counts with what it has waited by now. A cycle is the time from one
        answer to the next, from *begin_ns* on.
        """
        first, last = np.searchsorted(self._due, [begin_ns, end_ns])
        answered = self._answered_ns[first:last]
        ends = np.where(answered > 0, answered, time.monotonic_ns())
        answers = np.sort(self._answered_ns[:last])
        cycles = np.diff(answers[answers >= begin_ns], prepend=begin_ns)
        return Slice((ends - self._due[first:last]) / _NS_PER_MS, cycles / _NS_PER_S)

    def unanswered(self, begin_ns: int, end_ns: int) -> int:
        """Return how many of these requests have no answer."""
        first, last = np.searchsorted(self._due, [begin_ns, end_ns])
        return int((self._answered_ns[first:last] == 0).sum())

    def _ready_ns(self) -> int | None:
        """Return when a free worker may take the next batch; None when none may for now."""
        if not self._free or self._next >= len(self._due_ns):
            return None
        return self._batching.ready_ns(self._due_ns, self._next)

    def _send_ready(self) -> int:
        """Send every batch that a free worker may take; return the time."""
        while True:
            now_ns = time.monotonic_ns()
            ready_ns = self._ready_ns()
            if ready_ns is None or ready_ns > now_ns:
                return now_ns
            size = self._batching.size(self._due_ns, self._next, now_ns)
            worker = self._free.popleft()
            worker.send(RunBatch(key=self._ready.key, size=size))
            self._sent[worker] = _Sent(self._next, size, now_ns)
            self._next += size

    def _wait(self, until_ns: float) -> None:
        """Take the answers that come before *until_ns* or before there is something to send."""
        now_ns = time.monotonic_ns()
        ready_ns = self._ready_ns()
        wake_ns = min(until_ns, now_ns + _TICK_NS, until_ns if ready_ns is None else ready_ns)
        for key, _ in self._selector.select(max(0.0, (wake_ns - now_ns) / _NS_PER_S)):
            self._take(key.data)
        if now_ns - self._checked_ns >= _TICK_NS:
            self._checked_ns = now_ns
            self._check()
            self._look_for_stalls(now_ns)

    def _take(self, worker: WorkerProcess) -> None:
        message = worker.receive()
        now_ns = time.monotonic_ns()
        if isinstance(message, Refused):
            raise GivenUp(message.failed)
        assert isinstance(message, BatchDone)
        sent = self._sent.pop(worker)
        self._answered_ns[sent.first : sent.first + sent.size] = now_ns
        self.batches.append((sent.size, now_ns - sent.at_ns))
        self._free.append(worker)

    def _look_for_stalls(self, now_ns: int) -> None:
        oldest_ns = min((sent.at_ns for sent in self._sent.values()), default=now_ns)
        if now_ns - oldest_ns > self._ready.stall_s * _NS_PER_S:
            raise took_too_long("to run a batch", self._ready.stall_s)
