"""Whether this box is free for unattended work: load, mains power, temperature."""

from __future__ import annotations

import os
from pathlib import Path

from autotuner.host.power import hottest_c, nodes

_SUPPLIES = "/sys/class/power_supply"
_FROM_MAINS = frozenset({"Mains", "USB"})


def load_share() -> float:
    """Return the load of the last minute as a share of the CPUs (getloadavg(3))."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def on_mains(root: Path = Path("/")) -> bool:
    """Say whether the box runs from the mains; one without a battery always does."""
    online, battery = [], False
    for supply in nodes.below(root, _SUPPLIES).glob("*"):
        kind = nodes.read(root, f"{_SUPPLIES}/{supply.name}/type")
        battery = battery or kind == "Battery"
        if kind in _FROM_MAINS:
            online.append(nodes.read(root, f"{_SUPPLIES}/{supply.name}/online") == "1")
    return any(online) or not battery


def reasons_to_wait(
    *,
    max_load: float | None,
    mains_power: bool,
    max_temperature_c: float | None,
    root: Path = Path("/"),
) -> tuple[str, ...]:
    """Return what speaks against unattended work now, in words; empty when nothing does."""
    reasons = []
    if max_load is not None and (load := load_share()) > max_load:
        reasons.append(f"the load is {load:.2f} of the CPUs")
    if mains_power and not on_mains(root):
        reasons.append("it runs from its battery")
    if max_temperature_c is not None:
        hottest = hottest_c(root)
        if hottest is not None and hottest > max_temperature_c:
            reasons.append(f"it has {hottest:.0f} degrees")
    return tuple(reasons)
