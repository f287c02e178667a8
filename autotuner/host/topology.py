"""The CPUs that this process may really use, and which worker gets which of them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from autotuner.host.cgroup import Cgroups

AFFINITIES = ("none", "compact", "spread")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """*cpus* are those in this process's affinity mask, in order; *quota* is in CPUs."""

    cpus: tuple[int, ...]
    quota: float | None = None

    @property
    def usable(self) -> int:
        """How many CPUs' worth of time there is: the mask, less what a quota takes away."""
        if self.quota is None:
            return len(self.cpus)
        return max(1, min(len(self.cpus), math.floor(self.quota + 0.5)))

    def affinities(self) -> tuple[str, ...]:
        """Return the policies that mean something here.

        One CPU leaves nothing to choose; with two, compact and spread are the same.
        """
        if len(self.cpus) == 1:
            return ("none",)
        return AFFINITIES[:2] if len(self.cpus) == 2 else AFFINITIES

    def cpu_sets(
        self, affinity: str, workers: int, threads: int | None
    ) -> tuple[frozenset[int] | None, ...]:
        """Return each worker's CPUs, disjoint between workers; None leaves a worker unbound.

        ``compact`` gives a worker neighbouring CPUs, ``spread`` CPUs far from each other.
        Raises ValueError where :meth:`binds` is false.
        """
        if affinity == "none":
            return (None,) * workers
        if not self.binds(workers, threads):
            raise ValueError(f"{workers} workers of {threads} threads exceed {self.cpus}")
        width = threads or len(self.cpus) // workers
        if affinity == "compact":
            return tuple(
                frozenset(self.cpus[index * width : (index + 1) * width])
                for index in range(workers)
            )
        stride = len(self.cpus) / (workers * width)
        seats = [self.cpus[int(seat * stride)] for seat in range(workers * width)]
        return tuple(frozenset(seats[index::workers]) for index in range(workers))

    def binds(self, workers: int, threads: int | None) -> bool:
        """Say whether every worker can have CPUs of its own."""
        return workers * (threads or 1) <= len(self.cpus)


def read() -> Topology:
    """Read this machine's topology as this process may use it."""
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    return Topology(cpus=cpus, quota=Cgroups().cpu_quota())
