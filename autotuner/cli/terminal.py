"""The verb ``tui``: start the terminal interface, here, on another box or in a browser."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from autotuner import locations
from autotuner.core.errors import InputError

HELP: Mapping[str, str] = {
    "tui": "watch this box or another one live: machine, search, trials, profiles",
}
_CONNECTION_LOST = 255
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_STEADY_S = 10.0


def _add_tui(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "job", nargs="?", metavar="JOB", help="its id (default: the running one, else the newest)"
    )
    verb.add_argument(
        "--host",
        metavar="USER@BOX",
        help="watch that box over ssh; a lost connection comes back by itself",
    )
    verb.add_argument(
        "--web", action="store_true", help="serve it to a browser (needs edge-autotune[web])"
    )
    verb.add_argument(
        "--port", type=int, default=8000, metavar="N", help="port for --web (default 8000)"
    )
    verb.add_argument(
        "--address",
        default="localhost",
        metavar="NAME",
        help="address for --web (default localhost; whoever reaches another can act as you)",
    )
    verb.add_argument("--theme", choices=("auto", "dark", "light", "ansi"))
    verb.add_argument("--glyphs", choices=("auto", "braille", "block", "ascii"))
    verb.add_argument("--lite", action="store_true", help="for thin lines: fewer colours and bytes")
    verb.add_argument("--read-only", action="store_true", help="change nothing, whatever is typed")


OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {"tui": _add_tui}


def run(chosen: argparse.Namespace) -> int:
    """Show the terminal interface until the user leaves it."""
    if chosen.json:
        raise InputError("The terminal interface prints no JSON; `autotune status --json` does.")
    shared = [f"--{name}={value}" for name in _NAMED if (value := getattr(chosen, name))]
    shared += ["--lite"] if chosen.lite else []
    shared += ["--read-only"] if chosen.read_only else []
    if chosen.host is not None:
        job = [chosen.job] if chosen.job else []
        return _elsewhere(["ssh", "-t", chosen.host, "autotune", "tui", *job, *shared])
    if chosen.job:
        shared.append(f"--job={chosen.job}")
    if chosen.web:
        _become(["tui.web", f"--port={chosen.port}", f"--address={chosen.address}"], shared)
    if not _on_terminal():
        raise InputError(
            "The terminal interface needs a terminal; `autotune watch` follows a job in lines."
        )
    _become(["tui"], shared)
    raise AssertionError("this process is the terminal interface now")


def _become(module: Sequence[str], options: Sequence[str]) -> None:
    """Let this process become the terminal interface, which nothing here may import."""
    sys.stdout.flush()
    state = f"--state={locations.state_dir()}"
    os.execv(sys.executable, [sys.executable, "-m", *module, state, *options])  # noqa: S606


def _elsewhere(command: Sequence[str]) -> int:
    """Run *command* until the user leaves; ssh alone says 255, when the connection is lost."""
    wait_s = _FIRST_RETRY_S
    while True:
        began = time.monotonic()
        status = subprocess.run(command, check=False).returncode
        if status != _CONNECTION_LOST:
            return status
        if time.monotonic() - began > _STEADY_S:
            wait_s = _FIRST_RETRY_S
        elif wait_s >= _LONGEST_RETRY_S:
            return status
        print(f"The connection was lost; trying again in {wait_s:.0f} s. Ctrl-C leaves.")
        time.sleep(wait_s)
        wait_s = min(_LONGEST_RETRY_S, wait_s * 2)


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


_NAMED = ("theme", "glyphs")
