"""Waiting for the machine to cool down."""

from __future__ import annotations

import pytest
from power_machines import lay_out

from autotuner.host.power import cool_down, hottest_c


def zones(root, **milli):
    """Lay thermal zones out below *root*; a value of None is a zone that is switched off."""
    files = {}
    for number, (name, value) in enumerate(milli.items()):
        files[f"/sys/class/thermal/thermal_zone{number}/type"] = name.replace("_", "-")
        files[f"/sys/class/thermal/thermal_zone{number}/temp"] = "" if value is None else value
    return lay_out(root, files)


def test_the_hottest_zone_counts(tmp_path):
    """Zones that are off and the power chip's constant do not."""
    root = zones(tmp_path, cpu_therm=41500, cv0_thermal=None, gpu=-256000, PMIC_Die=100000)
    assert hottest_c(root) == 41.5


def test_where_nothing_tells_the_temperature_it_is_unknown(tmp_path):
    """Not zero."""
    assert hottest_c(tmp_path) is None
    cooling = cool_down(60.0, 10.0, read_c=lambda: hottest_c(tmp_path), pause=pytest.fail)
    assert cooling.temperature_c is None
    assert "unknown" in cooling.note


def test_it_waits_until_it_is_cool():
    """And says nothing then."""
    readings = iter([80.0, 70.0, 59.0])
    cooling = cool_down(60.0, 10.0, read_c=lambda: next(readings), pause=lambda _: None)
    assert (cooling.temperature_c, cooling.waited_s, cooling.note) == (59.0, 1.0, None)


def test_it_does_not_wait_for_ever():
    """The trial goes on and the note says how hot it began."""
    cooling = cool_down(60.0, 3.0, read_c=lambda: 80.0, pause=lambda _: None)
    assert cooling.waited_s == 3.0
    assert "80 °C after 3 s" in cooling.note


def test_a_cool_machine_does_not_wait():
    """Nothing is paid for it."""
    cooling = cool_down(60.0, 10.0, read_c=lambda: 40.0, pause=pytest.fail)
    assert (cooling.waited_s, cooling.note) == (0.0, None)
