"""The batches that the workers ran, and what a window over them shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotuner.bench.stats import Latencies

_NS_PER_MS = 1e6
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Slice:
    """The batches that started in a window, of all workers, in the order in which they started.

    *latencies_ms* and *cycles_s* have shape (n,); a cycle is the time from a batch's start to the
    same worker's next one.
    """

    latencies_ms: Latencies
    cycles_s: NDArray[np.float64]

    @property
    def empty(self) -> bool:
        """Whether no batch started in the window."""
        return not len(self.latencies_ms)

    def followed_by(self, later: Slice) -> Slice:
        """Return the batches of both."""
        return Slice(
            np.concatenate([self.latencies_ms, later.latencies_ms]),
            np.concatenate([self.cycles_s, later.cycles_s]),
        )


class BatchRecord:
    """Start and end of every batch of each of *workers* workers, in ns of one common clock.

    Each stream counts as one where workers have several. *counts* and *last_end_ns* tell by worker
    how many batches are done and when the last one was; before the first one that is *began_ns*.
    """

    def __init__(self, workers: int, began_ns: int) -> None:
        self._times: list[list[NDArray[np.int64]]] = [[] for _ in range(workers)]
        self.began_ns = began_ns
        self.counts = [0] * workers
        self.last_end_ns = [began_ns] * workers

    def add(self, worker: int, times_ns: bytes) -> None:
        """Add batches of *worker*: int64 start and end, in turn."""
        if times_ns:
            times = np.frombuffer(times_ns, dtype=np.int64).reshape(-1, 2)
            self._times[worker].append(times)
            self.counts[worker] += len(times)
            self.last_end_ns[worker] = int(times[-1, 1])

    def between(self, begin_ns: int, end_ns: int) -> Slice:
        """Return the batches that started at or after *begin_ns* and before *end_ns*.

        A batch counts wholly by its start, however long it took, so that a slow one is as likely
        to be seen as a fast one.
        """
        starts, latencies, cycles = [], [], []
        for chunks in self._times:
            if not chunks:
                continue
            times = np.concatenate(chunks)
            start, end = times[:, 0], times[:, 1]
            following = np.append(start[1:], end[-1])
            inside = (start >= begin_ns) & (start < end_ns)
            starts.append(start[inside])
            latencies.append((end - start)[inside])
            cycles.append((following - start)[inside])
        if not starts:
            return Slice(np.empty(0), np.empty(0))
        order = np.argsort(np.concatenate(starts), kind="stable")
        return Slice(
            np.concatenate(latencies)[order] / _NS_PER_MS,
            np.concatenate(cycles)[order] / _NS_PER_S,
        )
