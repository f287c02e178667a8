"""What can be typed for the verbs that speak to the daemon about jobs and the box."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

BOX = frozenset({"apply", "restore", "status"})
"""The verbs about the box itself."""

HELP: Mapping[str, str] = {
    "apply": "put a profile in force on this box, now and at every boot",
    "restore": "put back what was there before a profile was applied",
    "status": "say which profile is in force and what the daemon does",
    "service": "install, remove or look at the systemd service of this box",
    "config": "check the daemon's configuration file",
    "jobs": "list the jobs of this box",
    "attach": "follow a job as if it had been started here; Ctrl-C ends it",
    "watch": "follow a job without touching it",
    "cancel": "ask a job to end with what it has",
    "pause": "stop a job after the trial in hand",
    "resume": "let a paused job go on",
    "bridge": "speak the daemon's protocol over standard input and output, for --host",
}


def add_detaching(verb: argparse.ArgumentParser) -> None:
    """Give *verb* the options of a job that is started and left alone."""
    job = verb.add_argument_group("the job")
    job.add_argument(
        "--detach", action="store_true", help="leave the job to the daemon and return at once"
    )
    job.add_argument(
        "--priority",
        type=int,
        default=0,
        metavar="N",
        help="from -100 to 100; of the jobs that wait, the highest runs first (default 0)",
    )


def _add_host(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--host", metavar="USER@BOX", help="ask the daemon of another box, through your own ssh"
    )


def _add_job(verb: argparse.ArgumentParser) -> None:
    _add_host(verb)
    verb.add_argument(
        "job", nargs="?", metavar="JOB", help="its id or the beginning of it (default: the running)"
    )


def _add_named_job(verb: argparse.ArgumentParser) -> None:
    _add_host(verb)
    verb.add_argument("job", metavar="JOB", help="its id or the beginning of it")


def _add_nothing(verb: argparse.ArgumentParser) -> None:
    """Leave *verb* with the options of every verb."""


def _add_apply(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", nargs="?", metavar="PROFILE", help="a profile's name or path")
    verb.add_argument(
        "--model", metavar="MODEL", help="apply the newest proven profile of this model instead"
    )
    verb.add_argument(
        "--force", action="store_true", help="also a profile that is not fit for this box"
    )


def _add_service(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("action", choices=("install", "remove", "status"))


def _add_config(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("action", choices=("check",))
    verb.add_argument("file", nargs="?", metavar="FILE", help="(default: the daemon's own)")


OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "apply": _add_apply,
    "restore": _add_nothing,
    "status": _add_host,
    "service": _add_service,
    "config": _add_config,
    "jobs": _add_host,
    "attach": _add_job,
    "watch": _add_job,
    "cancel": _add_named_job,
    "pause": _add_named_job,
    "resume": _add_named_job,
    "bridge": _add_nothing,
}
