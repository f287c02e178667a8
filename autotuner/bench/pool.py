"""The worker processes of a harness: started, loaded, spoken to, ended when they misbehave."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

from autotuner.bench.closed_loop import WARM_UP_S
from autotuner.bench.messages import (
    FromWorker,
    Hello,
    Inferred,
    Load,
    Loaded,
    Refused,
    Stopped,
    Unload,
    Unloaded,
)
from autotuner.bench.process import GivenUp, WorkerGone, WorkerProcess, took_too_long
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.host import accelerators, memory
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec

_TICK_S = 0.05
_STALL_IN_BATCHES = 20

_Found = TypeVar("_Found")
_Answer = TypeVar("_Answer", Hello, Loaded, Inferred, Stopped, Unloaded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a trial may take before it is given up.

    *build_s* takes the place of *load_s* where an engine may have to be built, for which small
    boards need many minutes. *memory_floor_mib* must stay free on the machine; below it the trial
    ends as out of memory.
    """

    start_s: float = 60.0
    load_s: float = 600.0
    build_s: float = 7200.0
    stall_s: float = 20.0
    warm_up_s: float = WARM_UP_S
    memory_floor_mib: float = field(default_factory=lambda: max(256.0, memory.total_mib() * 0.03))


class Cancelled(Exception):  # noqa: N818 - somebody's wish, not an error
    """The measurement was called off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A configuration whose sessions are loaded, by worker in order.

    *stall_s* is how long a batch may take before its worker counts as hanging.
    """

    config: Config
    key: int
    workers: tuple[WorkerProcess, ...]
    load_s: float
    first_inference_s: float
    stall_s: float

    @property
    def setup_s(self) -> float:
        """Loading and first inference of the slowest worker."""
        return self.load_s + self.first_inference_s


class WorkerPool:
    """Workers by backend, and the configurations that are loaded in them.

    A worker is started with the *environment* of that moment.
    Its methods raise GivenUp, WorkerGone and Cancelled; whoever was busy then must be killed.
    """

    def __init__(
        self,
        graph_of: Callable[[Config], Path],
        inputs: InputSpec,
        topology: Topology,
        *,
        locate: Callable[[str], str],
        environment: Callable[[], Mapping[str, str]] = lambda: os.environ,
        cancelled: Callable[[], bool],
        limits: Limits,
    ) -> None:
        self._graph_of = graph_of
        self._inputs = inputs
        self._topology = topology
        self._locate = locate
        self._environment = environment
        self._cancelled = cancelled
        self._limits = limits
        self._memory = memory.MemoryGauge()
        self._workers: dict[str, list[WorkerProcess]] = {}
        self._loaded: dict[Config, Ready] = {}
        self._keys = itertools.count()
        self.setup_s = 0.0
        """Time spent in starting workers and loading sessions so far."""

    @property
    def free_mib(self) -> float:
        """How much memory may still be taken before a trial is given up, in MiB."""
        return self._memory.available_mib() - self._limits.memory_floor_mib

    def __iter__(self) -> Iterator[WorkerProcess]:
        return itertools.chain.from_iterable(self._workers.values())

    def load(self, config: Config) -> Ready:
        """Return *config* loaded; it stays so until it is unloaded."""
        return _finished(self.loading(config))

    def loading(self, config: Config) -> Generator[None, None, Ready]:
        """Load as :meth:`load` does, yielding many times a second meanwhile."""
        if config in self._loaded:
            return self._loaded[config]
        began = time.monotonic()
        backend = self._locate(config.provider)
        workers = self._started(backend, config.workers)
        cpu_sets = self._topology.cpu_sets(config.affinity, config.workers, config.intra_op_threads)
        key = next(self._keys)
        for worker, cpus in zip(workers, cpu_sets, strict=True):
            worker.busy = True
            worker.send(
                Load(
                    key=key,
                    model=self._graph_of(config),
                    config=config,
                    inputs=self._inputs,
                    cpus=cpus,
                )
            )
        builds = config.provider in accelerators.ENGINE_PROVIDERS
        limit_s = self._limits.build_s if builds else self._limits.load_s
        loaded = yield from self._answering(workers, Loaded, limit_s, "to load the model")
        first_s = max(answer.first_inference_s for answer in loaded)
        self._loaded[config] = Ready(
            config=config,
            key=key,
            workers=workers,
            load_s=max(answer.load_s for answer in loaded),
            first_inference_s=first_s,
            stall_s=max(self._limits.stall_s, _STALL_IN_BATCHES * first_s),
        )
        self.setup_s += time.monotonic() - began
        return self._loaded[config]

    def unload(self, config: Config) -> None:
        """Drop the sessions of *config* if it is loaded."""
        ready = self._loaded.pop(config, None)
        if ready is None:
            return
        # Waited for, so that a worker that dies of it is not taken for the next trial's fault.
        with contextlib.suppress(GivenUp, WorkerGone, Cancelled):
            for worker in ready.workers:
                worker.busy = True
                worker.send(Unload(key=ready.key))
            self.answers(ready.workers, Unloaded, self._limits.stall_s, "to unload the model")
        self.kill_busy()

    def answers(
        self,
        workers: Sequence[WorkerProcess],
        wanted: type[_Answer],
        limit_s: float,
        what: str,
        other: Callable[[int, FromWorker], None] = lambda _index, _message: None,
    ) -> list[_Answer]:
        """Wait until every worker has given the *wanted* answer; they are all idle then.

        What else they say is handed to *other* with the worker's index.
        """
        return _finished(self._answering(workers, wanted, limit_s, what, other))

    def _answering(
        self,
        workers: Sequence[WorkerProcess],
        wanted: type[_Answer],
        limit_s: float,
        what: str,
        other: Callable[[int, FromWorker], None] = lambda _index, _message: None,
    ) -> Generator[None, None, list[_Answer]]:
        answers: dict[WorkerProcess, _Answer] = {}
        deadline = time.monotonic() + limit_s
        while len(answers) < len(workers):
            self.check()
            if time.monotonic() > deadline:
                raise took_too_long(what, limit_s)
            for worker, message in _messages([w for w in workers if w not in answers], _TICK_S):
                if isinstance(message, wanted):
                    answers[worker] = message
                elif isinstance(message, Refused):
                    raise GivenUp(message.failed)
                else:
                    other(workers.index(worker), message)
            yield
        for worker in workers:
            worker.busy = False
        return [answers[worker] for worker in workers]

    def check(self) -> None:
        """Raise when the measurement was called off or memory is about to run out."""
        if self._cancelled():
            raise Cancelled
        if self.free_mib < 0:
            floor = self._limits.memory_floor_mib
            raise GivenUp(Failed("oom", f"less than {floor:.0f} MiB of memory were left free"))

    def kill_busy(self) -> None:
        """End the workers that are in the middle of something: nobody knows what they say next."""
        self._kill(worker for worker in self if worker.busy)

    def close(self) -> None:
        """End every worker."""
        self._kill(self)

    def _started(self, backend: str, count: int) -> tuple[WorkerProcess, ...]:
        workers = self._workers.setdefault(backend, [])
        environment = self._environment()
        fresh = [WorkerProcess(backend, environment) for _ in range(count - len(workers))]
        workers += fresh
        for worker in fresh:
            worker.busy = True
        self.answers(fresh, Hello, self._limits.start_s, "to start")
        return tuple(workers[:count])

    def _kill(self, workers: Iterable[WorkerProcess]) -> None:
        gone = list(workers)
        for worker in gone:
            worker.kill()
        for kept in self._workers.values():
            kept[:] = [worker for worker in kept if worker not in gone]
        for config, ready in list(self._loaded.items()):
            if any(worker in gone for worker in ready.workers):
                self.unload(config)


def _finished(steps: Generator[None, None, _Found]) -> _Found:
    """Take all *steps* and return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: _Found = end.value
            return found


def _messages(
    workers: Sequence[WorkerProcess], timeout_s: float
) -> Iterator[tuple[WorkerProcess, FromWorker]]:
    """Yield the messages that come within *timeout_s*; raises WorkerGone."""
    by_connection: dict[object, WorkerProcess] = {w.connection: w for w in workers}
    for connection in wait([w.connection for w in workers], timeout_s):
        worker = by_connection[connection]
        yield worker, worker.receive()
