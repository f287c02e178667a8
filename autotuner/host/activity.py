"""What the processors did: time by whom, clocks and throttling, as far as the machine tells."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CPU_FOLDER = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Counters at one moment; the difference of two tells what happened between them.

    *busy_s* and *steal_s* sum the CPUs that this process may use, *own_s* the time of the named
    processes. *throttled* counts the kernel's thermal throttling events.
    """

    at_s: float
    busy_s: float
    steal_s: float
    own_s: float
    throttled: int | None
    clock_mhz: float | None


def read(cpus: Iterable[int], pids: Iterable[int]) -> Activity:
    """Read the counters of *cpus* and of the processes *pids*, those that have ended left out."""
    cpus = frozenset(cpus)
    busy_ticks = steal_ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in cpus:
            # proc(5): user nice system idle iowait irq softirq steal; guest time is in user.
            user, nice, system, _, _, irq, softirq, steal = map(int, rest.split()[:8])
            busy_ticks += user + nice + system + irq + softirq
            steal_ticks += steal
    return Activity(
        at_s=time.monotonic(),
        busy_s=busy_ticks / _TICKS_PER_S,
        steal_s=steal_ticks / _TICKS_PER_S,
        own_s=sum(_process_ticks(pid) for pid in pids) / _TICKS_PER_S,
        throttled=_throttle_events(cpus),
        clock_mhz=_mean_clock_mhz(cpus),
    )


def _process_ticks(pid: int) -> int:
    with contextlib.suppress(OSError):
        # The command in brackets may hold anything, so count from its last bracket (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    return 0


def _throttle_events(cpus: Iterable[int]) -> int | None:
    counts = []
    for cpu in cpus:
        with contextlib.suppress(OSError, ValueError):
            path = _CPU_FOLDER / f"cpu{cpu}/thermal_throttle/core_throttle_count"
            counts.append(int(path.read_text()))
    return sum(counts) if counts else None


def _mean_clock_mhz(cpus: Iterable[int]) -> float | None:
    clocks = []
    for cpu in cpus:
        with contextlib.suppress(OSError, ValueError):
            clocks.append(int((_CPU_FOLDER / f"cpu{cpu}/cpufreq/scaling_cur_freq").read_text()))
    return sum(clocks) / len(clocks) / 1000.0 if clocks else None
