from __future__ import annotations

import machines
import pytest

from autotuner.host.sensors import Missing, rapl


@pytest.fixture
def root(tmp_path):
    """Make a PC with one processor package."""
    return machines.write(tmp_path, machines.pc())


def sensor(root, *moments):
    """Return the package's sensor; the clock shows *moments* in turn."""
    clock = iter(moments)
    return rapl.RaplSensor(
        [(root / "sys/class/powercap/intel-rapl:0", "power.package0_w")], lambda: next(clock)
    )


def count(root, energy_uj):
    """Let the counter show so much energy."""
    (root / "sys/class/powercap/intel-rapl:0/energy_uj").write_text(f"{energy_uj}\n")


def test_power_is_energy_over_time(root):
    """Three joules in two seconds."""
    watching = sensor(root, 10.0, 12.0)
    count(root, 4_000_000)
    (reading,) = watching.read()
    assert (reading.name, reading.value) == ("power.package0_w", 1.5)


def test_the_counter_wraps_around(root):
    """It starts again at zero once it has reached its range."""
    watching = sensor(root, 0.0, 1.0, 2.0)
    count(root, 262143328850)
    watching.read()
    count(root, 2_000_000)
    assert watching.read()[0].value == pytest.approx(2.0)


def test_no_time_and_no_counter_are_not_available(root):
    """After a gap power takes two readings again."""
    watching = sensor(root, 0.0, 0.0, 1.0, 2.0, 3.0)
    assert "two readings" in watching.read()[0].why
    (root / "sys/class/powercap/intel-rapl:0/energy_uj").write_text("")
    assert "is empty" in watching.read()[0].why
    count(root, 5_000_000)
    assert "two readings" in watching.read()[0].why
    count(root, 6_000_000)
    assert watching.read()[0].value == pytest.approx(1.0)


def test_packages_and_their_memory_are_found(root):
    """The parts of a package are not, for they would count twice."""
    assert [reading.name for reading in rapl.find(root).read()] == [
        "power.package0_w",
        "power.dram0_w",
    ]


def test_a_machine_without_counters_says_why(tmp_path):
    """In a virtual machine there is nothing to mend."""
    machines.write(tmp_path, {"proc/cpuinfo": "flags\t\t: fpu hypervisor"})
    missing = rapl.find(tmp_path)
    assert isinstance(missing, Missing)
    assert "hypervisor" in missing.why
    assert missing.fix is None
