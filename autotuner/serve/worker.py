"""A serving worker: ``python -m autotuner.serve.worker CONNECTION MEMORY BACKEND``.

It ends when the pool does.
"""

from __future__ import annotations

import mmap
import os
import queue
import sys
import threading
from collections.abc import Mapping
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from autotuner import backends
from autotuner.backends.base import BackendFailure
from autotuner.backends.lane import Lane, open_lanes
from autotuner.child import tie_to_parent
from autotuner.core.outcome import Failed
from autotuner.serve.messages import Feed, FromServer, Open, Opened, Outputs, Refused, Unopened


def main() -> None:
    """Open the model that the first message names, then answer feeds until nobody is there."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    backend = backends.load(sys.argv[3])
    try:
        asked: Open = connection.recv()
        try:
            server = _Server(asked, backend, int(sys.argv[2]), connection)
        except BackendFailure as failure:
            connection.send(Unopened(failed=Failed(failure.reason, failure.detail)))
            return
        connection.send(Opened())
        while True:
            server.take(connection.recv())
    except (EOFError, ConnectionError):
        return


class _Server:
    """The sessions, and the slots from which whichever is idle is fed."""

    def __init__(
        self, asked: Open, backend: backends.Backend, memory: int, connection: Connection
    ) -> None:
        if asked.cpus:
            os.sched_setaffinity(0, asked.cpus)  # before the session, whose threads inherit it
        layout = asked.layout
        shared = memoryview(mmap.mmap(memory, layout.slot_bytes * asked.slots))
        self._whole_batches = asked.whole_batches
        self._batched = frozenset(tensor.name for tensor in layout.tensors if tensor.batched)
        self._size = layout.batch_size
        self._slots = [layout.views(shared, slot) for slot in range(asked.slots)]
        self._connection = connection
        self._sending = threading.Lock()
        self._idle: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        lanes = open_lanes(
            lambda: backend.open(asked.model, asked.config, layout.shapes), asked.config.streams
        )
        for lane in lanes:
            # Twice where there are several: by then all graphs are captured, one after the other.
            for _ in range(min(2, len(lanes))):
                lane.do(partial(lane.session.run, self._slots[0]))
            self._idle.put(lane)

    def take(self, feed: Feed) -> None:
        """Have *feed* answered as soon as a session is idle."""
        lane = self._idle.get()
        lane.begin(partial(self._serve, lane, feed))

    def _serve(self, lane: Lane, feed: Feed) -> None:
        answer = self._answer(lane, feed)
        self._idle.put(lane)
        with self._sending:
            self._connection.send(answer)

    def _answer(self, lane: Lane, feed: Feed) -> FromServer:
        """Return what the model says to *feed*; what a runtime raises costs this batch alone."""
        try:
            outputs = lane.session.run(self._feeds(feed))
        except BackendFailure as failure:
            return Refused(slot=feed.slot, failed=Failed(failure.reason, failure.detail))
        except Exception as error:  # noqa: BLE001 - the pool tells it to whoever asked
            failed = Failed("crashed", f"{type(error).__name__}: {error}")
            return Refused(slot=feed.slot, failed=failed)
        if self._whole_batches and feed.count < self._size:
            outputs = [_first(array, feed.count, self._size) for array in outputs]
        return Outputs(slot=feed.slot, arrays=tuple(outputs))

    def _feeds(self, feed: Feed) -> Mapping[str, Any]:
        arrays = self._slots[feed.slot]
        if self._whole_batches or feed.count == self._size:
            return arrays  # what lies behind the last sample is answered too, and dropped
        return {n: a[: feed.count] if n in self._batched else a for n, a in arrays.items()}


def _first(array: Any, count: int, size: int) -> Any:
    return array[:count] if array.ndim and len(array) == size else array


if __name__ == "__main__":
    main()
