from __future__ import annotations

import pytest

from autotuner.host.sensors.gauge import Gauge


@pytest.fixture
def file(tmp_path):
    """Give the path of a file of the kernel."""
    path = tmp_path / "temp"
    path.write_text("40500\n")
    return path


@pytest.fixture
def gauge(file):
    """Read that file as a temperature."""
    made = Gauge(file, "temperature.cpu_c", "C", 1e-3)
    yield made
    made.close()


def test_a_number_is_read_in_its_unit(gauge):
    """The kernel counts in thousandths here."""
    reading = gauge.read()
    assert (reading.name, reading.value, reading.unit) == ("temperature.cpu_c", 40.5, "C")


def test_every_reading_is_a_new_one(gauge, file):
    """The descriptor stays open and the number is read again."""
    gauge.read()
    file.write_text("41000\n")
    assert gauge.read().value == 41.0


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("auto\n", "holds 'auto', which is no number")]
)
def test_what_is_no_number_is_not_available(gauge, file, text, why):
    """Never zero."""
    file.write_text(text)
    reading = gauge.read()
    assert reading.value is None
    assert why in reading.why
    assert str(file) in reading.why


def test_a_file_may_come_back(tmp_path):
    """Devices sleep and wake; why there is nothing is said in the kernel's words."""
    gauge = Gauge(tmp_path / "load", "gpu.utilisation_percent", "%")
    assert "No such file or directory" in gauge.read().why
    (tmp_path / "load").write_text("7\n")
    assert gauge.read().value == 7.0
    gauge.close()


def test_a_failing_read_is_not_available_and_tried_again(tmp_path):
    """Reading a folder fails as reading a broken device does."""
    path = tmp_path / "in1_input"
    path.mkdir()
    gauge = Gauge(path, "power.VDD_IN_w", "W")
    assert "Is a directory" in gauge.read().why
    path.rmdir()
    path.write_text("5\n")
    assert gauge.read().value == 5.0
    gauge.close()
