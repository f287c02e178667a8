"""The client of the daemon; it starts a private one when none answers."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner import locations, wire
from autotuner.core.encoding import encode
from autotuner.core.errors import InputError, MachineError, ProtocolError
from autotuner.core.events import Ending, Event, decode_event
from autotuner.core.request import KINDS, Request

_START_S = 20.0
_READ_BYTES = 1 << 16


class DaemonGone(ProtocolError):  # noqa: N818 - a fact about the daemon
    """The daemon hung up."""

    def __init__(self) -> None:
        super().__init__("The daemon went away; run the command again, it goes on where it was.")


class Client:
    """A connection to the daemon of a state folder; a context manager."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self._ids = itertools.count(1)
        self._pending: deque[wire.Call] = deque()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def greet(self) -> None:
        """Make sure that both sides speak the same protocol; raises ProtocolError."""
        self._call("hello", protocol=wire.PROTOCOL)

    def models(self) -> Mapping[str, Any]:
        """Return the reference models: ``default`` and ``models``, descriptions by name."""
        models: Mapping[str, Any] = self._call("models")
        return models

    def submit(self, request: Request) -> str:
        """Hand *request* in and return the job's id; an equal request under way is joined."""
        kind = next(name for name, cls in KINDS.items() if isinstance(request, cls))
        answer = self._call("submit", kind=kind, request=encode(request))
        return str(answer["job"])

    def cancel(self, job: str) -> None:
        """Ask *job* to end with what it has."""
        self._send(wire.call("cancel", {"job": job}, next(self._ids)))

    def events(self, job: str, tick_s: float = 1.0) -> Iterator[Event | None]:
        """Yield the events of *job* until its ending, and None whenever *tick_s* went by.

        Raises DaemonGone when the daemon ends first.
        """
        self._call("subscribe", job=job, first=0)
        while True:
            message = self._receive(tick_s)
            if message is None:
                yield None
            elif isinstance(message, wire.Call) and message.method == "event":
                stamped = dict(message.params)
                for stamp in ("job", "n", "t"):
                    stamped.pop(stamp, None)
                event = decode_event(stamped)
                yield event
                if isinstance(event, Ending):
                    return

    def _call(self, method: str, **params: Any) -> Any:
        id_ = next(self._ids)
        self._send(wire.call(method, params, id_))
        while True:
            message = self._receive(None)
            if isinstance(message, wire.Call):
                self._pending.append(message)
            elif isinstance(message, wire.Reply) and message.id == id_:
                if message.error is not None:
                    raise InputError(message.error)
                return message.result

    def _send(self, line: bytes) -> None:
        if len(line) > wire.MAX_MESSAGE_BYTES:
            raise InputError("The request is too large; name fewer values.")
        try:
            self._socket.sendall(line)
        except OSError as error:
            raise DaemonGone from error

    def _receive(self, timeout_s: float | None) -> wire.Call | wire.Reply | None:
        """Return the next message, None when *timeout_s* went by without one."""
        if self._pending and timeout_s is not None:
            return self._pending.popleft()
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._socket], [], [], timeout_s)
            if not readable:
                return None
            try:
                received = self._socket.recv(_READ_BYTES)
            except OSError as error:
                raise DaemonGone from error
            if not received:
                raise DaemonGone
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return wire.parse(line)


@contextlib.contextmanager
def connected(state: Path) -> Iterator[Client]:
    """Connect to the daemon that keeps its state in *state*, starting a private one if need be.

    Raises StateError when the state folder cannot be used, MachineError when no daemon comes up.
    """
    locations.make_folder(state)
    path = locations.private_socket(state)
    with _greeted(state, path) as client:
        yield client


def _greeted(state: Path, path: Path) -> Client:
    while True:
        client = Client(_connect(path) or _start(state, path))
        try:
            client.greet()
        except DaemonGone:
            continue  # it was just ending itself; the next one is ours
        return client


def _connect(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def _start(state: Path, path: Path) -> socket.socket:
    log = state / "daemon.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotuner.daemon", str(state), str(path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C and a lost terminal are the client's affair
        )
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if connection := _connect(path):
            return connection
        if process.poll():
            break
        time.sleep(0.01)
    raise MachineError(f"The daemon does not start; see {log}.")
