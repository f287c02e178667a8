"""How much memory there is for this process: the machine's and that of its control groups."""

from __future__ import annotations

import psutil

from autotuner.host.cgroup import Cgroups

_MIB = 1024 * 1024


def available_mib() -> float:
    """Return how much memory can still be taken without swapping, in MiB."""
    left = [max(0, limit - used) / _MIB for limit, used in Cgroups().memory_limits()]
    return min([psutil.virtual_memory().available / _MIB, *left])


def total_mib() -> float:
    """Return the memory that this process may use at all, in MiB."""
    limits = [limit / _MIB for limit, _ in Cgroups().memory_limits()]
    return min([psutil.virtual_memory().total / _MIB, *limits])
