"""The daemon: clients served and jobs run over one socket, until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from autotuner import wire
from autotuner.daemon.access import Access, peer_of
from autotuner.daemon.connection import Connection, Subscribe
from autotuner.daemon.methods import Caller, Daemon, Methods
from autotuner.daemon.metrics import Snapshot
from autotuner.daemon.telemetry import Telemetry

_TICK_S = 0.1
_IDLE_S = 1.0
_FIRST_CLIENT_S = 20.0
_MOST_CLIENTS = 64


class Server:
    """Serves clients of *daemon*, to whom *access* grants what they may do."""

    def __init__(self, daemon: Daemon, access: Access) -> None:
        self._daemon = daemon
        self._queue = daemon.queue
        self._access = access
        self._telemetry = Telemetry()
        self._clients = 0
        self._served = False

    async def serve(self, listening: socket.socket, until: Callable[[], Awaitable[None]]) -> None:
        """Serve on the bound socket *listening* until *until* returns or SIGTERM comes.

        What runs then is stopped; the next daemon goes on with it.
        """
        loop = asyncio.get_running_loop()
        server = await asyncio.start_unix_server(
            self._client, sock=listening, limit=wire.MAX_MESSAGE_BYTES
        )
        tasks = {asyncio.ensure_future(until()), asyncio.create_task(self._queue.work())}
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        tasks.add(asyncio.create_task(_wait(told)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what ended it
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await self._queue.stop()

    async def snapshot(self) -> Snapshot:
        """Return how everything stands now."""
        methods = Methods(self._daemon, Caller(name="", may=frozenset()))
        running = self._queue.running
        readings = await self._telemetry.latest()
        return Snapshot(
            status=await methods.status(),
            jobs=methods.jobs()["jobs"],
            trial=running.trial if running else None,
            readings=[(r.name, r.value, r.unit) for r in readings if r.value is not None],
        )

    async def idle(self) -> None:
        """Return when there was neither a client nor a job for a while."""
        left_s = _FIRST_CLIENT_S
        while left_s > 0:
            await asyncio.sleep(_TICK_S)
            if self._clients or self._queue.busy:
                left_s = _IDLE_S
            else:
                left_s = min(left_s - _TICK_S, _IDLE_S if self._served else _FIRST_CLIENT_S)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._clients >= _MOST_CLIENTS:
            text = "The daemon has too many clients; close one."
            with contextlib.suppress(ConnectionError):
                writer.write(wire.error(None, wire.REFUSED, text))
            writer.close()
            return
        self._served = True
        self._clients += 1
        try:
            peer = peer_of(writer.get_extra_info("socket"))
            caller = Caller(name=peer.name, may=self._access.levels(peer))
            subscriptions: dict[str, tuple[str, Subscribe]] = {
                "subscribe": ("event", self._events),
                "telemetry": ("telemetry", self._telemetry.readings),
            }
            methods = Methods(self._daemon, caller)
            await Connection(reader, writer, methods, subscriptions).serve()
        finally:
            self._clients -= 1

    def _events(self, job: str, first: int = 0) -> AsyncGenerator[dict[str, Any], None]:
        wanted = self._queue[job]
        wanted.release()
        return wanted.events(first)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
