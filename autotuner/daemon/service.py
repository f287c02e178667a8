"""The systemd units of this installation: put in place, looked at, taken away again.

``python -m autotuner.daemon.service install|remove|status``, which `autotune service` runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from autotuner import client, data, durable, locations
from autotuner.core.errors import AutotunerError, MachineError, StateError
from autotuner.daemon.access import GROUP
from autotuner.host.conflicts import conflicts

UNITS = (
    "autotuned.socket",
    "autotuned.service",
    "autotuner-apply.service",
    "autotuner-resume.service",
    "autotuner-job@.service",
)
ENABLED = UNITS[:4]

_PLACES = {
    **{unit: f"etc/systemd/system/{unit}" for unit in UNITS},
    "autotuner.sysusers": "etc/sysusers.d/autotuner.conf",
    "autotuner.tmpfiles": "etc/tmpfiles.d/autotuner.conf",
}


class Run(Protocol):
    """Runs a program and returns its exit status and what it said."""

    def __call__(self, *command: str) -> tuple[int, str]:
        """Run *command*."""


def run(*command: str) -> tuple[int, str]:
    """Run *command* to its end."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def restore() -> None:
    """Let the daemon put back what was there before a profile was applied."""
    with client.connected(locations.state_dir()) as daemon:
        daemon.restore()


class Service:
    """The units below *root*, which start *python* of this installation."""

    def __init__(
        self,
        *,
        root: Path = Path("/"),
        python: str = sys.executable,
        run: Run = run,
        restore: Callable[[], None] = restore,
    ) -> None:
        self._root = root
        self._python = python
        self._run = run
        self._restore = restore

    def install(self) -> Iterator[str]:
        """Put every unit in place, enable and start it; yield what was done. Raises StateError.

        Doing it again does no harm: what is in place stays as it is.
        """
        changed = [path for path, text in self._texts().items() if _content(path) != text]
        for path, text in self._texts().items():
            if path in changed:
                self._write(path, text)
                yield f"Wrote {path}."
        for command in (
            ("systemd-sysusers", _PLACES["autotuner.sysusers"]),
            ("systemd-tmpfiles", "--create", _PLACES["autotuner.tmpfiles"]),
        ):
            self._must(*command[:-1], str(self._root / command[-1]))
        self._must("systemctl", "daemon-reload")
        self._must("systemctl", "enable", "--quiet", *ENABLED)
        if changed and self._is("active", "autotuned.service"):
            self._must("systemctl", "restart", "autotuned.service")
        self._must("systemctl", "start", "autotuned.socket", "autotuned.service")
        yield "The daemon runs, and an applied profile is put in force at every boot."
        yield f"Members of the group {GROUP} may use it: usermod -aG {GROUP} USER."
        yield from self._conflicts()

    def remove(self) -> Iterator[str]:
        """Put the machine's own state back, stop and take away all that was installed.

        Yields what was done. Profiles, studies and jobs stay where they are.
        """
        there = [path for path in self._texts() if path.exists()]
        if there:
            self._restore()
            self._run("systemctl", "disable", "--quiet", "--now", *reversed(ENABLED))
        for path in there:
            path.unlink()
            yield f"Removed {path}."
        shutil.rmtree(self._root / "run/autotuner", ignore_errors=True)
        (self._root / "run/lock/autotuner.lock").unlink(missing_ok=True)
        self._run("systemctl", "daemon-reload")
        self._run("systemctl", "reset-failed", *ENABLED)
        if self._run("getent", "group", GROUP)[0] == 0:
            self._must("groupdel", GROUP)
            yield f"Removed the group {GROUP}."
        state = self._root / "var/lib/autotuner"
        if state.is_dir():
            yield f"Profiles and studies stay in {state}; remove it when nobody wants them."
        if not there:
            yield "Nothing was installed."

    def status(self) -> Iterator[str]:
        """Yield how the units stand, a sentence each."""
        for path, text in self._texts().items():
            found = _content(path)
            if found is None:
                yield f"{path} is missing; `sudo autotune service install` puts it there."
            elif found != text:
                yield f"{path} is of another version; `sudo autotune service install` renews it."
        for unit in ENABLED:
            _, enabled = self._run("systemctl", "is-enabled", unit)
            _, active = self._run("systemctl", "is-active", unit)
            yield f"{unit}: {enabled or 'not found'}, {active or 'not found'}"
        yield from self._conflicts()

    def _conflicts(self) -> Iterator[str]:
        """Yield who else sets clocks: one of them and we would undo each other."""
        for check in conflicts(self._root):
            if check.status == "attention":
                yield f"Warning: {check.name}: {check.detail}. What to do: {check.fix}."

    def _texts(self) -> dict[Path, str]:
        shipped = data.resource("systemd")
        return {
            self._root / place: shipped.joinpath(name)
            .read_text(encoding="utf-8")
            .replace("@PYTHON@", self._python)
            for name, place in _PLACES.items()
        }

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(path, text.encode())
        except OSError as error:
            raise StateError(f"{path} cannot be written: {error.strerror}; use sudo.") from error

    def _must(self, *command: str) -> None:
        status, said = self._run(*command)
        if status:
            raise StateError(f"`{' '.join(command)}` failed: {said or status}.")

    def _is(self, what: str, unit: str) -> bool:
        return self._run("systemctl", f"is-{what}", "--quiet", unit)[0] == 0


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


ACTIONS: Mapping[str, Callable[[Service], Iterator[str]]] = {
    "install": Service.install,
    "remove": Service.remove,
    "status": Service.status,
}


def main() -> None:
    """Do what the command line says; exit with 2 and one sentence when that cannot be done."""
    action = sys.argv[1]
    try:
        if action != "status" and os.geteuid() != 0:
            raise MachineError(f"This takes root: `sudo autotune service {action}`.")
        if not Path("/run/systemd/system").is_dir():
            raise MachineError("systemd does not run here, and a service needs it.")
        for sentence in ACTIONS[action](Service()):
            sys.stdout.write(f"{sentence}\n")
    except AutotunerError as error:
        sys.stderr.write(f"autotune: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
