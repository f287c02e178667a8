"""The processors and the memory, as psutil and cpufreq show them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from autotuner.host import cpus
from autotuner.host.sensors.base import CLOSED, Reading, unavailable
from autotuner.host.sensors.gauge import Gauge

_MIB = 1024 * 1024
_MHZ_PER_KHZ = 1e-3
_NO_CLOCK = "the kernel has no cpufreq driver for these processors"


class SystemSensor:
    """Shows how busy each CPU is since the last reading, its clock, and the memory in use."""

    name = "system"

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        folder = root / "sys/devices/system/cpu"
        clocks = ((cpu, folder / f"cpu{cpu}/cpufreq/scaling_cur_freq") for cpu in cpus.online(root))
        self._clocks = [
            Gauge(path, f"cpu{cpu}.clock_mhz", "MHz", _MHZ_PER_KHZ)
            for cpu, path in sorted(clocks)
            if path.exists()
        ]
        self._online = sorted(cpus.online(root))
        self._times = _cpu_times()
        self._closed = False

    def read(self) -> Sequence[Reading]:
        """Return utilisation, clocks and memory."""
        if self._closed:
            return (unavailable("cpu.utilisation_percent", "%", CLOSED),)
        return (*self._utilisation(), *self._clock(), *_guarded(_memory, "memory.used_mib", "MiB"))

    def close(self) -> None:
        """Give the descriptors back."""
        self._closed = True
        for gauge in self._clocks:
            gauge.close()

    def _utilisation(self) -> Sequence[Reading]:
        return _guarded(self._busy, "cpu.utilisation_percent", "%")

    def _busy(self) -> Sequence[Reading]:
        before, self._times = self._times, _cpu_times()
        if len(before) != len(self._times):
            self._online = sorted(cpus.online(self._root))
            return (unavailable("cpu.utilisation_percent", "%", "a CPU was switched on or off"),)
        shares = [_busy_percent(*pair) for pair in zip(before, self._times, strict=True)]
        known = [share for share in shares if share is not None]
        if not known:
            return (unavailable("cpu.utilisation_percent", "%", "no time has passed"),)
        each = [
            Reading(name=f"cpu{cpu}.utilisation_percent", value=share, unit="%")
            for cpu, share in zip(self._online, shares, strict=False)
            if share is not None
        ]
        mean = statistics.fmean(known)
        return (*each, Reading(name="cpu.utilisation_percent", value=mean, unit="%"))

    def _clock(self) -> Sequence[Reading]:
        each = [gauge.read() for gauge in self._clocks]
        known = [reading.value for reading in each if reading.value is not None]
        if not known:
            why = each[0].why if each else _NO_CLOCK
            return (*each, unavailable("cpu.clock_mhz", "MHz", why or _NO_CLOCK))
        mean = statistics.fmean(known)
        return (*each, Reading(name="cpu.clock_mhz", value=mean, unit="MHz"))


def _cpu_times() -> list[tuple[float, float]]:
    """Return the busy and the whole time of each CPU, in seconds since the machine started."""
    found = []
    for times in psutil.cpu_times(percpu=True):
        # Guest time is in user and nice already.
        whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        idle = times.idle + getattr(times, "iowait", 0.0)
        found.append((whole - idle, whole))
    return found


def _busy_percent(before: tuple[float, float], after: tuple[float, float]) -> float | None:
    passed = after[1] - before[1]
    if passed <= 0.0:
        return None
    return min(100.0, max(0.0, 100.0 * (after[0] - before[0]) / passed))


def _memory() -> Sequence[Reading]:
    memory = psutil.virtual_memory()
    return (
        Reading(name="memory.used_mib", value=(memory.total - memory.available) / _MIB, unit="MiB"),
        Reading(name="memory.available_mib", value=memory.available / _MIB, unit="MiB"),
    )


def _guarded(read: Callable[[], Sequence[Reading]], name: str, unit: str) -> Sequence[Reading]:
    """Return what *read* says, or why it could not under its main *name*."""
    try:
        return read()
    except (OSError, ValueError, KeyError, psutil.Error) as error:
        return (unavailable(name, unit, f"psutil cannot read it: {error}"),)
