"""RAPL: the energy counters of x86 processors, through the kernel's powercap."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from autotuner.host import identity
from autotuner.host.sensors.base import Missing, Reading
from autotuner.host.sensors.gauge import Gauge

_FOLDER = "sys/class/powercap"
_J_PER_MICROJOULE = 1e-6


class _Counter:
    """The power of one domain: the energy since the last reading over the time since then."""

    def __init__(self, folder: Path, name: str, clock_s: Callable[[], float]) -> None:
        self.gauge = Gauge(folder / "energy_uj", name, "W")
        self._clock_s = clock_s
        self._range_uj = 0
        with contextlib.suppress(OSError, ValueError):
            self._range_uj = int((folder / "max_energy_range_uj").read_text())
        self._before: tuple[float, float] | None = None
        self.read()

    def read(self) -> Reading:
        now_s = self._clock_s()
        try:
            energy_uj = self.gauge.number()
        except ValueError as error:
            self._before = None
            return self.gauge.missing(str(error))
        before, self._before = self._before, (now_s, energy_uj)
        if before is None or now_s <= before[0]:
            return self.gauge.missing("power takes two readings of the energy counter")
        used_uj = energy_uj - before[1]
        if used_uj < 0:  # it has wrapped around
            used_uj += self._range_uj
        if used_uj < 0:
            return self.gauge.missing("the energy counter went backwards")
        return self.gauge.reading(used_uj * _J_PER_MICROJOULE / (now_s - before[0]))


class RaplSensor:
    """Shows the power of each package, of its memory, and of the platform where that is counted."""

    name = "rapl"

    def __init__(
        self, domains: Sequence[tuple[Path, str]], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._counters = [_Counter(folder, name, clock_s) for folder, name in domains]

    def read(self) -> Sequence[Reading]:
        """Return the power of each domain since the last reading."""
        return tuple(counter.read() for counter in self._counters)

    def close(self) -> None:
        """Give the descriptors back."""
        for counter in self._counters:
            counter.gauge.close()


def _domains(root: Path) -> list[tuple[Path, str]]:
    """Return the folder and the reading of each domain; a part of a package but for its memory."""
    found = {}
    for folder in sorted((root / _FOLDER).glob("intel-rapl:*")):
        with contextlib.suppress(OSError):
            kind = (folder / "name").read_text().strip()
            package = folder.name.split(":")[1]
            if kind.startswith("package") or kind == "psys":
                found[f"power.{kind.replace('-', '')}_w"] = folder
            elif kind == "dram":
                found[f"power.dram{package}_w"] = folder
    return [(folder, name) for name, folder in found.items()]


def _none(root: Path) -> Missing:
    if identity.is_virtual(root):
        why = "the hypervisor of this virtual machine keeps the energy counters back"
        return Missing(name="rapl", why=why)
    if platform.machine() != "x86_64":
        return Missing(name="rapl", why="only x86 processors have such energy counters")
    why = "the kernel shows no energy counters of the processor"
    return Missing(name="rapl", why=why, fix="sudo modprobe intel_rapl_msr")


def find(root: Path) -> RaplSensor | Missing:
    """Return the sensor of the machine at *root*."""
    domains = _domains(root)
    if not domains:
        return _none(root)
    try:
        (domains[0][0] / "energy_uj").read_text()
    except OSError as error:
        return Missing(
            name="rapl",
            why=f"the energy counters cannot be read: {error.strerror}",
            fix="run as root, or: sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj",
        )
    return RaplSensor(domains)
