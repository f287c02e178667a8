from __future__ import annotations

import os

import pytest
from power_machines import lay_out

from autotuner.host import occupancy

SUPPLY = "/sys/class/power_supply"
ZONE = "/sys/class/thermal/thermal_zone0"
BATTERY = {f"{SUPPLY}/BAT0/type": "Battery"}


def mains(online):
    """Return the files of a mains adapter."""
    return {f"{SUPPLY}/AC/type": "Mains", f"{SUPPLY}/AC/online": str(online)}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, True),
        (BATTERY, False),
        ({**BATTERY, **mains(0)}, False),
        ({**BATTERY, **mains(1)}, True),
        (mains(1), True),
    ],
)
def test_a_box_without_a_battery_is_on_mains(tmp_path, files, expected):
    """With one, the adapter decides."""
    assert occupancy.on_mains(lay_out(tmp_path, files)) is expected


def test_everything_that_speaks_against_work_is_said(tmp_path, monkeypatch):
    """In words; what was not asked for does not count."""
    monkeypatch.setattr(os, "getloadavg", lambda: (4.0, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    root = lay_out(tmp_path, {**BATTERY, f"{ZONE}/type": "CPU-therm", f"{ZONE}/temp": 75_000})
    asked = {"max_load": 0.4, "mains_power": True, "max_temperature_c": 70.0}
    assert occupancy.reasons_to_wait(**asked, root=root) == (
        "the load is 0.50 of the CPUs",
        "it runs from its battery",
        "it has 75 degrees",
    )
    asked = {"max_load": 0.6, "mains_power": False, "max_temperature_c": 80.0}
    assert occupancy.reasons_to_wait(**asked, root=root) == ()
    asked = {"max_load": None, "mains_power": False, "max_temperature_c": None}
    assert occupancy.reasons_to_wait(**asked, root=root) == ()
