"""The verb ``tui``: start the terminal interface, here, on another box or in a browser."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from autotuner import locations
from autotuner.core.errors import InputError

HELP: Mapping[str, str] = {
    "tui": "watch this box or another one live: machine, search, trials, profiles",
}


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
    """Become the terminal interface, which nothing here may import."""
    if chosen.json:
        raise InputError("The terminal interface prints no JSON; `autotune status --json` does.")
    options = [f"--{name}={value}" for name in _NAMED if (value := getattr(chosen, name))]
    options += ["--lite"] if chosen.lite else []
    options += ["--read-only"] if chosen.read_only else []
    if chosen.web:
        become("tui.web", f"--port={chosen.port}", f"--address={chosen.address}", *options)
    if not on_terminal():
        raise InputError(
            "The terminal interface needs a terminal; `autotune watch` follows a job in lines."
        )
    become("tui", *options)


def opens(chosen: argparse.Namespace) -> bool:
    """Say whether a search is shown in the terminal interface instead of in lines."""
    plain = chosen.json or chosen.debug or chosen.verb != "tune" or chosen.plain or chosen.dry_run
    return not plain and on_terminal()


def on_terminal() -> bool:
    """Say whether there is a terminal to show the interface on."""
    return os.isatty(0) and os.isatty(1) and os.environ.get("TERM") != "dumb"


def become(module: str, *options: str) -> NoReturn:
    """Let this process become the Python *module* with *options* and the state folder."""
    sys.stdout.flush()
    state = f"--state={locations.state_dir()}"
    os.execv(sys.executable, [sys.executable, "-m", module, state, *options])  # noqa: S606


_NAMED = ("job", "host", "theme", "glyphs")
