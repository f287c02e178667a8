"""A load test by MLPerf LoadGen, the industry's instrument: it asks, our workers answer, it judges.

LoadGen cannot be called off, so it runs in a process of its own, which can be ended.
"""

from __future__ import annotations

import contextlib
import math
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from autotuner.bench.batching import Batching
from autotuner.bench.pool import Ready
from autotuner.bench.process import GivenUp
from autotuner.bench.sender import BatchSender
from autotuner.bench.stats import batches_to_prove
from autotuner.core.events import LoadGenVerdict
from autotuner.core.outcome import Failed

_CONFIDENCE = 0.99  # with which LoadGen's early stopping wants the percentile shown
_SPARE = 2  # it allows a few queries over the target when there are more of them
_USUAL_S, _LONGEST_S = 60.0, 900.0
_SLACK = 1.2
_TICK_NS = 50_000_000
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """What LoadGen is to ask: one query after the other, or *target_qps* as a Poisson process.

    *target_qps* None is its scenario SingleStream, which knows no target latency.
    """

    percentile: float
    target_qps: float | None = None
    target_latency_ms: float | None = None

    @property
    def fewest_queries(self) -> int:
        """How many queries LoadGen wants before it may say VALID, with some to spare."""
        return _SPARE * batches_to_prove(self.percentile, _CONFIDENCE)

    @property
    def most_s(self) -> float:
        """How long it may take: a slow rate needs its time for so many queries."""
        if self.target_qps is None:
            return _USUAL_S
        return min(_LONGEST_S, max(_USUAL_S, _SLACK * self.fewest_queries / self.target_qps))


def run(
    ready: Ready, batching: Batching, test: LoadTest, *, check: Callable[[], None]
) -> LoadGenVerdict:
    """Let LoadGen drive the workers of *ready* and return what it says.

    Ends at once when *check* raises or a worker fails; raises GivenUp when LoadGen itself does.
    """
    with _loadgen(test) as connection:
        queries = _Queries(connection)
        sender = BatchSender(ready, batching, queries.due_ns, answered=queries.answer, check=check)
        sender.listen(connection, queries.take)
        while queries.summary is None:
            sender.wait(sender.send_ready() + _TICK_NS)
    return read_summary(queries.summary, test)


@contextmanager
def _loadgen(test: LoadTest) -> Iterator[Connection]:
    """Start LoadGen's process with *test* and end it afterwards."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotuner.bench.loadgen", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    with Connection(ours.detach()) as connection:
        try:
            connection.send(test)
            yield connection
        finally:
            process.kill()
            process.wait()


class _Queries:
    """The queries on their way from LoadGen to the sender, and back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open: dict[int, int] = {}
        self.due_ns: list[int] = []
        self.summary: str | None = None

    def take(self) -> None:
        """Add what LoadGen asks to what is due, or take its summary."""
        try:
            message: str | tuple[int, list[int]] = self._connection.recv()
        except (EOFError, OSError):
            failed = Failed("crashed", "LoadGen ended without a summary; run it again")
            raise GivenUp(failed) from None
        if isinstance(message, str):
            self.summary = message
            return
        now_ns, queries = message
        for query in queries:
            self._open[len(self.due_ns)] = query
            self.due_ns.append(now_ns)

    def answer(self, first: int, size: int, _now_ns: int) -> None:
        """Tell LoadGen that a batch is done."""
        done = [self._open.pop(place) for place in range(first, first + size)]
        with contextlib.suppress(OSError):  # it is gone, which the next reading tells
            self._connection.send(done)


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
