"""The rig from outside: started, entered, ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from jetson_rig.files import COMMAND, KNOBS
from jetson_rig.inside import USERS

SITE = "/opt/rig/site/sitecustomize.py"
_TOLD = re.compile(
    r"cur_freq|/rate:|/load:|/temp:|curr\d_input|mc_all|target_freq|cpu/online|/cgroup/"
)
"""What the hardware tells and nobody sets."""
_START_S = 60.0
_POLL_S = 0.05


class Rig:
    """A rig whose files are in *folder*; it may be running already, started by somebody else."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._number = self.folder.with_suffix(".pid")
        self._process = None

    def up(self, board, *, jtop_python=None, shared=()):
        """Start the rig and wait until it has booted.

        *jtop_python* is an interpreter that has jetson-stats, whose service is started then;
        *shared* are folders that are the same inside and outside.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        namespace = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        program = "from jetson_rig.inside import main; main()"
        arguments = [self.folder, board, jtop_python or "-", *map(Path, shared)]
        with self.folder.with_suffix(".log").open("w") as log:
            process = self._process = subprocess.Popen(
                ["unshare", *namespace, sys.executable, "-c", program, "init", *arguments],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ready = "/run/jtop.sock" if jtop_python else COMMAND
        deadline = time.monotonic() + _START_S
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if not children:
                continue
            self._number.write_text(children[0])
            if self.run("test", "-e", ready, stderr=subprocess.DEVNULL).returncode == 0:
                return
        process.kill()
        process.wait()
        said = self.folder.with_suffix(".log").read_text()
        raise RuntimeError(f"the rig did not start:\n{said}")

    def command(self, *arguments, user=None):
        """Return the command that runs *arguments* inside, as root or as a *user* of the rig."""
        number = self._number.read_text()
        folder = Path(sys.executable).parent
        settings = [
            "PYTHONPATH=/opt/rig/site",
            f"PATH={folder}:/usr/sbin:/usr/bin:/sbin:/bin",
            *(("HOME=/tmp", f"USER={user}") if user else ("HOME=/root",)),
        ]
        who = []
        if user is not None:
            identity = str(USERS[user])
            who = ["setpriv", "--reuid", identity, "--regid", identity, "--init-groups"]
        enter = ["nsenter", "-t", number, "-m", "-p", "-r", "-w"]
        return [*enter, *who, "env", *settings, *map(str, arguments)]

    def run(self, *arguments, user=None, **options):
        """Run a command inside to its end and return what it did."""
        command = self.command(*arguments, user=user)
        options.setdefault("check", False)
        return subprocess.run(command, text=True, **options)  # noqa: PLW1510 - it is set

    def start(self, *arguments, user=None, **options):
        """Start a command inside; killing the process returned does not kill the command."""
        return subprocess.Popen(self.command(*arguments, user=user), text=True, **options)

    def knob(self, name, value):
        """Turn ``cpu_util``, ``gpu_demand``, ``ambient`` or ``nvpmodel_fault``."""
        self._put(f"{KNOBS}/{name}", value)

    def settings(self):
        """Return every value below ``/sys`` that can be set, and the number of the mode."""
        places = ("/sys/devices", "/sys/kernel", "/sys/class/hwmon", "/var/lib/nvpmodel")
        found = self.run("grep", "-rs", "", *places, capture_output=True).stdout.splitlines()
        return {line for line in found if not _TOLD.search(line) and not line.endswith(":")}

    def at_start(self, program):
        """Let every Python that starts inside from now on run *program* first."""
        self.run("tee", "-a", SITE, input=program, stdout=subprocess.DEVNULL, check=True)

    def service(self, command):
        """Let jtop's service ``start``, ``stop``, ``suspend``, ``resume``, the board ``reboot``."""
        self._put(COMMAND, command)
        deadline = time.monotonic() + _START_S
        while self._get(COMMAND) and time.monotonic() < deadline:
            time.sleep(_POLL_S)

    def down(self):
        """End every process of the rig; nothing of it is left."""
        if self._number.exists():
            number = int(self._number.read_text())
            os.kill(number, signal.SIGKILL)
            self._number.unlink()
            deadline = time.monotonic() + _START_S
            if self._process is not None:
                self._process.wait()
            while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
                time.sleep(_POLL_S)

    def _put(self, name, value):
        self.run("tee", name, input=str(value), stdout=subprocess.DEVNULL, check=True)

    def _get(self, name):
        return self.run("cat", name, capture_output=True, check=True).stdout.strip()
