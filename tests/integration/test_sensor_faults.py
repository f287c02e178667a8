"""Sensors on a pretended ``/sys`` whose files fail as those of a kernel do."""

from __future__ import annotations

import errno
import os

import machines
import pytest
from rigs import need_fuse

from autotuner.host.sensors import Sampler, jetson

LOAD = "/sys/class/devfreq/17000000.gpu/device/load"
CURRENT = "/sys/bus/i2c/devices/1-0040/hwmon/hwmon3/curr1_input"


@pytest.fixture
def sysfs(tmp_path):
    """Mount the files of a Jetson; *broken* maps a file to the error of reading it."""
    need_fuse()
    from fuse_sysfs import FuseSysfs, mounted  # noqa: PLC0415 - needs libfuse
    from mfusepy import FuseOSError  # noqa: PLC0415

    class Failing(FuseSysfs):
        broken: dict[str, int] = {}  # noqa: RUF012 - of one test

        def read(self, path, size, offset, fh):
            if path in self.broken:
                raise FuseOSError(self.broken[path])
            return super().read(path, size, offset, fh)

    files = {f"/{n}": t for n, t in machines.jetson("VDD_IN", "VDD_SOC").items()}
    made = Failing(files)
    made.broken = {}
    made.root = tmp_path / "root"
    made.root.mkdir()
    with mounted(made, made.root):
        sensor = jetson.find(made.root)
        made.sampler = Sampler([sensor])
        yield made
        sensor.close()


def shown(sysfs):
    """Return the readings of now by name."""
    return {reading.name: reading for reading in sysfs.sampler.read_once()}


@pytest.mark.parametrize("number", [errno.EIO, errno.EAGAIN, errno.EACCES, errno.ENODEV])
def test_a_read_that_fails_is_not_available_and_comes_back(sysfs, number):
    """The kernel's reason is told; everything else is still shown."""
    assert shown(sysfs)["power.total_w"].value == 2.5
    sysfs.broken[CURRENT] = number
    found = shown(sysfs)
    assert found["power.VDD_IN_w"].value is None
    assert os.strerror(number) in found["power.VDD_IN_w"].why
    assert found["power.total_w"].value is None
    assert found["power.VDD_SOC_w"].value == 2.5
    sysfs.broken.clear()
    assert shown(sysfs)["power.total_w"].value == 2.5


def test_a_device_that_goes_and_comes_back(sysfs):
    """Its descriptor is of no use any more; a new one is opened when it is there again."""
    assert shown(sysfs)["gpu.utilisation_percent"].value == pytest.approx(75.0)
    sysfs.hidden.add(LOAD)
    for why in ("No such device", "No such file or directory"):
        reading = shown(sysfs)["gpu.utilisation_percent"]
        assert reading.value is None
        assert why in reading.why
    sysfs.hidden.clear()
    assert shown(sysfs)["gpu.utilisation_percent"].value == pytest.approx(75.0)
