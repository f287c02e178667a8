"""Dynamic batching: which waiting requests a free worker takes, and when. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from autotuner.core.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """A free worker takes what waits, in order of arrival, at most *max_batch* requests.

    It does so as soon as that many wait or the oldest has waited *max_delay_ns*. Requests are told
    by their place in the rising sequence of their arrivals.
    """

    max_batch: int
    max_delay_ns: int = 0

    @classmethod
    def of(cls, config: Config) -> Batching:
        """Return the batching that *config* asks for."""
        delay_ns = int((config.max_queue_delay_ms or 0.0) * 1e6)
        return cls(max_batch=config.batch_size, max_delay_ns=delay_ns)

    def ready_ns(self, due_ns: Sequence[int], first: int) -> int:
        """Return from when on a free worker takes the batch that begins with request *first*."""
        patience_ends = due_ns[first] + self.max_delay_ns
        last = first + self.max_batch - 1
        return min(due_ns[last], patience_ends) if last < len(due_ns) else patience_ends

    def size(self, due_ns: Sequence[int], first: int, now_ns: int) -> int:
        """Return how many requests from *first* on go into a batch that is taken at *now_ns*."""
        most = min(len(due_ns), first + self.max_batch)
        return bisect_right(due_ns, now_ns, first, most) - first
