"""Tell the service manager how the daemon is (sd_notify(3), sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket

_FIRST_FD = 3


def notify(*lines: str) -> None:
    """Send *lines* such as ``READY=1``; without a service manager nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.connect("\0" + address[1:] if address.startswith("@") else address)
        manager.sendall("\n".join(lines).encode())


def watchdog_s() -> float | None:
    """Return within how many seconds the service manager wants to hear of us, if at all."""
    wanted = os.environ.get("WATCHDOG_USEC")
    return int(wanted) / 1e6 if wanted else None


def passed_socket() -> socket.socket | None:
    """Return the listening socket that the service manager holds for us, if it does."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    return socket.socket(fileno=_FIRST_FD)
