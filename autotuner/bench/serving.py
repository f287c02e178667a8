"""Requests served for a measurement: until enough is known, or flat out for batch times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from autotuner.bench.batching import Batching
from autotuner.bench.dispatch import Dispatcher
from autotuner.bench.pool import Ready
from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import Slice
from autotuner.bench.stats import Latencies, steady
from autotuner.bench.window import Window

DRAIN_S = 1.0
"""How long requests of a window that has ended are still served."""

_TICK_NS = 50_000_000
_LOOK_AGAIN = 1.25
_OVERLOAD_S = 1.0
_FEWEST_WAITING = 10
_FEWEST_BATCHES, _MOST_BATCHES = 4, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The requests that were due in a window, and its end.

    *overloaded* says that more of them arrived than could be served, *unanswered* how many were
    left: they count with the time that they had waited by then.
    """

    requests: Slice
    end_ns: int
    overloaded: bool
    unanswered: int


def observe(
    dispatcher: Dispatcher, window: Window, begin_ns: int, earlier: Slice | None
) -> Observed:
    """Serve until *window*, which began at *begin_ns*, may end.

    The window looks at requests whose fate is known: none due before them is still open, or all
    that are open have broken the budget already. Those due in the window are served until all have
    their answer, unless the budget is proven broken; a queue that does not end within
    :data:`DRAIN_S` is left.
    """
    budget_ns = None if window.budget_ms is None else int(window.budget_ms * 1e6)
    look_at, overloaded, why = 1.0, False, None
    while why is None and not overloaded:
        now_ns = dispatcher.serve_until(time.monotonic_ns() + _TICK_NS)
        elapsed_s = (now_ns - begin_ns) / 1e9
        late = elapsed_s >= window.max_s
        known_ns = now_ns if late else dispatcher.oldest_open_ns(now_ns)
        if budget_ns is not None:
            known_ns = max(known_ns, now_ns - budget_ns)
        overloaded = elapsed_s >= _OVERLOAD_S and _overloaded(dispatcher, begin_ns, now_ns)
        seen = dispatcher.requests(begin_ns, known_ns)
        if seen.empty or elapsed_s < window.min_s:
            continue
        if len(seen.latencies_ms) >= look_at or late:
            look_at = len(seen.latencies_ms) * _LOOK_AGAIN
            why = window.end(earlier.followed_by(seen) if earlier else seen, elapsed_s)
    end_ns = now_ns
    if why == "proven out":
        end_ns = known_ns
    elif not overloaded:
        dispatcher.serve_all(end_ns, end_ns + int(DRAIN_S * 1e9))
    dispatcher.finish()
    return Observed(
        requests=dispatcher.requests(begin_ns, end_ns),
        end_ns=end_ns,
        overloaded=overloaded or _overloaded(dispatcher, begin_ns, end_ns),
        unanswered=dispatcher.unanswered(begin_ns, end_ns),
    )


def _overloaded(dispatcher: Dispatcher, begin_ns: int, end_ns: int) -> bool:
    """Say whether at least half as many requests wait as were answered: a queue without end."""
    waiting = dispatcher.unanswered(begin_ns, end_ns)
    answered = len(dispatcher.requests(begin_ns, end_ns).latencies_ms) - waiting
    return piled_up(waiting, answered)


def piled_up(waiting: int, answered: int) -> bool:
    """Say whether so many requests wait, compared with those answered, that it cannot end well."""
    return waiting > _FEWEST_WAITING and 2 * waiting >= answered


def warm_up(
    ready: Ready, *, most_s: float, check: Callable[[], None], hopeless_ms: float = math.inf
) -> tuple[Latencies, bool]:
    """Run full batches until their times, in ms, show no trend; return the last ones.

    Says False beside them when they had not settled within *most_s*, or were all above
    *hopeless_ms*, so that there is no use in going on.
    """
    began, times = time.monotonic(), np.empty(0)
    while True:
        last = flat_out(ready, ready.config.batch_size, _FEWEST_BATCHES, check=check)
        times = np.concatenate([times, last])
        if steady(times):
            return last, True
        if last.min() > hopeless_ms or time.monotonic() - began >= most_s:
            return last, False


def batch_times(
    ready: Ready,
    sizes: Iterable[int],
    full: Latencies,
    *,
    seconds_each: float,
    check: Callable[[], None],
) -> BatchTimes:
    """Measure batches of *sizes* with every worker busy, each size for about *seconds_each*.

    That is a guess by the times of *full* batches; smaller ones are hardly ever slower.
    """
    wanted = int(seconds_each * 1e3 / np.median(full))
    batches = min(_MOST_BATCHES, max(_FEWEST_BATCHES, wanted))
    return BatchTimes(ms={size: flat_out(ready, size, batches, check=check) for size in sizes})


def flat_out(ready: Ready, size: int, batches: int, *, check: Callable[[], None]) -> Latencies:
    """Run *batches* batches of *size* on each stream, all of them busy; return their times in ms.

    They are requests that are all overdue, so a time is what the dispatcher sees of a batch: with
    the way to the worker and back.
    """
    overdue = np.zeros(batches * ready.config.concurrency * size, dtype=np.int64)
    dispatcher = Dispatcher(ready, Batching(max_batch=size), overdue, check=check)
    dispatcher.serve_all(end_ns=1)
    return np.array([busy_ns for _, busy_ns in dispatcher.batches]) / 1e6
