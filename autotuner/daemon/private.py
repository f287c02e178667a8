"""A private daemon: started by a client for its user, gone when nothing is left to do."""

from __future__ import annotations

import asyncio
import fcntl
import socket
from pathlib import Path

from autotuner import active
from autotuner.daemon.access import OwnerAccess
from autotuner.daemon.methods import Daemon
from autotuner.daemon.process import ChildLauncher
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.server import Server
from autotuner.daemon.shelf import Shelf


def serve_privately(state: Path, path: Path) -> None:
    """Serve on the socket at *path* until idle; return at once when another daemon does already."""
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        path.unlink(missing_ok=True)  # left behind by a daemon that was killed
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(str(path))
            path.chmod(0o600)
            try:
                asyncio.run(_serve(state, listening))
            finally:
                path.unlink(missing_ok=True)


async def _serve(state: Path, listening: socket.socket) -> None:
    daemon = Daemon(
        queue=JobQueue(state / "jobs", ChildLauncher(), hold=True),
        shelf=Shelf(state / "profiles"),
        active=active.on_this_box(),
        state=state,
        system=False,
    )
    server = Server(daemon, OwnerAccess())
    await server.serve(listening, until=server.idle)
