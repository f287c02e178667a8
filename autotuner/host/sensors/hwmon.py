"""Monitoring chips that the kernel's hwmon drivers show: temperatures and power."""

from __future__ import annotations

import contextlib
import itertools
import platform
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autotuner.host import identity
from autotuner.host.sensors.base import Missing, Reading
from autotuner.host.sensors.gauge import Gauge
from autotuner.host.sensors.thermal import plausible

_FOLDER = "sys/class/hwmon"
_C_PER_MILLIDEGREE = 1e-3
_W_PER_MICROWATT = 1e-6
_ELSEWHERE = frozenset({"ina3221", "ina238"})
_WHOLE_CPU = {("coretemp", "package id 0"), ("k10temp", "tctl"), ("zenpower", "tdie")}


class HwmonSensor:
    """Shows the temperatures and the power that chips measure."""

    name = "hwmon"

    def __init__(self, chips: Sequence[Path]) -> None:
        self._gauges = list(itertools.chain.from_iterable(map(_gauges, chips)))

    def read(self) -> Sequence[Reading]:
        """Return what every chip shows."""
        return tuple(map(plausible, self._gauges))

    def close(self) -> None:
        """Give the descriptors back."""
        for gauge in self._gauges:
            gauge.close()


def _gauges(chip: Path) -> Iterator[Gauge]:
    kind = _text(chip / "name") or chip.name
    for path in sorted(chip.glob("temp*_input")):
        label = _label(path, "temp")
        whole = (kind, label) in _WHOLE_CPU
        name = "temperature.cpu_c" if whole else f"temperature.{_id(kind, label)}_c"
        yield Gauge(path, name, "C", _C_PER_MILLIDEGREE)
    for pattern in ("power*_input", "power*_average"):
        for path in sorted(chip.glob(pattern)):
            name = f"power.{_id(kind, _label(path, 'power'))}_w"
            yield Gauge(path, name, "W", _W_PER_MICROWATT)


def _label(path: Path, quantity: str) -> str:
    """Return what the chip calls the channel, else its number."""
    channel = path.name.rpartition("_")[0]
    text = _text(path.with_name(f"{channel}_label"))
    return (text or channel.removeprefix(quantity)).lower()


def _id(kind: str, label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", f"{kind}_{label}".lower()).strip("_")


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return None


def find(root: Path) -> HwmonSensor | Missing:
    """Return the sensor of the machine at *root*; the rails of a Jetson are not among its chips."""
    chips = [
        chip
        for chip in sorted((root / _FOLDER).glob("hwmon*"))
        if _text(chip / "name") not in _ELSEWHERE and any(_gauges(chip))
    ]
    if chips:
        return HwmonSensor(chips)
    if identity.is_virtual(root):
        return Missing(name="hwmon", why="a virtual machine has no monitoring chips")
    # What sensors-detect knows are the chips of PCs.
    fix = "sudo apt install lm-sensors && sudo sensors-detect"
    return Missing(
        name="hwmon",
        why="no monitoring chip of temperature or power has a driver here",
        fix=fix if platform.machine() == "x86_64" else None,
    )
