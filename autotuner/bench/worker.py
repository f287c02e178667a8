"""The worker process: the only place where a model is loaded and run.

Started by the harness with the number of a socket's file descriptor and the location of a backend.
It ends when the harness does, and offers itself first when memory runs out.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autotuner import backends
from autotuner.backends.base import BackendFailure
from autotuner.backends.lane import Lane, open_lanes
from autotuner.bench.messages import (
    BatchDone,
    Batches,
    FromWorker,
    Hello,
    Infer,
    Inferred,
    Load,
    Loaded,
    Outputs,
    Refused,
    Run,
    RunBatch,
    Stop,
    Stopped,
    ToWorker,
    Unload,
    Unloaded,
)
from autotuner.child import tie_to_parent
from autotuner.core.outcome import Failed

_REPORT_EVERY_NS = 50_000_000
_MOST_BATCHES_IN_MEMORY = 8


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A configuration: a lane for each of its streams, and the batches that this runs in turn."""

    lanes: list[Lane]
    feeds: list[dict[str, Any]]
    runs: list[list[Callable[[], object]]]
    batched: frozenset[str]
    cpus: frozenset[int]
    batch_size: int


class Worker:
    """Answers the harness's messages until the connection closes."""

    def __init__(self, connection: Connection, backend: backends.Backend) -> None:
        self._connection = connection
        self._backend = backend
        self._sending = threading.Lock()
        self._loaded: dict[int, _Loaded] = {}
        self._all_cpus = frozenset(os.sched_getaffinity(0))

    def serve(self) -> None:
        """Answer until the harness hangs up."""
        self._send(Hello())
        while True:
            try:
                message: ToWorker = self._connection.recv()
            except (EOFError, ConnectionResetError):
                return
            match message:
                case Load():
                    self._guarded(message.key, lambda m=message: self._load(m))
                case Run(key=key):
                    self._guarded(key, lambda k=key: self._run(k))
                case RunBatch(key=key, stream=stream):
                    run = partial(self._run_batch, message)
                    self._loaded[key].lanes[stream].begin(partial(self._guarded, key, run))
                case Infer(key=key):
                    self._guarded(key, lambda m=message: self._infer(m))
                case Unload(key=key):
                    self._unload(key)
                    self._send(Unloaded())
                case Stop():
                    self._send(Stopped(peak_memory_mib=_peak_memory_mib()))

    def _guarded(self, key: int, action: Any) -> None:
        try:
            action()
        except BackendFailure as failure:
            self._send(Refused(key=key, failed=Failed(failure.reason, failure.detail)))
        except MemoryError:
            self._send(Refused(key=key, failed=Failed("oom", "Python ran out of memory")))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a runtime raises costs this trial alone
            detail = f"{type(error).__name__}: {error}"
            self._send(Refused(key=key, failed=Failed("crashed", detail)))

    def _load(self, message: Load) -> None:
        _forget_peak_memory()
        cpus = message.cpus or self._all_cpus
        os.sched_setaffinity(0, cpus)  # before the session, whose threads inherit it
        inputs = message.inputs.load()
        size = message.config.batch_size
        count = max(1, min(_MOST_BATCHES_IN_MEMORY, inputs.count // size))
        feeds = [inputs.batch(size, index) for index in range(count)]
        shapes = {name: array.shape for name, array in feeds[0].items()}
        began = time.monotonic()
        lanes = open_lanes(
            lambda: self._backend.open(message.model, message.config, shapes),
            message.config.streams,
        )
        loaded = time.monotonic()
        firsts_s = [_seconds(lane, partial(lane.session.run, feeds[0])) for lane in lanes]
        runs: list[list[Callable[[], object]]]
        if message.inputs.on_device:
            runs = [[lane.do(partial(lane.session.bind, feeds[0]))] for lane in lanes]
        else:
            runs = [[partial(lane.session.run, batch) for batch in feeds] for lane in lanes]
        if len(lanes) > 1:
            # A CUDA graph is captured by the second batch at the latest, which nothing that other
            # threads do on the GPU may disturb.
            for lane, in_turn in zip(lanes, runs, strict=True):
                lane.do(in_turn[0])
        batched = frozenset(tensor.name for tensor in message.inputs.tensors if tensor.batched)
        self._loaded[message.key] = _Loaded(lanes, feeds, runs, batched, cpus, size)
        first_s = max(firsts_s)
        self._send(Loaded(key=message.key, load_s=loaded - began, first_inference_s=first_s))

    def _run(self, key: int) -> None:
        loaded = self._loaded[key]
        os.sched_setaffinity(0, loaded.cpus)
        if len(loaded.lanes) == 1:  # the harness says nothing else than stop
            self._run_stream(0, loaded.runs[0], self._connection.poll)
            return
        stopped = threading.Event()
        try:
            for stream, lane in enumerate(loaded.lanes):
                run = partial(self._run_stream, stream, loaded.runs[stream], stopped.is_set)
                lane.begin(partial(self._guarded, key, run))
            self._connection.poll(None)
        finally:
            stopped.set()
        for lane in loaded.lanes:
            lane.do(lambda: None)  # so that its last batches are reported

    def _run_stream(
        self, stream: int, runs: list[Callable[[], object]], stopped: Callable[[], bool]
    ) -> None:
        times = array("q")
        reported, turn = time.monotonic_ns(), 0
        while True:
            start = time.monotonic_ns()
            runs[turn]()
            end = time.monotonic_ns()
            times.append(start)
            times.append(end)
            turn = (turn + 1) % len(runs)
            if end - reported >= _REPORT_EVERY_NS:
                self._send(Batches(times_ns=times.tobytes(), stream=stream))
                times, reported = array("q"), end
                if stopped():
                    return

    def _run_batch(self, message: RunBatch) -> None:
        loaded, size = self._loaded[message.key], message.size
        os.sched_setaffinity(0, loaded.cpus)
        feeds = loaded.feeds[0].items()
        session = loaded.lanes[message.stream].session
        session.run({n: a[:size] if n in loaded.batched else a for n, a in feeds})
        self._send(BatchDone(stream=message.stream))

    def _infer(self, message: Infer) -> None:
        loaded, inputs = self._loaded[message.key], message.inputs.load()
        runs, lane = math.ceil(inputs.count / loaded.batch_size), loaded.lanes[0]
        for index in range(min(runs, message.most_runs)):
            batch = inputs.batch(loaded.batch_size, index)
            arrays = lane.do(partial(lane.session.run, batch))
            self._send(Outputs(arrays=tuple(arrays)))
        self._send(Inferred())

    def _unload(self, key: int) -> None:
        if (loaded := self._loaded.pop(key, None)) is not None:
            while loaded.lanes:
                loaded.lanes.pop().close()
        del loaded
        _return_freed_memory()

    def _send(self, message: FromWorker) -> None:
        with self._sending:
            self._connection.send(message)


def _seconds(lane: Lane, act: Callable[[], object]) -> float:
    """Return how long *act* takes in *lane*."""
    began = time.monotonic()
    lane.do(act)
    return time.monotonic() - began


def _forget_peak_memory() -> None:
    """Let the kernel's high-water mark start anew (proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_memory_mib() -> float | None:
    """Return this process's peak memory, pages shared with others counted in proportion.

    The kernel keeps the peak of the resident set itself, so nothing short can be missed; what is
    shared now is taken off it (proc(5): VmHWM; Rss and Pss of smaps_rollup).
    """
    try:
        peak = _kib("/proc/self/status", "VmHWM:")
    except (OSError, LookupError):
        return None
    with contextlib.suppress(OSError, LookupError):
        peak -= _kib("/proc/self/smaps_rollup", "Rss:") - _kib("/proc/self/smaps_rollup", "Pss:")
    return peak / 1024.0


def _kib(path: str, key: str) -> int:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise LookupError(key)


def _return_freed_memory() -> None:
    # Without this glibc keeps what the last session freed, and the next one's peak counts it.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Serve the harness on the file descriptor given as first argument."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    backend = backends.load(sys.argv[2])
    backend.start()
    Worker(connection, backend).serve()


if __name__ == "__main__":
    main()
