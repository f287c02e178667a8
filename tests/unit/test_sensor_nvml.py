from __future__ import annotations

import sys

import machines
import nvml
import pytest

from autotuner.host.sensors import Missing
from autotuner.host.sensors.nvml import NvmlSensor, find

VENDOR = {"sys/bus/pci/devices/0000:65:00.0/vendor": "0x10de"}
CARD = VENDOR | {"sys/bus/pci/devices/0000:65:00.0/class": "0x030200"}


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Put a library in pynvml's place and look for the sensor on a machine with a card."""

    def look(library, files=CARD):
        monkeypatch.setitem(sys.modules, "pynvml", library)
        return find(machines.write(tmp_path, files))

    return look


def test_every_gpu_is_shown_under_its_own_name():
    """The first one as if it were the only one."""
    found = {reading.name: reading.value for reading in NvmlSensor(nvml.Library()).read()}
    assert found["gpu.utilisation_percent"] == 80.0
    assert found["gpu1.utilisation_percent"] == 81.0
    assert found["gpu.clock_mhz"] == 1980.0
    assert found["gpu.memory_clock_mhz"] == 3201.0
    assert found["power.gpu_w"] == 350.5
    assert found["temperature.gpu1_c"] == 61.0
    assert found["gpu.memory_used_mib"] == 3072.0
    assert found["gpu.memory_total_mib"] == 8192.0
    assert found["gpu.process7_mib"] == 1024.0
    assert "gpu.process8_mib" not in found


@pytest.mark.parametrize(
    ("reasons", "throttled"), [(0x0, 0.0), (0x1, 0.0), (0x4, 0.0), (0x8, 1.0), (0x24, 1.0)]
)
def test_heat_and_brakes_are_throttling_and_a_power_limit_is_not(reasons, throttled):
    """The limit is part of the power mode."""
    found = {r.name: r.value for r in NvmlSensor(nvml.Library(reasons=reasons)).read()}
    assert (found["gpu.throttle"], found["gpu.throttle_reasons"]) == (throttled, reasons)


def test_what_a_gpu_does_not_support_is_not_available():
    """The rest is shown."""
    sensor = NvmlSensor(nvml.Library(refused={"nvmlDeviceGetPowerUsage"}))
    found = {reading.name: reading for reading in sensor.read()}
    assert found["power.gpu_w"].value is None
    assert found["power.gpu_w"].why == "the NVIDIA driver says: Not Supported"
    assert found["temperature.gpu_c"].value == 61.0


def test_processes_are_asked_for_now_and_then():
    """It takes the driver longer than all the rest."""
    library = nvml.Library()
    sensor = NvmlSensor(library)
    for _ in range(11):
        assert "gpu.process7_mib" in {reading.name for reading in sensor.read()}
    assert library.calls.count("nvmlDeviceGetComputeRunningProcesses") == 2 * 2


def test_the_library_is_shut_down_once():
    """Whoever closes twice does no harm."""
    library = nvml.Library()
    sensor = NvmlSensor(library)
    sensor.close()
    sensor.close()
    assert library.calls.count("nvmlShutdown") == 1


def test_a_machine_with_a_card_has_the_sensor(installed):
    """When the driver answers."""
    assert installed(nvml.Library()).name == "nvml"


def test_a_machine_without_a_card_has_nothing_to_mend(installed):
    """Whatever is installed."""
    missing = installed(nvml.Library(), files={})
    assert missing == Missing(name="nvml", why="there is no NVIDIA GPU in this machine")


def test_a_driver_that_does_not_answer_can_be_mended(installed):
    """Its own words are kept."""
    missing = installed(nvml.Library(refused={"nvmlInit"}))
    assert "Not Supported" in missing.why
    assert "nvidia-smi" in missing.fix


def test_a_package_that_is_not_installed_can_be(installed):
    """For this very Python."""
    missing = installed(None)
    assert "nvidia-ml-py is not installed" in missing.why
    assert missing.fix == f"{sys.executable} -m pip install nvidia-ml-py"


def test_a_jetson_is_not_taken_for_a_server(installed):
    """Its library answers and knows nothing of the GPU."""
    library = nvml.Library(refused={"nvmlDeviceGetUtilizationRates"})
    missing = installed(library, files=machines.jetson() | CARD)
    assert isinstance(missing, Missing)
    assert missing.fix is None
    assert library.calls.count("nvmlShutdown") == 1
