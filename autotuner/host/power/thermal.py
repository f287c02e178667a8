"""Start measuring below a temperature, or say that it could not be had."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autotuner.host.power import nodes

_ZONES = "/sys/class/thermal"
_PLAUSIBLE_C = (1.0, 150.0)  # zones that are switched off read -256 or nothing
_NO_DIE = ("pmic",)  # reports a constant
_POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """How waiting ended: *temperature_c* is None where nothing tells it."""

    temperature_c: float | None
    waited_s: float
    note: str | None = None


def hottest_c(root: Path = Path("/")) -> float | None:
    """Return the temperature of the hottest thermal zone, None when none can be read."""
    found = []
    for zone in nodes.below(root, _ZONES).glob("thermal_zone*"):
        name = nodes.read(root, f"{_ZONES}/{zone.name}/type") or ""
        milli = nodes.read_int(root, f"{_ZONES}/{zone.name}/temp")
        if milli is None or name.lower().startswith(_NO_DIE):
            continue
        if _PLAUSIBLE_C[0] <= milli / 1000.0 <= _PLAUSIBLE_C[1]:
            found.append(milli / 1000.0)
    return max(found, default=None)


def cool_down(
    below_c: float,
    wait_s: float,
    *,
    read_c: Callable[[], float | None] = hottest_c,
    pause: Callable[[float], None] = time.sleep,
) -> Cooling:
    """Wait until *read_c* tells less than *below_c*, at most *wait_s*; say if it did not."""
    waited_s = 0.0
    while (now_c := read_c()) is not None and now_c >= below_c and waited_s < wait_s:
        pause(_POLL_S)
        waited_s += _POLL_S
    note = None
    if now_c is None:
        note = "The temperature is unknown: no thermal zone can be read here."
    elif now_c >= below_c:
        found = f"The machine is at {now_c:.0f} °C after {waited_s:.0f} s"
        note = f"{found} and not below {below_c:.0f} °C; its clocks may be throttled."
    return Cooling(temperature_c=now_c, waited_s=waited_s, note=note)
