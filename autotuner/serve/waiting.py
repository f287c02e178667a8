"""What waits for a free worker: whole batches, and single samples that become batches."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection

import numpy as np
from numpy.typing import NDArray

from autotuner.serve.layout import BatchLayout, concatenated

Arrays = Mapping[str, NDArray[np.generic]]
Answer = dict[str, NDArray[np.generic]]


@dataclass(slots=True, kw_only=True)
class Work:
    """Samples that go to a worker together; *futures* get their answers.

    Several futures get a sample each, one gets them all. *deaths* counts the workers that died
    of it.
    """

    arrays: Arrays
    count: int
    futures: list[Future[Answer]]
    deaths: int = 0


@dataclass(slots=True)
class _Sample:
    arrays: Arrays
    future: Future[Answer] = field(default_factory=Future)
    since_s: float = field(default_factory=time.monotonic)


class WaitingLine:
    """First come, first served; samples wait at most *max_delay_s* for their batch to fill.

    At most *most* samples wait; whoever brings more waits until half of them are gone, so that
    nobody is woken for every batch.
    """

    def __init__(self, layout: BatchLayout, *, max_delay_s: float, most: int) -> None:
        self._layout = layout
        self._max_delay_s = max_delay_s
        self._most = most
        self._batches: deque[Work] = deque()
        self._samples: deque[_Sample] = deque()
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._bells: list[int] = []
        self._closed = False

    @contextmanager
    def bell(self) -> Iterator[int]:
        """Yield the file descriptor with which one of those who take calls :meth:`take_before`."""
        bell = os.eventfd(0)
        with self._lock:
            self._bells.append(bell)
        try:
            yield bell
        finally:
            with self._lock:
                self._bells.remove(bell)
            os.close(bell)

    def add_batch(self, work: Work, timeout_s: float | None) -> bool:
        """Let a whole batch wait; say whether there was room in time."""
        return self._add(lambda: self._batches.append(work), timeout_s)

    def add_sample(self, arrays: Arrays, timeout_s: float | None) -> Future[Answer] | None:
        """Let one sample wait; return None when there was no room in time."""
        sample = _Sample(arrays)
        added = self._add(lambda: self._samples.append(sample), timeout_s)
        return sample.future if added else None

    def put_back(self, works: list[Work]) -> None:
        """Let batches wait again, before all others: their worker died."""
        with self._lock:
            self._batches.extendleft(reversed(works))
            self._work.notify_all()
            self._ring()

    def take(self, *, wait: bool) -> Work | None:
        """Return the next batch; None when nothing waits or, with *wait*, when it is closed."""
        with self._lock:
            while True:
                work, ready_s = self._next()
                if work is not None or not wait or self._closed:
                    return work
                self._work.wait(ready_s)

    def take_before(self, answers: connection.Connection, bell: int) -> Work | None:
        """Return the next batch, waiting for it; None when *answers* can be read or it closes."""
        while True:
            with self._lock:
                work, ready_s = self._next()
                if work is not None or self._closed:
                    return work
            heard = connection.wait([answers, bell], ready_s)
            if answers in heard:
                return None
            if heard:
                os.eventfd_read(bell)

    def close(self) -> list[Work]:
        """Take nothing more in, wake everybody and return what was left."""
        with self._lock:
            self._closed = True
            left = list(self._batches)
            left += [Work(arrays=s.arrays, count=1, futures=[s.future]) for s in self._samples]
            self._batches.clear()
            self._samples.clear()
            self._work.notify_all()
            self._room.notify_all()
            self._ring()
        return left

    def _add(self, add: Callable[[], None], timeout_s: float | None) -> bool:
        with self._lock:
            has_room = self._room.wait_for(
                lambda: self._closed or self._waiting < self._most, timeout_s
            )
            if not has_room:
                return False
            if self._closed:
                raise RuntimeError("The pool is closed.")
            add()
            self._work.notify()
            self._ring()
        return True

    def _ring(self) -> None:
        for bell in self._bells:
            os.eventfd_write(bell, 1)

    @property
    def _waiting(self) -> int:
        """How many samples wait."""
        return len(self._samples) + sum(work.count for work in self._batches)

    def _next(self) -> tuple[Work | None, float | None]:
        """Return the batch that goes now, or after how many seconds to look again."""
        work, ready_s = self._first()
        if work is not None and self._waiting <= self._most // 2:
            self._room.notify_all()
        return work, ready_s

    def _first(self) -> tuple[Work | None, float | None]:
        if self._batches:
            return self._batches.popleft(), None
        if not self._samples:
            return None, None
        left_s = self._samples[0].since_s + self._max_delay_s - time.monotonic()
        size = self._layout.batch_size
        if len(self._samples) < size and left_s > 0 and not self._closed:
            return None, left_s
        taken = [self._samples.popleft() for _ in range(min(size, len(self._samples)))]
        arrays = concatenated([sample.arrays for sample in taken], self._layout.tensors)
        futures = [sample.future for sample in taken]
        return Work(arrays=arrays, count=len(taken), futures=futures), None
