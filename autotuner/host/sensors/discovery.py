"""Which sensors this machine has, and why others are missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autotuner.host.sensors import hwmon, jetson, jtop, nvml, rapl, thermal
from autotuner.host.sensors.base import Missing, Sensor
from autotuner.host.sensors.system import SystemSensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """The sensors that are there, the most telling first, and those that are *missing*."""

    sensors: tuple[Sensor, ...]
    missing: tuple[Missing, ...]


def discover(root: Path = Path("/"), *, with_jtop: bool = False) -> Discovery:
    """Look for sensors; the caller closes them.

    On a Jetson jtop shows what the kernel's files keep from plain users. Its service works for
    every reading, so it is asked only *with_jtop*: not beside a measurement.
    """
    found: list[Sensor | Missing] = [
        SystemSensor(root),
        jetson.find(root),
        nvml.find(root),
        rapl.find(root),
        thermal.find(root),
        hwmon.find(root),
    ]
    if with_jtop and jetson.is_jetson(root):
        found.append(jtop.find(root))
    missing = tuple(sensor for sensor in found if isinstance(sensor, Missing))
    return Discovery(
        sensors=tuple(sensor for sensor in found if not isinstance(sensor, Missing)),
        missing=missing,
    )
