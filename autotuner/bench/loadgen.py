"""MLPerf LoadGen, the industry's instrument: it asks, our workers answer, it judges.

The only module that knows the package ``mlcommons-loadgen``, which is optional.
"""

from __future__ import annotations

import math
import re
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.bench.batching import Batching
from autotuner.bench.pool import Ready
from autotuner.bench.sender import BatchSender
from autotuner.bench.stats import batches_to_prove
from autotuner.core.errors import MachineError
from autotuner.core.events import LoadGenVerdict

CONFIDENCE = 0.99
"""With which LoadGen's early stopping wants the percentile shown."""

_MIN_S, _MAX_S = 5.0, 60.0
_SPARE = 2  # LoadGen allows a few queries over the target when there are more of them
_TICK_NS = 50_000_000
_SAMPLES = 1024
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """What LoadGen is to ask: one query after the other, or *target_qps* as a Poisson process.

    *target_qps* None is its scenario SingleStream, which knows no target latency.
    """

    percentile: float
    target_qps: float | None = None
    target_latency_ms: float | None = None


def library() -> Any:
    """Return LoadGen's module; raises MachineError when it is not installed."""
    try:
        import mlperf_loadgen  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MachineError(
            "MLPerf LoadGen is not installed; install edge-autotune[loadgen]."
        ) from error
    return mlperf_loadgen


def run(
    ready: Ready, batching: Batching, test: LoadTest, *, check: Callable[[], None]
) -> LoadGenVerdict:
    """Let LoadGen drive the workers of *ready* for some seconds and return what it says.

    LoadGen cannot be called off: when *check* raises, or a worker fails, whatever it still asks is
    answered at once, and that is raised when it has come to its end, a minute later at most.
    """
    loadgen = library()
    queries = _Queries(loadgen)
    sender = BatchSender(ready, batching, queries.due_ns, answered=queries.answer, check=check)
    sender.listen(queries.news, queries.take)
    sut = loadgen.ConstructSUT(queries.issue, lambda: None)
    qsl = loadgen.ConstructQSL(_SAMPLES, _SAMPLES, lambda _: None, lambda _: None)
    try:
        with tempfile.TemporaryDirectory(prefix="autotune-loadgen-") as folder:
            thread = threading.Thread(
                target=loadgen.StartTestWithLogSettings,
                args=(sut, qsl, _settings(loadgen, test), _logs(loadgen, folder), f"{folder}/none"),
            )
            thread.start()
            try:
                while thread.is_alive():
                    sender.wait(sender.send_ready() + _TICK_NS)
            finally:
                queries.give_up()
                thread.join()
            summary = Path(folder, "mlperf_log_summary.txt").read_text(encoding="utf-8")
    finally:
        loadgen.DestroyQSL(qsl)
        loadgen.DestroySUT(sut)
        queries.close()
    return read_summary(summary, test)


class _Queries:
    """The queries on their way from LoadGen's threads to the sender, and back."""

    def __init__(self, loadgen: Any) -> None:
        self._loadgen = loadgen
        self._arrived: deque[tuple[int, int]] = deque()
        self._ids: list[int] = []
        self._open: dict[int, int] = {}
        self._given_up = False
        self.news, self._bell = socket.socketpair()
        self.news.setblocking(False)
        self._bell.setblocking(False)
        self.due_ns: list[int] = []

    def issue(self, samples: Sequence[Any]) -> None:
        """Take what LoadGen asks, on one of its own threads."""
        now_ns = time.monotonic_ns()
        self._arrived.extend((sample.id, now_ns) for sample in samples)
        if self._given_up:
            self._answer_arrived()
            return
        try:
            self._bell.send(b"!")
        except BlockingIOError:
            return  # so many are unheard that one more makes no difference

    def take(self) -> None:
        """Add what has arrived to what is due."""
        self.news.recv(4096)
        while self._arrived:
            query, due_ns = self._arrived.popleft()
            self._open[len(self.due_ns)] = query
            self.due_ns.append(due_ns)

    def answer(self, first: int, size: int, _now_ns: int) -> None:
        """Tell LoadGen that a batch is done."""
        self._complete([self._open.pop(place) for place in range(first, first + size)])

    def give_up(self) -> None:
        """Answer all that is open, and from now on every query at once."""
        self._given_up = True
        self._complete(list(self._open.values()))
        self._open.clear()
        self._answer_arrived()

    def close(self) -> None:
        """Close the way between the threads."""
        self.news.close()
        self._bell.close()

    def _answer_arrived(self) -> None:
        while self._arrived:
            try:
                query, _ = self._arrived.popleft()
            except IndexError:  # the other thread was quicker
                return
            self._complete([query])

    def _complete(self, queries: Sequence[int]) -> None:
        response = self._loadgen.QuerySampleResponse
        self._loadgen.QuerySamplesComplete([response(query, 0, 0) for query in queries])


def _settings(loadgen: Any, test: LoadTest) -> Any:
    settings = loadgen.TestSettings()
    settings.mode = loadgen.TestMode.PerformanceOnly
    share = test.percentile / 100.0
    if test.target_qps is None:
        settings.scenario = loadgen.TestScenario.SingleStream
        settings.single_stream_target_latency_percentile = share
    else:
        assert test.target_latency_ms is not None, "the scenario Server has a target latency"
        settings.scenario = loadgen.TestScenario.Server
        settings.server_target_qps = test.target_qps
        settings.server_target_latency_ns = int(test.target_latency_ms * _NS_PER_MS)
        settings.server_target_latency_percentile = share
    settings.min_query_count = _SPARE * batches_to_prove(test.percentile, CONFIDENCE)
    settings.min_duration_ms = int(_MIN_S * 1e3)
    settings.max_duration_ms = int(_MAX_S * 1e3)
    return settings


def _logs(loadgen: Any, folder: str) -> Any:
    logs = loadgen.LogSettings()
    logs.log_output.outdir = folder
    logs.log_output.copy_summary_to_stdout = False
    logs.enable_trace = False
    return logs


def read_summary(text: str, test: LoadTest) -> LoadGenVerdict:
    """Return what LoadGen's summary file says of *test*, its list of settings left out."""
    text, _, _ = text.partition("Test Parameters Used")
    latencies = {
        float(q): int(ns) / _NS_PER_MS
        for q, ns in re.findall(r"([\d.]+)(?:th)? percentile latency \(ns\) *: (\d+)", text)
    }
    latency_ms = next((ms for q, ms in latencies.items() if math.isclose(q, test.percentile)), None)
    return LoadGenVerdict(
        scenario=_word(text, "Scenario") or "unknown",
        valid=_word(text, "Result is") == "VALID",
        percentile=test.percentile,
        latency_ms=latency_ms,
        target_latency_ms=test.target_latency_ms,
        target_qps=test.target_qps,
        scheduled_qps=_figure(text, "Scheduled samples per second"),
        completed_qps=_figure(text, "Completed samples per second")
        or _figure(text, "QPS w/ loadgen overhead"),
        early_stopping=_word(text, "Early stopping satisfied") == "Yes",
        summary=text.rstrip("=\n ") + "\n",
    )


def _word(text: str, name: str) -> str | None:
    found = re.search(rf"{re.escape(name)} *: *(\w+)", text)
    return found[1] if found else None


def _figure(text: str, name: str) -> float | None:
    found = re.search(rf"{re.escape(name)} *: *([\d.]+)", text)
    return float(found[1]) if found else None
