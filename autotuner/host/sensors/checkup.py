"""The check-up of the sensors: what each shows, what is missing, what looking costs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autotuner.core.checkup import Check
from autotuner.host.sensors.base import Missing, Reading
from autotuner.host.sensors.discovery import Discovery
from autotuner.host.sensors.sampler import DEFAULT_HZ

AREA = "sensors"
_PAUSE_S = 0.3
_LOOK_S = 3.0


def look(found: Discovery) -> tuple[dict[str, Sequence[Reading]], float]:
    """Return what each sensor shows, by its name, and the CPU seconds of a look; close them all.

    Some show something only after a while, or compare two moments.
    """
    try:
        for sensor in found.sensors:
            sensor.read()
        deadline_s = time.monotonic() + _LOOK_S
        while True:
            time.sleep(_PAUSE_S)
            began_s = time.thread_time()
            readings = {sensor.name: sensor.read() for sensor in found.sensors}
            cost_s = time.thread_time() - began_s
            if all(map(_known, readings.values())) or time.monotonic() >= deadline_s:
                return readings, cost_s
    finally:
        for sensor in found.sensors:
            sensor.close()


def cost(cost_s: float) -> Check:
    """Return what a look of *cost_s* CPU seconds comes to beside a measurement."""
    percent = 100.0 * cost_s * DEFAULT_HZ
    detail = f"{1000.0 * cost_s:.2f} ms, {percent:.1f} % of one core at {DEFAULT_HZ:g} Hz"
    return Check(area=AREA, name="cost of a look", status="ok", detail=detail)


def checks(
    readings: Mapping[str, Sequence[Reading]], missing: Iterable[Missing]
) -> Iterator[Check]:
    """Yield what each sensor shows and why others are missing."""
    for name, shown in readings.items():
        yield _sensor(name, shown)
    for sensor in missing:
        yield Check(
            area=AREA,
            name=sensor.name,
            status="attention" if sensor.fix else "absent",
            detail=sensor.why,
            fix=sensor.fix,
        )


def _known(readings: Iterable[Reading]) -> list[str]:
    return [reading.name for reading in readings if reading.value is not None]


def _sensor(name: str, readings: Sequence[Reading]) -> Check:
    known = _known(readings)
    detail = ", ".join(_families(known)) or "shows nothing"
    unknown: dict[str | None, str] = {}
    for reading in readings:
        if reading.value is None:
            unknown.setdefault(reading.why, reading.name)
    for why, example in unknown.items():
        detail += f"; {example} is n/a: {why}"
    return Check(area=AREA, name=name, status="ok" if known else "absent", detail=detail)


def _families(names: Iterable[str]) -> list[str]:
    """Return *names* with those of each CPU or process as one."""
    return list(dict.fromkeys(re.sub(r"(?<=cpu|ess)\d+", "N", name) for name in names))
