"""The client of the daemon; it starts a private one when none answers."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotuner import locations, sockets, wire
from autotuner.core.errors import InputError, MachineError
from autotuner.sockets import DaemonGone

if TYPE_CHECKING:
    from autotuner.core.events import Event
    from autotuner.core.request import Request

__all__ = ["Client", "DaemonGone", "bridge", "connected"]

_READ_BYTES = 1 << 16
_MOST_FAILURES = 10
_PAUSE_S = 0.05


class Client:
    """A connection to a daemon; a context manager.

    It has one subscription at a time: open another for telemetry beside events. *reconnect* finds
    the daemon again, or its successor, after it went away. Whatever the daemon refuses raises
    InputError with its words.
    """

    def __init__(
        self, connection: socket.socket, reconnect: Callable[[], socket.socket] | None = None
    ) -> None:
        self._socket = connection
        self._reconnect = reconnect
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

    def status(self) -> Mapping[str, Any]:
        """Return how the daemon and the box stand, as docs/protocol.md describes it."""
        found: Mapping[str, Any] = self._ask("status")
        return found

    def models(self) -> Mapping[str, Any]:
        """Return the reference models: ``default`` and ``models``, descriptions by name."""
        found: Mapping[str, Any] = self._ask("models")
        return found

    def doctor(self) -> list[dict[str, Any]]:
        """Return the checks of the machine: area, name, status, detail and perhaps fix."""
        return list(self._ask("doctor")["checks"])

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs, the newest last: job, kind, state, model, submitted, priority."""
        return list(self._ask("jobs")["jobs"])

    def submit(self, request: Request, priority: int = 0) -> str:
        """Hand *request* in and return the job's id; an equal request under way is joined."""
        from autotuner.core.encoding import encode  # noqa: PLC0415 - other questions need it not
        from autotuner.core.request import KINDS  # noqa: PLC0415

        kind = next(name for name, cls in KINDS.items() if isinstance(request, cls))
        answer = self._ask("submit", kind=kind, request=encode(request), priority=priority)
        return str(answer["job"])

    def cancel(self, job: str) -> None:
        """Ask *job* to end with what it has; nothing is waited for, so a signal handler may."""
        self._send(wire.call("cancel", {"job": job}, next(self._ids)))

    def call_off(self, job: str) -> None:
        """Ask *job* to end with what it has and wait until the daemon has understood."""
        self._ask("cancel", job=job)

    def pause(self, job: str) -> None:
        """Stop *job* after the trial in hand."""
        self._ask("pause", job=job)

    def resume(self, job: str) -> None:
        """Put a paused job back into the queue."""
        self._ask("resume", job=job)

    def profiles(self) -> list[dict[str, Any]]:
        """Return a summary of every profile on the box, the newest first."""
        return list(self._ask("profiles")["profiles"])

    def show(self, name: str) -> Mapping[str, Any]:
        """Return the profile *name*: ``path`` and ``profile``."""
        found: Mapping[str, Any] = self._ask("show", name=name)
        return found

    def apply(
        self, name: str | None = None, *, model: str | None = None, force: bool = False
    ) -> Mapping[str, Any]:
        """Apply a profile, by name or the newest proven one of *model*; return how it stands."""
        applied: Mapping[str, Any] = self._ask("apply", name=name, model=model, force=force)
        return applied

    def restore(self) -> None:
        """Put back what was there before a profile was applied."""
        self._ask("restore")

    def events(self, job: str, tick_s: float = 1.0) -> Iterator[Event | None]:
        """Yield the events of *job* until its ending, and None whenever *tick_s* went by.

        Raises DaemonGone when the daemon ends and none takes its place.
        """
        for stamped in self.stamped_events(job, tick_s=tick_s):
            yield stamped and stamped[2]

    def stamped_events(
        self, job: str, first: int = 0, tick_s: float = 1.0
    ) -> Iterator[tuple[int, float, Event] | None]:
        """Yield number, time in seconds since 1970 and event, from number *first* on.

        None whenever *tick_s* went by. When the daemon is killed the events go on where they were
        as soon as there is another; none is skipped and none comes twice.
        """
        from autotuner.core.events import Ending, decode_event  # noqa: PLC0415 - as in submit

        number, failures, subscribed = first, 0, False
        while True:
            try:
                if failures and not subscribed:
                    time.sleep(_PAUSE_S * failures)
                    self._renew()
                if not subscribed:
                    self._call("subscribe", job=job, first=number)
                    subscribed = True
                params = self._notification("event", tick_s)
            except DaemonGone:
                failures, subscribed = failures + 1, False
                if self._reconnect is None or failures > _MOST_FAILURES:
                    raise
                continue
            if params is None:
                yield None
                continue
            failures = 0
            fields = {k: v for k, v in params.items() if k not in {"job", "n", "t"}}
            number = params["n"] + 1
            event = decode_event(fields)
            yield params["n"], params["t"], event
            if isinstance(event, Ending):
                return

    def telemetry(self, interval_s: float = 1.0) -> Iterator[Mapping[str, Any]]:
        """Yield ``t`` and ``readings`` (name, value, unit, why) for as long as somebody asks."""
        self._call("telemetry", interval_s=interval_s)
        while (params := self._notification("telemetry", None)) is not None:
            yield params

    def relay(self, source: int, target: int) -> None:
        """Copy what *source* says to the daemon and what it answers to *target*, to the end."""
        while True:
            ours = self._socket.fileno()
            readable, _, _ = select.select([ours, source], [], [])
            if source in readable:
                said = os.read(source, _READ_BYTES)
                if not said:
                    return
                self._socket.sendall(said)
            if ours in readable:
                answered = self._socket.recv(_READ_BYTES)
                if not answered:
                    return
                while answered:
                    answered = answered[os.write(target, answered) :]

    def _notification(self, method: str, tick_s: float | None) -> Mapping[str, Any] | None:
        """Return the parameters of the next notification, None when *tick_s* went by."""
        while True:
            message = self._pending.popleft() if self._pending else self._receive(tick_s)
            if message is None:
                return None
            if isinstance(message, wire.Call) and message.method == method:
                return message.params

    def _renew(self) -> None:
        assert self._reconnect is not None
        self._socket.close()
        self._socket = self._reconnect()
        self._buffer = b""
        self._pending.clear()
        self.greet()

    def _ask(self, method: str, **params: Any) -> Any:
        """Return what the daemon answers, or its successor where it was just ending.

        Whatever is asked may be asked twice: it does no more than once.
        """
        for failures in range(_MOST_FAILURES):
            try:
                if failures:
                    time.sleep(_PAUSE_S * failures)
                    self._renew()
                return self._call(method, **params)
            except DaemonGone:
                if self._reconnect is None:
                    raise
        raise DaemonGone

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
def connected(state: Path, host: str | None = None) -> Iterator[Client]:
    """Connect to the box's daemon, or else to the private one that keeps its state in *state*.

    The private one is started if need be; it is the only choice when the state folder was chosen
    with AUTOTUNE_STATE_DIR. With *host* it is the daemon there that is spoken to, through ssh.
    Raises StateError when the state folder cannot be used, MachineError when no daemon comes up.
    """
    with _of_host(host) if host is not None else (_of_box() or _private(state)) as client:
        yield client


def bridge(state: Path, source: int, target: int) -> None:
    """Copy between the daemon and two file descriptors until either side hangs up.

    This is what runs at the other end of ``--host``.
    """
    with connected(state) as client:
        client.relay(source, target)


def _of_host(host: str) -> Client:
    client = Client(sockets.through_ssh(host), lambda: sockets.through_ssh(host))
    try:
        client.greet()
    except DaemonGone as error:
        raise MachineError(
            f"No daemon answers on {host}: ssh has said why, or `{sockets.remote_command()}` is "
            "not found there; name it with AUTOTUNE_REMOTE."
        ) from error
    return client


def _of_box() -> Client | None:
    if "AUTOTUNE_STATE_DIR" in os.environ and "AUTOTUNE_SOCKET" not in os.environ:
        return None
    path = locations.system_socket()
    connection = sockets.connect(path)
    if connection is None:
        return None
    client = Client(connection, lambda: sockets.wait_for(path))
    client.greet()
    return client


def _private(state: Path) -> Client:
    locations.make_folder(state)
    path = locations.private_socket(state)
    for _ in range(_MOST_FAILURES):
        try:
            client = Client(sockets.private(state, path), lambda: sockets.private(state, path))
            client.greet()
        except DaemonGone:
            continue  # it was just ending itself; the next one is ours
        return client
    raise DaemonGone
