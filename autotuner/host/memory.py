"""How much memory there is for this process: the machine's and that of its control groups."""

from __future__ import annotations

import psutil

from autotuner.host.cgroup import Cgroups

_MIB = 1024 * 1024


class MemoryGauge:
    """Reads the memory that is left, cheaply enough for many times a second.

    Which control groups limit it is found out once.
    """

    def __init__(self, cgroups: Cgroups | None = None) -> None:
        self._groups = tuple((cgroups or Cgroups()).memory_groups())

    def available_mib(self) -> float:
        """Return how much memory can still be taken without swapping, in MiB."""
        left = [group.left() for group in self._groups]
        return min([psutil.virtual_memory().available, *left]) / _MIB


def available_mib() -> float:
    """Return how much memory can still be taken without swapping, in MiB."""
    return MemoryGauge().available_mib()


def total_mib() -> float:
    """Return the memory that this process may use at all, in MiB."""
    limits = [group.limit for group in Cgroups().memory_groups()]
    return min([psutil.virtual_memory().total, *limits]) / _MIB


def installed_mib() -> float:
    """Return the memory of the machine, whatever this process may use of it, in MiB."""
    return psutil.virtual_memory().total / _MIB
