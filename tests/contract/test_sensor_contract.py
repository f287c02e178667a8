"""What every sensor keeps, whatever it reads and whatever happens to what it reads."""

from __future__ import annotations

import re
import shutil
import sys

import machines
import nvml
import pytest

from autotuner.host.sensors import NullSensor, Reading, ReplaySensor
from autotuner.host.sensors import hwmon as hwmon_module
from autotuner.host.sensors import jetson as jetson_module
from autotuner.host.sensors import rapl as rapl_module
from autotuner.host.sensors import thermal as thermal_module
from autotuner.host.sensors.jtop import JtopSensor
from autotuner.host.sensors.nvml import NvmlSensor
from autotuner.host.sensors.system import SystemSensor

NAME = re.compile(r"[a-z]+\d*\.[A-Za-z0-9_]+")
ENDINGS = {"%": "_percent", "MHz": "_mhz", "W": "_w", "C": "_c", "MiB": "_mib"}
RECORDED = [[Reading(name="power.total_w", value=5.0, unit="W")]]
SAYS = 'import time; print(\'{"figures": {"power.total_w": 8.11}}\', flush=True); time.sleep(60)'


def _jtop():
    sensor = JtopSensor([sys.executable, "-c", SAYS])
    while all(reading.value is None for reading in sensor.read()):
        pass
    return sensor


MAKERS = {
    "null": lambda _root: NullSensor(),
    "replay": lambda _root: ReplaySensor(RECORDED),
    "system": SystemSensor,
    "jetson": jetson_module.find,
    "thermal": thermal_module.find,
    "hwmon": hwmon_module.find,
    "rapl": rapl_module.find,
    "nvml": lambda _root: NvmlSensor(nvml.Library()),
    "jtop": lambda _root: _jtop(),
}
ON_FILES = ("jetson", "thermal", "hwmon", "rapl")


@pytest.fixture
def root(tmp_path):
    """Make a machine that has everything at once."""
    return machines.write(tmp_path, machines.jetson("VDD_IN", "VDD_SOC") | machines.pc())


@pytest.fixture(params=MAKERS)
def sensor(request, root):
    """Make each sensor in turn."""
    made = MAKERS[request.param](root)
    yield made
    made.close()


def check(readings):
    """See that each name comes once, its unit is right and a value or a reason is there."""
    names = [reading.name for reading in readings]
    assert len(set(names)) == len(names)
    for reading in readings:
        assert NAME.fullmatch(reading.name)
        assert reading.name.endswith(ENDINGS.get(reading.unit, ""))
        assert (reading.value is None) == bool(reading.why)
        assert set(reading.made_of) <= set(names)


def test_readings_are_well_formed(sensor):
    """At the first reading and at the next."""
    for _ in range(2):
        check(sensor.read())


def test_a_closed_sensor_shows_nothing(sensor):
    """It may be closed twice, and says why it has nothing to say."""
    sensor.close()
    sensor.close()
    readings = sensor.read()
    check(readings)
    assert all(reading.value is None for reading in readings)


@pytest.mark.parametrize("name", ON_FILES)
def test_what_becomes_empty_is_not_available(name, root):
    """An empty file is no zero, and the names stay."""
    sensor = MAKERS[name](root)
    before = {reading.name for reading in sensor.read()}
    for path in root.rglob("*"):
        if path.is_file():
            path.write_text("")
    readings = sensor.read()
    check(readings)
    assert all(reading.value is None for reading in readings)
    assert {reading.name for reading in readings} >= before - {"power.throttle"}
    sensor.close()


@pytest.mark.parametrize("name", ON_FILES)
def test_what_vanishes_before_it_is_read_is_not_available(name, root):
    """A device may go between the look for it and the first reading."""
    sensor = MAKERS[name](root)
    sensor.close()
    sensor = MAKERS[name](root)
    shutil.rmtree(root)
    check(sensor.read())
    sensor.close()


def test_a_dead_driver_is_not_available():
    """Of a GPU that fell off the bus every reading says so."""
    library = nvml.Library()
    sensor = NvmlSensor(library)
    sensor.read()
    library.dead = True
    readings = sensor.read()
    figures = [reading for reading in readings if ".process" not in reading.name]
    assert {reading.why for reading in figures} == {"the NVIDIA driver says: GPU is lost"}
    sensor.close()
