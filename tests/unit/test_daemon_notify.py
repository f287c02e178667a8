from __future__ import annotations

import os
import socket

import pytest

from autotuner.daemon import notify


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path, monkeypatch):
    """Return the socket of a pretended service manager."""
    address = f"@autotuner-test-{os.getpid()}"
    if request.param == "path":
        address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        listening.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listening


def test_the_service_manager_hears_of_us(manager):
    """All lines in one message."""
    notify.notify("READY=1", "STATUS=Idle")
    assert manager.recv(100) == b"READY=1\nSTATUS=Idle"


def test_without_a_service_manager_nothing_happens(monkeypatch):
    """A daemon may be started by hand."""
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_PID"):
        monkeypatch.delenv(name, raising=False)
    notify.notify("READY=1")
    assert notify.watchdog_s() is None
    assert notify.passed_socket() is None


def test_the_watchdog_has_a_timeout(monkeypatch):
    """In seconds."""
    monkeypatch.setenv("WATCHDOG_USEC", "2500000")
    assert notify.watchdog_s() == 2.5


def test_a_socket_meant_for_another_process_is_not_taken(monkeypatch):
    """Environments are inherited."""
    monkeypatch.setenv("LISTEN_PID", "1")
    assert notify.passed_socket() is None
