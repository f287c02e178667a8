"""A serving worker: ``python -m autotuner.serve.worker CONNECTION MEMORY BACKEND``.

It ends when the pool does.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from autotuner import backends
from autotuner.backends.base import BackendFailure, Session
from autotuner.child import tie_to_parent
from autotuner.core.outcome import Failed
from autotuner.serve.messages import Feed, FromServer, Open, Opened, Outputs, Refused


def main() -> None:
    """Open the model that the first message names, then answer feeds until nobody is there."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    backend = backends.load(sys.argv[3])
    try:
        asked: Open = connection.recv()
        try:
            server = _Server(asked, backend, int(sys.argv[2]))
        except BackendFailure as failure:
            connection.send(Refused(failed=Failed(failure.reason, failure.detail)))
            return
        connection.send(Opened())
        while True:
            connection.send(server.answer(connection.recv()))
    except (EOFError, ConnectionError):
        return


class _Server:
    """One session and the slots from which it is fed."""

    def __init__(self, asked: Open, backend: backends.Backend, memory: int) -> None:
        if asked.cpus:
            os.sched_setaffinity(0, asked.cpus)  # before the session, whose threads inherit it
        layout = asked.layout
        shared = memoryview(mmap.mmap(memory, layout.slot_bytes * asked.slots))
        self._whole_batches = asked.whole_batches
        self._batched = frozenset(tensor.name for tensor in layout.tensors if tensor.batched)
        self._size = layout.batch_size
        self._slots = [layout.views(shared, slot) for slot in range(asked.slots)]
        self._session: Session = backend.open(asked.model, asked.config, layout.shapes)
        self._session.run(self._slots[0])

    def answer(self, feed: Feed) -> FromServer:
        """Return what the model says to *feed*; what a runtime raises costs this batch alone."""
        try:
            outputs = self._session.run(self._feeds(feed))
        except BackendFailure as failure:
            return Refused(failed=Failed(failure.reason, failure.detail))
        except Exception as error:  # noqa: BLE001 - the pool tells it to whoever asked
            return Refused(failed=Failed("crashed", f"{type(error).__name__}: {error}"))
        if self._whole_batches and feed.count < self._size:
            outputs = [_first(array, feed.count, self._size) for array in outputs]
        return Outputs(arrays=tuple(outputs))

    def _feeds(self, feed: Feed) -> Mapping[str, Any]:
        arrays = self._slots[feed.slot]
        if self._whole_batches or feed.count == self._size:
            return arrays  # what lies behind the last sample is answered too, and dropped
        return {n: a[: feed.count] if n in self._batched else a for n, a in arrays.items()}


def _first(array: Any, count: int, size: int) -> Any:
    return array[:count] if array.ndim and len(array) == size else array


if __name__ == "__main__":
    main()
