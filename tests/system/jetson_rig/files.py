"""Values in a file tree, replaced as the kernel does: nobody ever reads half of one."""

from __future__ import annotations

import os
from pathlib import Path

CPU = "/sys/devices/system/cpu"
GPU = "/sys/devices/platform/bus@0/17000000.gpu"
DEVFREQ = f"{GPU}/devfreq/17000000.gpu"
EMC = "/sys/kernel/debug/bpmp/debug/clk/emc"
EMC_CAP = "/sys/kernel/nvpmodel_clk_cap/emc"
MC_ACTIVITY = "/sys/kernel/debug/cactmon/mc_all"
FAN = "/sys/class/hwmon/hwmon0/pwm1"
ZONES = "/sys/devices/virtual/thermal"
I2C = "/sys/bus/i2c/devices"
CONF = "/etc/nvpmodel.conf"
STATUS = "/var/lib/nvpmodel/status"
BOARD = "/opt/rig/board"
KNOBS = "/run/rig"
LOAD = f"{KNOBS}/load"
COMMAND = f"{KNOBS}/service"
PROCESSES = "/.proc"
"""Where the namespace's own procfs is; ``/proc`` holds links to it and some files of ours."""

_SHORT = 64


class Tree:
    """Files below *root*."""

    def __init__(self, root="/"):
        self.root = Path(root)

    def path(self, name):
        """Return the path of the absolute *name*."""
        return self.root / name.lstrip("/")

    def get(self, name):
        """Return a value."""
        return self.path(name).read_text().strip()

    def number(self, name):
        """Return a number."""
        return float(self.get(name))

    def put(self, name, value, mode=None):
        """Replace a value in one write, a long one by renaming."""
        path, data = self.path(name), str(value).encode()
        data += b"" if data.endswith((b"\n", b"\0")) else b"\n"
        if len(data) < _SHORT and path.exists():
            handle = os.open(path, os.O_WRONLY)
            os.pwrite(handle, data.ljust(os.fstat(handle).st_size, b"\n"), 0)
            os.close(handle)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(data)
        new.replace(path)
        if mode is not None:
            path.chmod(mode)

    def put_all(self, folder, values):
        """Put several *values* of one folder."""
        for name, value in values.items():
            self.put(f"{folder}/{name}", value)

    def link(self, name, target):
        """Make *name* a symbolic link."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
