"""The verbs about this box: put a profile in force, put back what was, say how it stands."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from autotuner import client, locations
from autotuner.cli import daemon_options
from autotuner.cli.parser import Parser, add_verbs, with_output

OK, DIFFERENT = 0, 1


def run(arguments: Sequence[str]) -> int:
    """Run a verb about the box and return the exit status.

    Its options are those of the whole command line, without loading what only others need.
    """
    parser = Parser(prog="autotune")
    options = {verb: with_output(daemon_options.OPTIONS[verb]) for verb in VERBS}
    add_verbs(parser.add_subparsers(dest="verb"), options, daemon_options.HELP)
    chosen = parser.parse_args(arguments)
    return VERBS[chosen.verb](chosen)


def apply(chosen: argparse.Namespace) -> int:
    """Put a profile in force; 1 when it does not read back as it was set."""
    name = chosen.name
    if name is not None and Path(name).is_file():
        name = str(Path(name).absolute())  # the daemon has a folder of its own
    with client.connected(locations.state_dir()) as daemon:
        applied = daemon.apply(name, model=_model(chosen.model), force=chosen.force)
    if chosen.json:
        print(json.dumps({"status": "ok", "applied": applied}, indent=2))
    else:
        print("\n".join(_lines(applied)))
    return OK if applied["verified"] else DIFFERENT


def restore(chosen: argparse.Namespace) -> int:
    """Put back what was there before."""
    with client.connected(locations.state_dir()) as daemon:
        daemon.restore()
    message = "What was there before is back; no profile is in force."
    print(json.dumps({"status": "ok", "message": message}) if chosen.json else message)
    return OK


def status(chosen: argparse.Namespace) -> int:
    """Say how the box stands; 1 when an applied profile is not in force as it was applied."""
    with client.connected(locations.state_dir(), chosen.host) as daemon:
        found = daemon.status()
    applied = found["applied"]
    if chosen.json:
        print(json.dumps({"status": "ok", **found}, indent=2))
    else:
        print("\n".join(_lines(applied) if applied else ["No profile is in force."]))
        kind = "The box's daemon" if found["system"] else "A private daemon"
        print(f"{kind} (process {found['pid']}, version {found['version']}) serves {found['user']}")
        print(f"Running: {found['running'] or 'nothing'}; {found['queued']} in the queue.")
        for note in found["notes"]:
            print(note)
    return OK if applied is None or applied["verified"] else DIFFERENT


def _model(text: str | None) -> str | None:
    """Return a path as an absolute one; a name as it is."""
    return str(Path(text).absolute()) if text is not None and Path(text).is_file() else text


def _lines(applied: Mapping[str, Any]) -> list[str]:
    since = datetime.fromtimestamp(applied["since"]).astimezone()
    state = "verified now" if applied["verified"] else "NOT as it was applied"
    return [
        f"In force: {applied['profile']}",
        f"  model {applied['model']}, power mode {applied['power_mode']}",
        f"  applied by {applied['by']} on {since:%Y-%m-%d %H:%M:%S}, {state}",
        *(f"  {difference}" for difference in applied["differences"]),
    ]


VERBS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "apply": apply,
    "restore": restore,
    "status": status,
}
