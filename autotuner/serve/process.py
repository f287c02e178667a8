"""One serving worker as the pool sees it."""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from autotuner.core.errors import MachineError
from autotuner.serve.messages import Feed, FromServer, Open, Unopened


class ServerGone(Exception):  # noqa: N818 - a fact about a worker, not an error of ours
    """The worker process has ended or hung up."""


class ServerProcess:
    """A worker with the model loaded and *slots* batches of shared memory to be fed from.

    It has *environment* and ends with the thread that started it. Raises ServerGone when it dies
    while it loads, MachineError when it cannot load the model.
    """

    def __init__(self, asked: Open, backend: str, environment: Mapping[str, str]) -> None:
        memory = os.memfd_create("autotuner-batches")
        ours, theirs = socket.socketpair()
        size = asked.layout.slot_bytes * asked.slots
        os.ftruncate(memory, size)
        self._memory = mmap.mmap(memory, size)
        self._layout = asked.layout
        shared = memoryview(self._memory)
        self._slots = [asked.layout.views(shared, slot) for slot in range(asked.slots)]
        module = "autotuner.serve.worker"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(memory), backend],
                pass_fds=[theirs.fileno(), memory],
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        os.close(memory)
        self.connection = Connection(ours.detach())
        try:
            self.connection.send(asked)
            answer = self.receive()
        except (OSError, ServerGone) as error:
            self.kill()
            raise ServerGone from error
        if isinstance(answer, Unopened):
            self.kill()
            raise MachineError(
                f"{asked.model.name} cannot be run as its profile says ({answer.failed.reason}: "
                f"{answer.failed.detail}); tune it again."
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def feed(self, slot: int, arrays: Mapping[str, NDArray[np.generic]], count: int) -> None:
        """Put *count* samples into *slot* and let the worker run them; raises ServerGone."""
        for tensor in self._layout.tensors:
            target = self._slots[slot][tensor.name]
            if tensor.batched:
                target[:count] = arrays[tensor.name]
            else:
                target[...] = arrays[tensor.name]
        try:
            self.connection.send(Feed(slot=slot, count=count))
        except OSError as error:
            raise ServerGone from error

    def receive(self) -> FromServer:
        """Return the next answer, waiting for it; raises ServerGone when none will come."""
        try:
            answer: FromServer = self.connection.recv()
        except (EOFError, OSError) as error:
            raise ServerGone from error
        return answer

    def kill(self) -> None:
        """End the process at once; ending it twice does no harm."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        self.connection.close()
