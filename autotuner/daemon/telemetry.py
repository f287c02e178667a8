"""Host sensors for whoever listens: read once for all, and only while somebody does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any

from autotuner.core.errors import InputError

if TYPE_CHECKING:
    from autotuner.host.sensors import Reading, Sampler

_SHORTEST_INTERVAL_S = 0.5
_HZ = 2.0


class Telemetry:
    """Tells what the sensors show; they are open while somebody listens."""

    def __init__(self) -> None:
        self._listeners = 0
        self._life = contextlib.ExitStack()
        self._sampler: asyncio.Task[Sampler] | None = None

    def readings(self, interval_s: float = 1.0) -> AsyncGenerator[dict[str, Any], None]:
        """Return the readings every *interval_s*; raises InputError when that is too short."""
        if not interval_s >= _SHORTEST_INTERVAL_S:
            raise InputError(f"The interval must be at least {_SHORTEST_INTERVAL_S} s.")
        return self._stream(interval_s)

    async def latest(self) -> tuple[Reading, ...]:
        """Return what the sensors show now, opening them for this once if need be."""
        async with self._listening() as sampler:
            return tuple(sampler.latest())

    async def _stream(self, interval_s: float) -> AsyncGenerator[dict[str, Any], None]:
        async with self._listening() as sampler:
            while True:
                readings = [_plain(reading) for reading in sampler.latest()]
                yield {"t": round(time.time(), 3), "readings": readings}
                await asyncio.sleep(interval_s)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[Sampler]:
        self._listeners += 1
        try:
            if self._sampler is None:
                self._life = contextlib.ExitStack()
                self._sampler = asyncio.create_task(asyncio.to_thread(_open, self._life))
            yield await asyncio.shield(self._sampler)
        finally:
            self._listeners -= 1
            if not self._listeners and self._sampler is not None:
                life, opening, self._sampler = self._life, self._sampler, None
                opening.add_done_callback(lambda _: life.close())


def _open(life: contextlib.ExitStack) -> Sampler:
    from autotuner.host.sensors import Sampler, discover  # noqa: PLC0415 - an idle daemon has none

    sampler = Sampler(discover().sensors, hz=_HZ)
    sampler.read_once()
    return life.enter_context(sampler)


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "name": reading.name,
        "value": reading.value,
        "unit": reading.unit,
        "why": reading.why,
    }
