"""The power rails of a Jetson board, which its INA monitors measure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autotuner.host.sensors.base import Reading
from autotuner.host.sensors.gauge import Gauge

_I2C = "sys/bus/i2c"
_W_PER_MICROWATT = 1e-6
_W_PER_MILLIWATT = 1e-3
_INPUTS = ("VDD_IN", "VIN", "VIN_TOTAL", "POM_5V_IN")
"""The rails through which a whole board is fed, where it has such a one."""
_NOT_CONNECTED = "NC"
_CHANNELS = range(1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """One rail: its power is the product of its *gauges*; *alarms* are its over-current bits."""

    label: str
    gauges: tuple[Gauge, ...]
    alarms: tuple[Gauge, ...] = ()

    def read(self) -> Reading:
        """Return the rail's power."""
        name, watts = f"power.{self.label}_w", 1.0
        for gauge in self.gauges:
            reading = gauge.read()
            if reading.value is None:
                return replace(reading, name=name, unit="W")
            watts *= reading.value
        return Reading(name=name, value=watts, unit="W")


class RailSensor:
    """Shows the power of every rail, their total, and whether one draws more than it should."""

    name = "rails"

    def __init__(self, rails: Sequence[Rail]) -> None:
        self._rails = rails

    def read(self) -> Sequence[Reading]:
        """Return the rails, ``power.total_w`` and ``power.throttle``."""
        each = [rail.read() for rail in self._rails]
        return (*each, _total(each), *self._alarm())

    def close(self) -> None:
        """Give the descriptors back."""
        for rail in self._rails:
            for gauge in (*rail.gauges, *rail.alarms):
                gauge.close()

    def _alarm(self) -> Iterator[Reading]:
        """Yield whether any alarm is up; the board takes clocks away then."""
        found = [gauge.read() for rail in self._rails for gauge in rail.alarms]
        known = [reading.value for reading in found if reading.value is not None]
        if known:
            yield Reading(name="power.throttle", value=float(any(known)), unit="flag")


def _total(rails: Sequence[Reading]) -> Reading:
    """Return the power of the whole board: its input rail, else the sum of its rails."""
    inputs = [r for r in rails if r.name.removeprefix("power.").removesuffix("_w") in _INPUTS]
    parts = inputs[:1] or rails
    made_of = tuple(reading.name for reading in parts)
    for reading in parts:
        if reading.value is None:
            return replace(reading, name="power.total_w", made_of=made_of)
    watts = sum(reading.value or 0.0 for reading in parts)
    return Reading(name="power.total_w", value=watts, unit="W", made_of=made_of)


def rails(root: Path) -> list[Rail]:
    """Return the rails of the board at *root*, whichever driver shows them."""
    return [*_hwmon_rails(root), *_iio_rails(root)]


def _hwmon_rails(root: Path) -> Iterator[Rail]:
    """Yield the rails of INA3221 (voltage and current) and INA238 (power, all that goes in)."""
    for chip in sorted((root / _I2C / "devices").glob("*/hwmon/hwmon*")):
        kind = _text(chip / "name")
        if kind == "ina238":
            power = Gauge(chip / "power1_input", "VIN", "W", _W_PER_MICROWATT)
            yield Rail(label="VIN", gauges=(power,))
        if kind != "ina3221":
            continue
        for channel in _CHANNELS:
            label = _text(chip / f"in{channel}_label")
            if label in (None, _NOT_CONNECTED):
                continue
            volts = Gauge(chip / f"in{channel}_input", "volts", "V", 1e-3)
            amperes = Gauge(chip / f"curr{channel}_input", "amperes", "A", 1e-3)
            names = (f"curr{channel}_max_alarm", f"curr{channel}_crit_alarm")
            alarms = (Gauge(chip / name, name, "flag") for name in names if (chip / name).exists())
            yield Rail(label=label, gauges=(volts, amperes), alarms=tuple(alarms))


def _iio_rails(root: Path) -> Iterator[Rail]:
    """Yield the rails as JetPack 4 shows them."""
    for chip in sorted((root / _I2C / "drivers/ina3221x").glob("*/iio:device*")):
        for path in sorted(chip.glob("rail_name_*")):
            label, channel = _text(path), path.name.rpartition("_")[2]
            if label not in (None, _NOT_CONNECTED):
                power = chip / f"in_power{channel}_input"
                yield Rail(label=label, gauges=(Gauge(power, label, "W", _W_PER_MILLIWATT),))


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return None
