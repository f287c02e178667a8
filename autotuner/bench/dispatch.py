"""The open loop: requests go to the workers when they are due, whatever became of earlier ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from autotuner.bench.batching import Batching
from autotuner.bench.pool import Ready
from autotuner.bench.record import Slice
from autotuner.bench.sender import BatchSender

_NS_PER_MS = 1e6
_NS_PER_S = 1e9


class Dispatcher:
    """Serves the requests that are due at *due_ns*, rising, with the workers of *ready*.

    The clock is CLOCK_MONOTONIC. A request's latency runs from when it was due until its answer is
    here, so that whatever holds it up counts: no free worker, a worker that stalls, or this very
    process. *check* is called many times a second and may raise; besides, WorkerGone and GivenUp
    are raised.
    """

    def __init__(
        self,
        ready: Ready,
        batching: Batching,
        due_ns: NDArray[np.int64],
        *,
        check: Callable[[], None],
    ) -> None:
        self._due = due_ns
        self._due_ns: list[int] = due_ns.tolist()
        self._answered_ns = np.zeros_like(due_ns)  # 0: not answered yet
        self._sender = BatchSender(
            ready, batching, self._due_ns, answered=self._answer, check=check
        )

    @property
    def batches(self) -> list[tuple[int, int]]:
        """Size of every batch that is done, and how many nanoseconds it kept its worker busy."""
        return self._sender.batches

    def serve_until(self, moment_ns: int) -> int:
        """Serve until *moment_ns*; return the time then, which may be later."""
        while (now_ns := self._sender.send_ready()) < moment_ns:
            self._sender.wait(moment_ns)
        return now_ns

    def serve_all(self, end_ns: int, deadline_ns: float = math.inf) -> None:
        """Serve until all requests due before *end_ns* are answered, or it is *deadline_ns*."""
        while self.oldest_open_ns(end_ns) < end_ns and self._sender.send_ready() < deadline_ns:
            self._sender.wait(deadline_ns)

    def finish(self) -> None:
        """Send nothing more and wait for the batches that are on their way."""
        self._sender.finish()

    def oldest_open_ns(self, now_ns: int) -> int:
        """Return when the oldest request without an answer was due, *now_ns* when there is none."""
        first = self._sender.oldest_open()
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

    def _answer(self, first: int, size: int, now_ns: int) -> None:
        self._answered_ns[first : first + size] = now_ns
