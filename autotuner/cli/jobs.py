"""The verbs about jobs: list them, follow one, wish something of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from autotuner import client, locations
from autotuner.cli import endings
from autotuner.cli.progress import follow
from autotuner.client import Client
from autotuner.core.errors import InputError

_RANKS = {"running": 0, "queued": 1, "paused": 2, "ended": 3}


def list_jobs(chosen: argparse.Namespace) -> int:
    """Show the jobs, the newest last."""
    with client.connected(locations.state_dir(), chosen.host) as daemon:
        jobs = daemon.jobs()
    if chosen.json:
        print(json.dumps({"status": "ok", "jobs": jobs}, indent=2))
    elif jobs:
        Console(highlight=False).print(_table(jobs))
    else:
        print("No jobs yet; `autotune --max-latency 50ms --detach` makes one.")
    return 0


def attach(chosen: argparse.Namespace) -> int:
    """Follow a job as if this command had started it: Ctrl-C asks it to end."""
    return _follow(chosen, cancels=True)


def watch(chosen: argparse.Namespace) -> int:
    """Follow a job and touch nothing: Ctrl-C leaves."""
    return _follow(chosen, cancels=False)


def bridge(_: argparse.Namespace) -> int:
    """Carry messages between the daemon and whoever started this."""
    client.bridge(locations.state_dir(), sys.stdin.fileno(), sys.stdout.fileno())
    return endings.OK


def detach(job: str, *, as_json: bool) -> int:
    """Leave *job* to the daemon and say how to come back."""
    message = f"The job {job} goes on; `autotune attach {job}` follows it."
    print(json.dumps({"status": "ok", "job": job, "message": message}) if as_json else message)
    return endings.OK


def _follow(chosen: argparse.Namespace, *, cancels: bool) -> int:
    console = Console(stderr=chosen.json, highlight=False)
    with client.connected(locations.state_dir(), chosen.host) as daemon:
        job = find(daemon.jobs(), chosen.job)
        ending = follow(daemon, job, console, cancels=cancels)
    return endings.conclude(ending, console, as_json=chosen.json, debug=chosen.debug)


def _wish(wish: Callable[[Client, str], None], message: str) -> Callable[[argparse.Namespace], int]:
    def run(chosen: argparse.Namespace) -> int:
        with client.connected(locations.state_dir(), chosen.host) as daemon:
            job = find(daemon.jobs(), chosen.job)
            wish(daemon, job)
        said = message.format(job=job)
        document = {"status": "ok", "job": job, "message": said}
        print(json.dumps(document) if chosen.json else said)
        return endings.OK

    return run


def find(jobs: Sequence[Mapping[str, Any]], name: str | None) -> str:
    """Return the id of the job *name*, a whole id or the beginning of just one.

    Without a name it is the one that runs, else the next, else the last. Raises InputError.
    """
    if name is None:
        if not jobs:
            raise InputError("There is no job; `autotune --max-latency 50ms` starts one.")
        return str(min(reversed(jobs), key=lambda job: _RANKS[job["state"]])["job"])
    matches = [str(job["job"]) for job in jobs if str(job["job"]).startswith(name)]
    if name in matches or len(matches) == 1:
        return name if name in matches else matches[0]
    if matches:
        raise InputError(f"{name!r} could be any of {', '.join(matches)}; write more of it.")
    raise InputError(f"There is no job {name!r}; `autotune jobs` lists them.")


def _table(jobs: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("job", "kind", "state", "model", "priority", "submitted"):
        table.add_column(title, overflow="fold")
    for job in jobs:
        submitted = datetime.fromtimestamp(job["submitted"]).astimezone()
        table.add_row(
            job["job"],
            job["kind"],
            job["state"],
            job["model"],
            str(job["priority"]),
            f"{submitted:%Y-%m-%d %H:%M:%S}",
        )
    return table


cancel = _wish(
    lambda daemon, job: daemon.call_off(job), "The job {job} is asked to end with what it has."
)
pause = _wish(
    lambda daemon, job: daemon.pause(job), "The job {job} pauses after the trial in hand."
)
resume = _wish(lambda daemon, job: daemon.resume(job), "The job {job} goes on in its turn.")
