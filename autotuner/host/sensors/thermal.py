"""Thermal zones: the temperatures by which the kernel slows a machine down, and whether it does."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autotuner.host.sensors.base import Missing, Reading
from autotuner.host.sensors.gauge import Gauge

_C_PER_MILLIDEGREE = 1e-3
_COLDEST_C = -50.0
_ENDINGS = re.compile(r"[-_](thermal|therm|zone)$")
_BRAKES = ("cpufreq", "devfreq", "processor", "throttle")
_CONSTANT = frozenset({"pmic-die", "pmic"})  # 100 °C on Jetson, always


class ThermalSensor:
    """Shows the temperature of each thermal zone, and whether clocks are held down by heat."""

    name = "thermal"

    def __init__(self, zones: Sequence[Path], brakes: Sequence[Path]) -> None:
        self._brakes = [Gauge(brake / "cur_state", "state", "") for brake in brakes]
        self._gauges = []
        for zone in zones:
            with contextlib.suppress(OSError):
                kind = _ENDINGS.sub("", (zone / "type").read_text().strip().lower())
                if kind not in _CONSTANT:
                    name = f"temperature.{kind}_c"
                    self._gauges.append(Gauge(zone / "temp", name, "C", _C_PER_MILLIDEGREE))

    def read(self) -> Sequence[Reading]:
        """Return the temperatures and ``thermal.throttle``; a part of the chip may sleep."""
        return (*map(plausible, self._gauges), *self._throttle())

    def close(self) -> None:
        """Give the descriptors back."""
        for gauge in (*self._gauges, *self._brakes):
            gauge.close()

    def _throttle(self) -> Iterator[Reading]:
        states = [brake.read().value for brake in self._brakes]
        known = [state for state in states if state is not None]
        if known:
            pulled = any(state > 0.0 for state in known)
            yield Reading(name="thermal.throttle", value=float(pulled), unit="flag")


def plausible(gauge: Gauge) -> Reading:
    """Return the temperature that *gauge* shows, n/a for the value that stands for none."""
    reading = gauge.read()
    if reading.value is not None and reading.value < _COLDEST_C:
        return gauge.missing("this part of the chip is switched off")
    return reading


def find(root: Path) -> ThermalSensor | Missing:
    """Return the sensor of the machine at *root*."""
    folder = root / "sys/class/thermal"
    zones = sorted(folder.glob("thermal_zone*"))
    if zones:
        return ThermalSensor(zones, [d for d in folder.glob("cooling_device*") if _is_brake(d)])
    return Missing(name="thermal", why="the kernel shows no thermal zones")


def _is_brake(device: Path) -> bool:
    """Say whether a cooling device takes clocks away; others turn fans."""
    with contextlib.suppress(OSError):
        return any(word in (device / "type").read_text().lower() for word in _BRAKES)
    return False
