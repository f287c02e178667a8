"""The jtop service of jetson-stats, asked by a process of its own.

The client blocks without limit on a service that hangs and changes how its process would start
others; and its licence (AGPL) stays its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autotuner.host.power.tool import run
from autotuner.host.sensors.base import CLOSED, Missing, Reading

PYTHONS = (sys.executable, "/usr/bin/python3")
"""The interpreters for which jetson-stats may be installed."""

_CLIENT = Path(__file__).with_name("client.py")
_START_S = 20.0
_DEADLINE_S = 5.0
_READ_BYTES = 1 << 16
_UNITS = {"mhz": "MHz", "percent": "%", "w": "W", "c": "C", "mib": "MiB"}
_SOCKET = "run/jtop.sock"


class JtopSensor:
    """Shows what the jtop service shows once a second; n/a when it has not for five seconds.

    *command* writes it, as ``client.py`` beside this file does. Reading never waits.
    """

    name = "jtop"

    def __init__(
        self, command: Sequence[str], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock_s = clock_s
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._pending = b""
        self._figures: Mapping[str, float] = {}
        self._seen_s = clock_s()
        self._why: str | None = None

    def read(self) -> Sequence[Reading]:
        """Return the service's last figures, or why there are none."""
        self._take()
        if self._why is None and self._clock_s() - self._seen_s > _DEADLINE_S:
            self._why = f"the jtop service has not answered for {_DEADLINE_S:g} s"
        if self._why is None:
            return tuple(_reading(name, value) for name, value in self._figures.items())
        names = self._figures or ("jtop",)
        return tuple(_reading(name, None, self._why) for name in names)

    def close(self) -> None:
        """End the process, whatever it hangs in."""
        self._why = CLOSED
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _take(self) -> None:
        """Take the lines that are there and keep the last."""
        if self._why == CLOSED:
            return
        try:
            while received := os.read(self._output, _READ_BYTES):
                self._pending += received
        except BlockingIOError:
            pass
        else:
            self._why = self._why or "the helper that asks the jtop service has ended"
        *lines, self._pending = self._pending.split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
                self._why = said.get("why")
                self._figures = said.get("figures", self._figures)
            except (ValueError, AttributeError):
                self._why = "the helper that asks the jtop service writes something else than JSON"
            self._seen_s = self._clock_s()


def _reading(name: str, value: float | None, why: str | None = None) -> Reading:
    unit = _UNITS.get(name.rpartition("_")[2], "")
    return Reading(name=name, value=value, unit=unit, why=why)


def find(root: Path, pythons: Sequence[str] = PYTHONS) -> JtopSensor | Missing:
    """Return the sensor of the machine at *root*."""
    path = root / _SOCKET
    if not path.is_socket():
        return Missing(
            name="jtop",
            why="the jtop service is not active",
            fix="sudo pip3 install jetson-stats && sudo jtop --install-service, then log in anew",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        return Missing(
            name="jtop",
            why="this user is not in the group jtop",
            fix="sudo usermod -aG jtop $USER, then log in anew (the group is as good as root)",
        )
    for python in pythons:
        if run([python, "-c", "import jtop"], _START_S).status == 0:
            return JtopSensor([python, str(_CLIENT)])
    return Missing(
        name="jtop",
        why=f"jetson-stats is installed for none of {', '.join(pythons)}",
        fix=f"{sys.executable} -m pip install 'edge-autotune[jetson]'",
    )
