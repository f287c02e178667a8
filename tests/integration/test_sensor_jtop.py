"""The helper process that asks the jtop service, with programs that behave as it may."""

from __future__ import annotations

import itertools
import socket
import sys
import time

import pytest

from autotuner.host.sensors import Missing
from autotuner.host.sensors.jtop import JtopSensor, find

SHOWS = 'print(\'{"figures": {"power.total_w": 8.11, "gpu.clock_mhz": 816}}\', flush=True);'
HANGS = "import time; time.sleep(60)"


@pytest.fixture
def start():
    """Start sensors on these programs and close them."""
    sensors = []

    def start(program, clock_s=time.monotonic):
        sensors.append(JtopSensor([sys.executable, "-c", program], clock_s))
        return sensors[-1]

    yield start
    for sensor in sensors:
        sensor.close()


def read_until(sensor, accepted):
    """Return the first readings that are *accepted*."""
    deadline_s = time.monotonic() + 30.0
    while time.monotonic() < deadline_s:
        if accepted(readings := sensor.read()):
            return {reading.name: reading for reading in readings}
        time.sleep(0.01)
    raise TimeoutError(sensor.read())


def test_figures_come_with_their_units(start):
    """By the names that every sensor has."""
    sensor = start(SHOWS + HANGS)
    found = read_until(sensor, lambda readings: readings and readings[0].value is not None)
    assert (found["power.total_w"].value, found["power.total_w"].unit) == (8.11, "W")
    assert (found["gpu.clock_mhz"].value, found["gpu.clock_mhz"].unit) == (816, "MHz")


def test_a_service_that_hangs_does_not_hang_us(start):
    """After a while its last figures are not believed any more; the helper is ended."""
    seconds = itertools.count(0.0, 3.0)
    sensor = start(HANGS, lambda: next(seconds))
    found = read_until(sensor, lambda readings: readings and readings[0].why)
    assert found["jtop"].why == "the jtop service has not answered for 5 s"


def test_a_service_that_goes_away_is_not_available(start):
    """Under the names that it showed."""
    sensor = start(SHOWS)
    found = read_until(sensor, lambda readings: readings and readings[0].why)
    assert found["power.total_w"].value is None
    assert "has ended" in found["power.total_w"].why


def test_the_reason_of_the_helper_is_kept(start):
    """It says in the service's words what is wrong."""
    sensor = start('print(\'{"why": "Lost connection"}\')')
    found = read_until(sensor, lambda readings: readings and readings[0].why)
    assert found["jtop"].why == "Lost connection"


@pytest.mark.parametrize("line", ["Traceback", "[1, 2]", "\\xff"])
def test_a_helper_that_writes_nonsense_is_not_available(start, line):
    """Whatever the Python of jtop says on its way."""
    sensor = start(f"print({line!r}, flush=True);{HANGS}")
    found = read_until(sensor, lambda readings: readings and readings[0].why)
    assert "something else than JSON" in found["jtop"].why


@pytest.mark.parametrize(("listening", "why"), [(False, "not active"), (True, "for none of")])
def test_what_is_missing_is_told_with_its_remedy(tmp_path, listening, why):
    """No service, or no client for any Python."""
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as service:
        if listening:
            service.bind(str(tmp_path / "run/jtop.sock"))
        found = find(tmp_path, pythons=("/bin/false",))
    assert isinstance(found, Missing)
    assert why in found.why
    assert found.fix
