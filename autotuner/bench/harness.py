"""The harness: keeps worker processes, measures configurations in them, survives what they do."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from autotuner import backends
from autotuner.bench.disturbance import Background, disturbance
from autotuner.bench.messages import (
    Batches,
    FromWorker,
    Hello,
    Load,
    Loaded,
    Refused,
    Run,
    Stop,
    Stopped,
    Unload,
    Unloaded,
)
from autotuner.bench.process import WorkerGone, WorkerProcess
from autotuner.bench.record import BatchRecord
from autotuner.bench.stats import steady
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.host import activity, memory
from autotuner.host.activity import Activity
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec

_TICK_S = 0.05
_FEWEST_WARM_UP_BATCHES = 3
_LOOK_AGAIN = 1.1
_STALL_IN_BATCHES = 20
_REPEATS = 1
_BACKGROUND_S = 0.3

_Answer = TypeVar("_Answer", Hello, Loaded, Stopped, Unloaded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a trial may take before it is given up.

    *memory_floor_mib* must stay free on the machine; below it the trial ends as out of memory.
    """

    start_s: float = 60.0
    load_s: float = 600.0
    stall_s: float = 20.0
    warm_up_s: float = 1.5
    memory_floor_mib: float = field(default_factory=lambda: max(256.0, memory.total_mib() * 0.03))


class Cancelled(Exception):  # noqa: N818 - somebody's wish, not an error
    """The measurement was called off."""


class _Given(Exception):  # noqa: N818 - carries a value up to where it is returned
    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.detail)
        self.failed = failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A configuration whose sessions are loaded, by worker in order."""

    key: int
    workers: tuple[WorkerProcess, ...]
    load_s: float
    first_inference_s: float
    stall_s: float


class Harness:
    """Measures configurations of one model on one input; a context manager.

    Workers outlive a trial. A configuration that was loaded stays loaded until it is unloaded.
    *cancelled* is asked many times a second; when it says yes, Cancelled is raised.
    """

    def __init__(
        self,
        model: Path,
        inputs: InputSpec,
        topology: Topology,
        *,
        locate: Callable[[str], str] = backends.locate,
        cancelled: Callable[[], bool] = lambda: False,
        limits: Limits | None = None,
    ) -> None:
        self._model = model
        self._inputs = inputs
        self._topology = topology
        self._locate = locate
        self._cancelled = cancelled
        self._limits = limits or Limits()
        self._memory = memory.MemoryGauge()
        self._pools: dict[str, list[WorkerProcess]] = {}
        self._loaded: dict[Config, _Ready] = {}
        self._keys = itertools.count()
        self._usual: Background | None = None
        self.window_s = 0.0
        """Time spent in measuring windows so far."""
        self.setup_s = 0.0
        """Time spent in starting workers and loading sessions so far."""

    def __enter__(self) -> Harness:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill(worker for pool in self._pools.values() for worker in pool)

    def measure(
        self,
        config: Config,
        window: Window,
        *,
        earlier: SteadyRun | None = None,
        keep: bool = False,
    ) -> SteadyRun | Failed:
        """Load *config*, warm up until steady, measure for *window*; unload unless *keep*.

        What an *earlier* run of the same configuration showed is added to this one, and the window
        judges both together. A window that something else disturbed is repeated; when that does
        not help, its run comes back alone and says so. A worker that crashes, hangs or takes too
        much memory costs this trial alone and comes back as Failed. Raises Cancelled.
        """
        outcome: SteadyRun | Failed
        try:
            ready = self._loaded.get(config) or self._load(config)
            outcome = self._run_undisturbed(ready, config, window, earlier)
        except _Given as given:
            outcome = given.failed
        except WorkerGone as gone:
            outcome = gone.worker.obituary()
        finally:
            self._kill_busy()
        if not keep or isinstance(outcome, Failed):
            self.unload(config)
        return outcome

    def unload(self, config: Config) -> None:
        """Drop the sessions of *config* if it is loaded."""
        ready = self._loaded.pop(config, None)
        if ready is None:
            return
        # Waited for, so that a worker that dies of it is not taken for the next trial's fault.
        with contextlib.suppress(_Given, WorkerGone, Cancelled):
            for worker in ready.workers:
                worker.busy = True
                worker.send(Unload(key=ready.key))
            self._answers(ready.workers, Unloaded, self._limits.stall_s, "to unload the model")
        self._kill_busy()

    def _load(self, config: Config) -> _Ready:
        began = time.monotonic()
        workers = self._workers(self._locate(config.provider), config.workers)
        cpu_sets = self._topology.cpu_sets(config.affinity, config.workers, config.intra_op_threads)
        key = next(self._keys)
        for worker, cpus in zip(workers, cpu_sets, strict=True):
            worker.busy = True
            worker.send(
                Load(
                    key=key,
                    backend=self._locate(config.provider),
                    model=self._model,
                    config=config,
                    inputs=self._inputs,
                    cpus=cpus,
                )
            )
        loaded = self._answers(workers, Loaded, self._limits.load_s, "to load the model")
        ready = _Ready(
            key=key,
            workers=workers,
            load_s=max(answer.load_s for answer in loaded),
            first_inference_s=(first_s := max(answer.first_inference_s for answer in loaded)),
            stall_s=max(self._limits.stall_s, _STALL_IN_BATCHES * first_s),
        )
        self._loaded[config] = ready
        self.setup_s += time.monotonic() - began
        return ready

    def _run_undisturbed(
        self, ready: _Ready, config: Config, window: Window, earlier: SteadyRun | None
    ) -> SteadyRun:
        for _ in range(1 + _REPEATS):
            run = self._run(ready, config, window, earlier)
            if run.disturbed is None:
                return run.joined(earlier)
        return run

    def _run(
        self, ready: _Ready, config: Config, window: Window, earlier: SteadyRun | None
    ) -> SteadyRun:
        usual = self._background()
        record = BatchRecord(config.workers, time.monotonic_ns())
        for worker in ready.workers:
            worker.busy = True
            worker.send(Run(key=ready.key))
        settled = self._warm_up(ready, record, window)
        begin_ns = record.began_ns if settled is None else time.monotonic_ns()
        before = self._activity()
        end_ns = time.monotonic_ns()
        if settled is not None:
            end_ns = self._wait_for_end(ready, record, window, begin_ns, earlier)
        after = self._activity()
        for worker in ready.workers:
            worker.send(Stop())
        stopped = self._answers(ready.workers, Stopped, ready.stall_s, "to finish", record)
        self.window_s += (end_ns - begin_ns) / 1e9
        peaks = [answer.peak_memory_mib for answer in stopped]
        return SteadyRun(
            config=config,
            batches=record.between(begin_ns, end_ns),
            window_s=(end_ns - begin_ns) / 1e9,
            setup_s=ready.load_s + ready.first_inference_s,
            memory_mib=sum(peak for peak in peaks if peak) if None not in peaks else None,
            disturbed=disturbance(before, after, usual),
            extra={
                "process_start_s": max(worker.start_s or 0.0 for worker in ready.workers),
                "load_s": ready.load_s,
                "first_inference_s": ready.first_inference_s,
                "warm_up_settled": float(bool(settled)),
            },
        )

    def _warm_up(self, ready: _Ready, record: BatchRecord, window: Window) -> bool | None:
        """Wait until batch times show no trend; False when they had not settled in time.

        None says that there is no use in going on: the budget is out of reach.
        """
        while True:
            self._collect(ready, record)
            now_ns = time.monotonic_ns()
            seen = record.between(record.began_ns, now_ns)
            fewest = min(record.counts)
            if fewest >= _FEWEST_WARM_UP_BATCHES and steady(seen.latencies_ms):
                return True
            if fewest and window.hopeless(seen):
                return None
            if fewest and now_ns - record.began_ns >= self._limits.warm_up_s * 1e9:
                return False

    def _wait_for_end(
        self,
        ready: _Ready,
        record: BatchRecord,
        window: Window,
        begin_ns: int,
        earlier: SteadyRun | None,
    ) -> int:
        """Wait until *window* may end and return that moment.

        It is asked again only when a tenth more batches are there: looking costs time that the
        workers may need.
        """
        look_at = 0.0
        while True:
            self._collect(ready, record)
            now_ns = time.monotonic_ns()
            elapsed_s = (now_ns - begin_ns) / 1e9
            if elapsed_s < window.min_s:
                continue
            total = sum(record.counts)
            if total >= look_at or elapsed_s >= window.max_s:
                look_at = total * _LOOK_AGAIN
                seen = record.between(begin_ns, now_ns)
                if seen.empty:
                    continue
                if window.end(earlier.batches.followed_by(seen) if earlier else seen, elapsed_s):
                    return now_ns

    def _collect(self, ready: _Ready, record: BatchRecord) -> None:
        """Take what the workers say within one tick.

        Waking once a tick instead of for every message leaves the CPUs to the workers.
        """
        self._check()
        time.sleep(_TICK_S)
        for index, worker in enumerate(ready.workers):
            while worker.connection.poll():
                _take_batches(index, worker.receive(), record)
        if time.monotonic_ns() - min(record.last_end_ns) > ready.stall_s * 1e9:
            raise _Given(_timeout("to run a batch", ready.stall_s))

    def _answers(
        self,
        workers: Sequence[WorkerProcess],
        wanted: type[_Answer],
        limit_s: float,
        what: str,
        record: BatchRecord | None = None,
    ) -> list[_Answer]:
        """Wait until every worker has given the *wanted* answer; they are all idle then."""
        answers: dict[WorkerProcess, _Answer] = {}
        deadline = time.monotonic() + limit_s
        while len(answers) < len(workers):
            self._check()
            if time.monotonic() > deadline:
                raise _Given(_timeout(what, limit_s))
            for worker, message in _messages([w for w in workers if w not in answers], _TICK_S):
                if isinstance(message, wanted):
                    answers[worker] = message
                elif isinstance(message, Refused):
                    raise _Given(message.failed)
                elif record is not None:
                    _take_batches(workers.index(worker), message, record)
        for worker in workers:
            worker.busy = False
        return [answers[worker] for worker in workers]

    def _check(self) -> None:
        """Raise when the measurement was called off or memory is about to run out."""
        if self._cancelled():
            raise Cancelled
        if self._memory.available_mib() < self._limits.memory_floor_mib:
            floor = self._limits.memory_floor_mib
            raise _Given(Failed("oom", f"less than {floor:.0f} MiB of memory were left free"))

    def _background(self) -> Background:
        """Return what is usual on this box; read once, before anything of ours runs."""
        if self._usual is None:
            before = self._activity()
            time.sleep(_BACKGROUND_S)
            self._usual = Background.between(before, self._activity())
        return self._usual

    def _activity(self) -> Activity:
        workers = (worker.pid for pool in self._pools.values() for worker in pool)
        return activity.read(self._topology.cpus, [os.getpid(), *workers])

    def _workers(self, backend: str, count: int) -> tuple[WorkerProcess, ...]:
        pool = self._pools.setdefault(backend, [])
        fresh = [WorkerProcess(backend) for _ in range(count - len(pool))]
        pool += fresh
        for worker in fresh:
            worker.busy = True
        self._answers(fresh, Hello, self._limits.start_s, "to start")
        return tuple(pool[:count])

    def _kill_busy(self) -> None:
        # Whoever was in the middle of something cannot be trusted to answer again.
        self._kill(w for pool in self._pools.values() for w in pool if w.busy)

    def _kill(self, workers: Iterable[WorkerProcess]) -> None:
        gone = list(workers)
        for worker in gone:
            worker.kill()
        for pool in self._pools.values():
            pool[:] = [worker for worker in pool if worker not in gone]
        for config, ready in list(self._loaded.items()):
            if any(worker in gone for worker in ready.workers):
                self.unload(config)


def _messages(
    workers: Sequence[WorkerProcess], timeout_s: float
) -> Iterator[tuple[WorkerProcess, FromWorker]]:
    """Yield the messages that come within *timeout_s*; raises WorkerGone."""
    by_connection: dict[object, WorkerProcess] = {w.connection: w for w in workers}
    for connection in wait([w.connection for w in workers], timeout_s):
        worker = by_connection[connection]
        yield worker, worker.receive()


def _take_batches(index: int, message: FromWorker, record: BatchRecord) -> None:
    if isinstance(message, Refused):
        raise _Given(message.failed)
    if isinstance(message, Batches):
        record.add(index, message.times_ns)


def _timeout(what: str, limit_s: float) -> Failed:
    return Failed("timeout", f"a worker took more than {limit_s:.0f} s {what}")
