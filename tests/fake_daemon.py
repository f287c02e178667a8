"""A daemon whose jobs are fakes: ``python fake_daemon.py STATE_DIR SOCKET``."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

from fake_jobs import FakeLauncher

from autotuner.active import ActiveProfile, Sites
from autotuner.daemon.access import OwnerAccess
from autotuner.daemon.methods import Daemon
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.server import Server
from autotuner.daemon.shelf import Shelf


class NoteLauncher(FakeLauncher):
    """Jobs that say 2000 notes of 1 KiB each and never end."""

    async def start(self, folder, log):
        """Start a job that has said it all."""
        process = await super().start(folder, log)
        process.say(*[{"event": "note", "text": "x" * 1024}] * 2000)
        return process


async def serve(state, path):
    """Serve until told to end."""
    daemon = Daemon(
        queue=JobQueue(state / "jobs", NoteLauncher(), hold=True),
        shelf=Shelf(state / "profiles"),
        active=ActiveProfile(Sites(state=state, published=state / "active", lock=state / "lock")),
        state=state,
        system=False,
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        await Server(daemon, OwnerAccess()).serve(listening, until=asyncio.Event().wait)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
