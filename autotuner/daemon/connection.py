"""One client's connection: its messages answered in turn, its subscriptions served beside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from autotuner import wire
from autotuner.core.errors import AutotunerError, InputError, ProtocolError
from autotuner.daemon.methods import ForbiddenError, Methods, call

_LOG = logging.getLogger(__name__)
_MOST_SUBSCRIPTIONS = 8

Subscribe = Callable[..., AsyncGenerator[dict[str, Any], None]]


class Connection:
    """Serves one client until it hangs up.

    *subscriptions* are the methods after whose answer notifications of the given name follow.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        methods: Methods,
        subscriptions: Mapping[str, tuple[str, Subscribe]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._methods = methods
        self._subscriptions = subscriptions
        self._streams: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until the client is gone or sends what is longer than any message."""
        try:
            while line := await self._reader.readline():
                await self._answer(line)
                await asyncio.sleep(0)  # a flood from one client leaves the others their turn
        except ValueError:
            text = f"A message has at most {wire.MAX_MESSAGE_BYTES} bytes."
            self._writer.write(wire.error(None, wire.PARSE_ERROR, text))
        except ConnectionError:
            pass
        finally:
            for stream in self._streams:
                stream.cancel()
            self._writer.close()

    async def _answer(self, line: bytes) -> None:
        try:
            message = wire.parse(line)
        except ProtocolError as error:
            self._writer.write(wire.error(None, wire.PARSE_ERROR, str(error)))
        else:
            if isinstance(message, wire.Call) and message.id is not None:
                self._writer.write(await self._reply(message, message.id))
        await self._writer.drain()

    async def _reply(self, message: wire.Call, id_: int | str) -> bytes:
        try:
            if message.method in self._subscriptions:
                await self._subscribe(message)
                return wire.result(id_, {})
            found = self._methods.find(message.method)
            if found is None:
                text = f"There is no method {message.method!r}."
                return wire.error(id_, wire.METHOD_NOT_FOUND, text)
            return wire.result(id_, await call(found, message.params))
        except ForbiddenError as error:
            return wire.error(id_, wire.FORBIDDEN, str(error))
        except InputError as error:
            return wire.error(id_, wire.INVALID_PARAMS, str(error))
        except AutotunerError as error:
            return wire.error(id_, wire.REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - the daemon serves on
            _LOG.exception("The method %s failed", message.method)
            text = f"This is a fault of edge-autotune ({type(error).__name__}: {error})."
            return wire.error(id_, wire.INTERNAL_ERROR, text)

    async def _subscribe(self, message: wire.Call) -> None:
        self._methods.require("watch")
        if len(self._streams) >= _MOST_SUBSCRIPTIONS:
            raise ProtocolError("This connection has too many subscriptions; open another.")
        name, subscribe = self._subscriptions[message.method]
        stream = await call(subscribe, message.params)
        task = asyncio.create_task(self._tell(name, stream))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _tell(self, name: str, stream: AsyncGenerator[dict[str, Any], None]) -> None:
        with contextlib.suppress(ConnectionError):
            async with contextlib.aclosing(stream):
                async for news in stream:
                    self._writer.write(wire.call(name, news))
                    await self._writer.drain()
