"""The daemon's socket: JSON-RPC 2.0 over a UNIX socket, one message a line."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import autotuner
from autotuner import wire
from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError, InputError, ProtocolError
from autotuner.core.request import KINDS
from autotuner.daemon.jobs import Job, Jobs
from autotuner.model import reference

_TICK_S = 0.1
_IDLE_S = 1.0
_FIRST_CLIENT_S = 20.0


class Server:
    """Answers clients; it ends by itself when nothing is to do and nobody to serve."""

    def __init__(self, state: Path) -> None:
        self._jobs = Jobs(state / "jobs")
        self._clients = 0
        self._methods: Mapping[str, Callable[..., Any]] = {
            "hello": self._hello,
            "models": self._models,
            "submit": self._submit,
            "cancel": self._cancel,
        }

    async def serve_until_idle(self, listening: socket.socket) -> None:
        """Serve on the bound socket *listening* until there is nothing to do."""
        server = await asyncio.start_unix_server(
            self._client, sock=listening, limit=wire.MAX_MESSAGE_BYTES
        )
        worker = asyncio.create_task(self._jobs.work())
        async with server:
            await self._idle(worker)
        worker.cancel()

    async def _idle(self, worker: asyncio.Task[None]) -> None:
        """Return when there was neither a client nor a job for a while."""
        left_s = _FIRST_CLIENT_S
        while left_s > 0:
            await asyncio.sleep(_TICK_S)
            if worker.done():
                worker.result()  # raises what ended it
            left_s = _IDLE_S if self._clients or self._jobs.busy else left_s - _TICK_S

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        streams: set[asyncio.Task[None]] = set()
        try:
            while line := await reader.readline():
                await self._answer(line, writer, streams)
        except (ConnectionError, ValueError):
            pass  # gone, or a line longer than any message: hang up
        finally:
            for stream in streams:
                stream.cancel()
            self._clients -= 1
            writer.close()

    async def _answer(
        self, line: bytes, writer: asyncio.StreamWriter, streams: set[asyncio.Task[None]]
    ) -> None:
        try:
            message = wire.parse(line)
        except ProtocolError as error:
            writer.write(wire.error(None, wire.PARSE_ERROR, str(error)))
            return
        if not isinstance(message, wire.Call) or message.id is None:
            return
        try:
            if message.method == "subscribe":
                job, first = self._subscription(**message.params)
                writer.write(wire.result(message.id, {}))
                task = asyncio.create_task(self._stream(writer, job, first))
                streams.add(task)
                task.add_done_callback(streams.discard)
            elif message.method in self._methods:
                answer = self._methods[message.method](**message.params)
                writer.write(wire.result(message.id, answer))
            else:
                text = f"There is no method {message.method!r}."
                writer.write(wire.error(message.id, wire.METHOD_NOT_FOUND, text))
        except InputError as error:
            writer.write(wire.error(message.id, wire.INVALID_PARAMS, str(error)))
        except (TypeError, KeyError, ValueError) as error:
            text = f"The parameters do not fit the method {message.method!r}: {error}"
            writer.write(wire.error(message.id, wire.INVALID_PARAMS, text))
        except AutotunerError as error:
            writer.write(wire.error(message.id, wire.REFUSED, str(error)))
        await writer.drain()

    def _hello(self, protocol: int) -> dict[str, Any]:
        if protocol != wire.PROTOCOL:
            raise ProtocolError(
                f"The daemon (process {os.getpid()}) speaks protocol {wire.PROTOCOL}, the client "
                f"{protocol}; let it finish or end it, then run the command again."
            )
        return {"protocol": wire.PROTOCOL, "version": autotuner.__version__, "pid": os.getpid()}

    def _models(self) -> dict[str, Any]:
        return {"default": reference.DEFAULT, "models": dict(reference.DESCRIPTIONS)}

    def _submit(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if kind not in KINDS:
            raise InputError(f"there is no kind of job {kind!r}")
        decode(KINDS[kind], request)
        job, new = self._jobs.submit({"kind": kind, "request": request})
        return {"job": job.id, "new": new}

    def _cancel(self, job: str) -> dict[str, Any]:
        self._jobs[job].cancel()
        return {}

    def _subscription(self, job: str, first: int = 0) -> tuple[Job, int]:
        return self._jobs[job], max(0, int(first))

    async def _stream(self, writer: asyncio.StreamWriter, job: Job, first: int) -> None:
        async for event in job.events(first):
            writer.write(wire.call("event", event))
            await writer.drain()


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
            asyncio.run(Server(state).serve_until_idle(listening))
            path.unlink(missing_ok=True)
