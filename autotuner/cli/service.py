"""The verb ``service``: this installation's systemd units, which the daemon's room knows."""

from __future__ import annotations

import argparse
import subprocess
import sys


def run(chosen: argparse.Namespace) -> int:
    """Hand the work to a program of its own, since a front end touches no system files."""
    command = [sys.executable, "-m", "autotuner.daemon.service", chosen.action]
    return subprocess.run(command, check=False).returncode
