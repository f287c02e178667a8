"""Jobs in services of their own: runtimes need what the daemon's sandbox forbids."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from autotuner.daemon.process import LONGEST_EVENT_BYTES, Word

_CONNECT_S = 60.0


class UnitLauncher:
    """Starts jobs as instances of ``autotuner-job@.service``, spoken to over sockets in *folder*.

    PID 1 starts them, so that they inherit nothing of the daemon's restrictions.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def start(self, folder: Path, log: Path) -> JobUnit:
        """Start the job; what an earlier daemon left of it is ended first."""
        del log  # the unit knows where it goes
        unit = f"autotuner-job@{folder.name}.service"
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"{folder.name}.sock"
        path.unlink(missing_ok=True)
        await _systemctl("stop", unit)
        connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        connected = asyncio.get_running_loop().create_future()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if connected.done():
                writer.close()
            else:
                connected.set_result((reader, writer))

        server = await asyncio.start_unix_server(accept, path, limit=LONGEST_EVENT_BYTES)
        try:
            path.chmod(0o600)
            status, said = await _systemctl("start", unit)
            if status:
                raise OSError(status, f"{unit} does not start ({said})")
            reader, writer = await asyncio.wait_for(connected, _CONNECT_S)
        except asyncio.TimeoutError as error:
            raise OSError(0, f"{unit} does not answer") from error
        finally:
            server.close()
            path.unlink(missing_ok=True)
        return JobUnit(unit, reader, writer)


class JobUnit:
    """A job in a service."""

    def __init__(
        self, unit: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._unit = unit
        self._reader = reader
        self._writer = writer

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what it writes, line by line."""
        with contextlib.suppress(ConnectionError):
            async for line in self._reader:
                yield line

    def send(self, word: Word) -> None:
        """Write *word* to its socket."""
        self._writer.write(f"{word}\n".encode())

    async def wait(self) -> str:
        """Wait until the service has stopped, its power state back; return its result."""
        _, result = await _systemctl("show", "--value", "--property=Result", self._unit)
        await self.stop()
        return f"result {result}"

    async def stop(self) -> None:
        """Stop the service."""
        self._writer.close()
        await _systemctl("stop", self._unit)


async def _systemctl(*arguments: str) -> tuple[int, str]:
    """Return its exit status and what it said."""
    process = await asyncio.create_subprocess_exec(
        "systemctl",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace").strip()
