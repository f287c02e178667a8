from __future__ import annotations

import machines
import pytest

from autotuner.host.sensors import Missing, hwmon, jetson, thermal


def values(sensor):
    """Return what the sensor shows by name."""
    return {reading.name: reading.value for reading in sensor.read()}


@pytest.fixture
def read(tmp_path):
    """Show what a Jetson with these rails shows."""

    def read(*rails, **files):
        machines.write(tmp_path, machines.jetson(*rails, **files))
        return {reading.name: reading for reading in jetson.find(tmp_path).read()}

    return read


def test_a_jetson_shows_gpu_and_memory_controller(read):
    """Load in thousandths, clocks in Hz, use in percent of the rate in kHz."""
    found = read()
    assert found["gpu.clock_mhz"].value == 612.0
    assert found["gpu.utilisation_percent"].value == pytest.approx(75.0)
    assert found["memory.clock_mhz"].value == pytest.approx(3199.0)
    assert found["memory.controller_percent"].value == pytest.approx(27.0)


def test_a_board_with_an_input_rail_has_that_for_its_total(read):
    """The other rails are fed by it."""
    total = read("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC")["power.total_w"]
    assert (total.value, total.made_of) == (2.5, ("power.VDD_IN_w",))


def test_a_board_without_one_has_the_sum_of_its_rails(read):
    """Channels that are not connected do not count."""
    found = read("VDD_GPU_SOC", "NC", "VIN_SYS_5V0")
    assert "power.NC_w" not in found
    assert found["power.total_w"].value == 5.0
    assert found["power.total_w"].made_of == ("power.VDD_GPU_SOC_w", "power.VIN_SYS_5V0_w")


def test_an_unplugged_rail_makes_the_total_unknown(read, tmp_path):
    """A sum without a part would be too small; a rail that it does not need does not matter."""
    read("VDD_GPU_SOC", "VIN_SYS_5V0")
    gone = tmp_path / "sys/bus/i2c/devices/1-0040/hwmon/hwmon3/curr2_input"
    gone.unlink()
    sensor = jetson.find(tmp_path)
    found = {reading.name: reading for reading in sensor.read()}
    assert found["power.VDD_GPU_SOC_w"].value == 2.5
    assert found["power.total_w"].value is None
    assert "curr2_input: No such file" in found["power.total_w"].why
    sensor.close()


def test_an_over_current_alarm_is_throttling(read, tmp_path):
    """The board takes clocks away until it is over."""
    assert read("VDD_IN")["power.throttle"].value == 0.0
    alarm = "sys/bus/i2c/devices/1-0040/hwmon/hwmon3/curr1_max_alarm"
    machines.write(tmp_path, {alarm: "1"})
    assert values(jetson.find(tmp_path))["power.throttle"] == 1.0


def test_a_monitor_of_the_input_shows_the_total(tmp_path):
    """INA238 measures power itself, in millionths of a watt."""
    chip = "sys/bus/i2c/devices/2-0044/hwmon/hwmon5"
    files = {f"{chip}/name": "ina238", f"{chip}/power1_input": "61500000"}
    found = values(jetson.find(machines.write(tmp_path, machines.jetson("VDD_GPU") | files)))
    assert (found["power.VIN_w"], found["power.total_w"]) == (61.5, 61.5)


def test_the_rails_of_an_old_jetson_are_found(tmp_path):
    """JetPack 4 shows them in milliwatts through another driver."""
    chip = "sys/bus/i2c/drivers/ina3221x/0-0040/iio:device0"
    files = {
        f"{chip}/rail_name_0": "VDD_IN",
        f"{chip}/in_power0_input": "4210",
        f"{chip}/rail_name_1": "NC",
        f"{chip}/in_power1_input": "0",
    }
    found = values(jetson.find(machines.write(tmp_path, machines.jetson() | files)))
    assert found["power.VDD_IN_w"] == found["power.total_w"] == 4.21


def test_another_machine_is_no_jetson(tmp_path):
    """There is nothing to mend."""
    found = jetson.find(machines.write(tmp_path, machines.pc()))
    assert found == Missing(name="jetson", why="this is no NVIDIA Jetson")


def test_thermal_zones_are_named_by_what_they_measure(tmp_path):
    """What sleeps or is switched off is n/a, what is constant is left out."""
    found = values(thermal.find(machines.write(tmp_path, machines.jetson())))
    assert found == {
        "temperature.cpu_c": 40.0,
        "temperature.cv0_c": None,
        "temperature.tj_c": 41.5,
        "temperature.gpu_c": None,
    }


@pytest.mark.parametrize(
    ("states", "throttled"),
    [
        ({"pwm-fan": 3}, None),
        ({"pwm-fan": 3, "thermal-cpufreq-0": 0}, 0.0),
        ({"thermal-cpufreq-0": 0, "gpu-throttle-alert": 1}, 1.0),
        ({"Processor": -1}, 0.0),
    ],
)
def test_a_brake_that_is_pulled_is_throttling(tmp_path, states, throttled):
    """Fans are no brakes, and without a brake nothing is known."""
    files = machines.jetson()
    for index, (kind, state) in enumerate(states.items()):
        folder = f"sys/class/thermal/cooling_device{index}"
        files |= {f"{folder}/type": kind, f"{folder}/cur_state": state}
    found = values(thermal.find(machines.write(tmp_path, files)))
    assert found.get("thermal.throttle") == throttled


def test_chips_show_temperatures_and_power(tmp_path):
    """That of the whole processor has the same name everywhere."""
    found = values(hwmon.find(machines.write(tmp_path, machines.pc())))
    assert found == {
        "temperature.cpu_c": 51.0,
        "temperature.coretemp_core_0_c": 49.0,
        "power.power_meter_1_w": 87.0,
    }


def test_the_rails_of_a_jetson_are_not_shown_twice(tmp_path):
    """Their chip is among the monitoring chips too."""
    chip = "sys/class/hwmon/hwmon3"
    files = {f"{chip}/name": "ina3221", f"{chip}/temp1_input": "1000", "proc/cpuinfo": ""}
    assert isinstance(hwmon.find(machines.write(tmp_path, files)), Missing)
