"""What the machine's sensors say, kept as short histories and grouped for show. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT = 600
"""How many readings of each sensor are remembered."""

_CORE = re.compile(r"cpu(\d+)")
_DEVICE = re.compile(r"([a-z]+)(\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one sensor; *why* says why there is none."""

    name: str
    value: float | None
    unit: str = ""
    why: str | None = None

    @property
    def device(self) -> str:
        """What it belongs to: ``cpu0`` of ``cpu0.clock_mhz``, ``gpu`` of ``gpu_power_w``."""
        return re.split(r"[._]", self.name, maxsplit=1)[0]

    @property
    def quantity(self) -> str:
        """What of it: ``clock_mhz``."""
        parts = re.split(r"[._]", self.name, maxsplit=1)
        return parts[1] if len(parts) > 1 else ""

    @property
    def core(self) -> int | None:
        """The number of the CPU, None for anything else."""
        found = _CORE.fullmatch(self.device)
        return int(found[1]) if found else None

    @property
    def kind(self) -> str:
        """The device without its number: ``cpu``, ``gpu``, ``power``, ``temperature``."""
        found = _DEVICE.match(self.device)
        return found[1] if found else self.device


@dataclass(slots=True)
class Sensors:
    """The present readings by name, and the history of each."""

    t: float | None = None
    now: dict[str, Reading] = field(default_factory=dict)
    history: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)

    def take(self, message: Mapping[str, Any]) -> None:
        """Remember one telemetry message; what cannot be read in it is left out."""
        t = _number(message.get("t"))
        if t is None:
            return
        self.t = t
        self.now = {}
        for item in message.get("readings", ()):
            if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
                continue
            why = item.get("why")
            reading = Reading(
                name=item["name"],
                value=_number(item.get("value")),
                unit=str(item.get("unit") or ""),
                why=why if isinstance(why, str) else None,
            )
            self.now[reading.name] = reading
            if reading.value is not None:
                history = self.history.setdefault(reading.name, deque(maxlen=KEPT))
                history.append((t, reading.value))

    def value(self, *names: str) -> float | None:
        """Return the present value of the first of *names* that has one."""
        for name in names:
            if (reading := self.now.get(name)) is not None and reading.value is not None:
                return reading.value
        return None

    def recent(self, name: str) -> tuple[float, ...]:
        """Return the values that are remembered of *name*, the newest last."""
        return tuple(value for _, value in self.history.get(name, ()))

    def between(self, name: str, began: float, ended: float) -> tuple[float, ...]:
        """Return the values of *name* from the time *began* to *ended*."""
        return tuple(v for t, v in self.history.get(name, ()) if began <= t <= ended)

    def cores(self) -> list[int]:
        """Return the numbers of the CPUs that are read."""
        return sorted({r.core for r in self.now.values() if r.core is not None})

    def of_kind(self, *kinds: str) -> list[Reading]:
        """Return the readings of these kinds of device, CPUs with a number left out."""
        return [r for r in self.now.values() if r.kind in kinds and r.core is None]


def mean(values: Iterable[float]) -> float | None:
    """Return the mean of *values*, None of nothing."""
    known = list(values)
    return sum(known) / len(known) if known else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    return float(value) if isinstance(value, int | float) else None
