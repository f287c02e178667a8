"""The batches that imagined workers run back to back, drawn at random. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from autotuner.backends.simulated.behaviour import DEVIATES, Quantiles

_NS_PER_MS = 1e6
_FADING = 0.6
"""How much of a worker's mood is left after a tick."""


class BatchStream:
    """The batches of *workers* workers from *began_ns* on; one calls :meth:`until` every tick.

    Times have the distribution of *quantiles_ms*. A worker has a mood that fades from tick to tick,
    which gives neighbouring batches about this *correlation*.
    """

    def __init__(
        self,
        quantiles_ms: Quantiles,
        correlation: float,
        *,
        workers: int,
        began_ns: int,
        rng: np.random.Generator,
    ) -> None:
        self._quantiles_ns = quantiles_ms * _NS_PER_MS
        self._correlation = correlation
        self._rng = rng
        self._moods = rng.standard_normal(workers)
        self._under_way: list[tuple[int, int] | None] = [None] * workers
        self._began_ns = began_ns

    def until(self, moment_ns: int, slowdown: float) -> Iterator[bytes]:
        """Yield each worker's batches that ended by *moment_ns*: int64 start and end, in turn.

        Batches that begin meanwhile take *slowdown* times as long as usual.
        """
        fresh = self._rng.standard_normal(len(self._moods))
        self._moods = _FADING * self._moods + math.sqrt(1.0 - _FADING**2) * fresh
        for worker in range(len(self._moods)):
            yield self._finished(worker, moment_ns, slowdown)

    def _finished(self, worker: int, moment_ns: int, slowdown: float) -> bytes:
        under_way = self._under_way[worker]
        free_ns = self._began_ns
        done: list[NDArray[np.int64]] = []
        if under_way is not None:
            if under_way[1] > moment_ns:
                return b""
            done.append(np.array([under_way], dtype=np.int64))
            free_ns = under_way[1]
        while free_ns <= moment_ns:
            usual_ns = float(self._quantiles_ns[len(DEVIATES) // 2]) * slowdown
            times = self._drawn(worker, int((moment_ns - free_ns) / usual_ns) + 2) * slowdown
            ends = free_ns + np.cumsum(times).astype(np.int64)
            batches = np.column_stack([np.concatenate([[free_ns], ends[:-1]]), ends])
            count = int(np.searchsorted(ends, moment_ns, side="right"))
            done.append(batches[:count])
            if count < len(ends):
                self._under_way[worker] = (int(batches[count, 0]), int(batches[count, 1]))
                break
            free_ns = int(ends[-1])
        return np.concatenate(done).tobytes()

    def _drawn(self, worker: int, count: int) -> NDArray[np.float64]:
        """Return *count* batch times of *worker* in ns."""
        own = self._rng.standard_normal(count) * math.sqrt(1.0 - self._correlation)
        mood = self._moods[worker] * math.sqrt(self._correlation)
        times: NDArray[np.float64] = np.interp(own + mood, DEVIATES, self._quantiles_ns)
        return times
