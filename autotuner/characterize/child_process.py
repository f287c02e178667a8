"""The process that times layers and parts of a model, as the one who asks sees it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType

from autotuner.bench.harness import Cancelled
from autotuner.characterize.messages import Answer, More, Order, SplitOrder
from autotuner.core.outcome import Failed

_POLL_S = 0.2


class LayerTimer:
    """A running process with one order; it dies with this one."""

    def __init__(self, order: Order | SplitOrder, cancelled: Callable[[], bool]) -> None:
        ours, theirs = socket.socketpair()
        self._cancelled = cancelled
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autotuner.characterize", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self._connection.send(order)

    def __enter__(self) -> LayerTimer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self._connection.close()

    def ask(self) -> None:
        """Ask for one more round."""
        with contextlib.suppress(ConnectionError):  # receive() says why
            self._connection.send(More())

    def receive(self) -> Answer:
        """Return the next answer, Failed when the process ended; raises Cancelled."""
        try:
            while not self._connection.poll(_POLL_S):
                if self._cancelled():
                    raise Cancelled
            answer: Answer = self._connection.recv()
        except (EOFError, ConnectionError):
            status = self._process.wait()
            return Failed("crashed", f"the process that times layers ended with status {status}")
        return answer
