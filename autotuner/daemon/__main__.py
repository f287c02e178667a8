"""``python -m autotuner.daemon``: a private daemon, the box's own, or its profile at boot."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autotuner.core.errors import AutotunerError, InputError


def main() -> None:
    """Do what the command line says; exit with one sentence when that cannot be done.

    The status is 2 when trying again would not help, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m autotuner.daemon")
    roles = parser.add_subparsers(dest="role", required=True)
    private = roles.add_parser("private", help="serve one user until nothing is left to do")
    private.add_argument("state", type=Path)
    private.add_argument("socket", type=Path)
    system = roles.add_parser("system", help="serve the box until told to end")
    system.add_argument("--job-units", action="store_true", help="run jobs as systemd services")
    system.add_argument("--metrics", metavar="HOST:PORT", help="answer Prometheus there")
    roles.add_parser("apply", help="put the applied profile in force, as at boot")
    chosen = parser.parse_args()
    try:
        _ROLES[chosen.role](chosen)
    except AutotunerError as error:
        sys.stderr.write(f"autotuned: {error}\n")
        sys.exit(2 if isinstance(error, InputError) else 1)


def _private(chosen: argparse.Namespace) -> None:
    from autotuner.daemon.private import serve_privately  # noqa: PLC0415 - each role its own

    serve_privately(chosen.state, chosen.socket)


def _system(chosen: argparse.Namespace) -> None:
    from autotuner.daemon.system import serve_box  # noqa: PLC0415

    serve_box(job_units=chosen.job_units, metrics_at=chosen.metrics)


def _apply(_: argparse.Namespace) -> None:
    from autotuner import active  # noqa: PLC0415
    from autotuner.daemon.boot import apply_at_boot  # noqa: PLC0415
    from autotuner.daemon.notify import notify  # noqa: PLC0415

    standing = apply_at_boot(active.on_this_box())
    said = f"{standing.applied.profile} is in force, verified" if standing else "nothing to apply"
    notify(f"STATUS={said}")
    sys.stdout.write(f"autotuner: {said}.\n")


_ROLES = {"private": _private, "system": _system, "apply": _apply}

if __name__ == "__main__":
    main()
