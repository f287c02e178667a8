"""The course of a closed loop: until batch times are steady, then until the window may end.

It knows no clock: *tick* lets some time go by, adds to the record what was done in it, and returns
the time then, in ns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from autotuner.bench.record import BatchRecord, Slice
from autotuner.bench.window import Window

TICK_S = 0.05
"""How often one looks."""

WARM_UP_S = 1.5
"""After this time batch times that have not settled are taken as they are."""

_LOOK_AGAIN = 1.1

Tick = Callable[[], int]


def warm_up(record: BatchRecord, window: Window, tick: Tick, *, most_s: float) -> bool | None:
    """Wait until batch times show no trend; False when they had not settled within *most_s*.

    A stated number of runs is waited for as long as it takes. None says that there is no use in
    going on: the budget is out of reach.
    """
    if window.warm_up_runs is not None:
        most_s = math.inf
    while True:
        now_ns = tick()
        seen = record.between(record.began_ns, now_ns)
        fewest = min(record.counts)
        if window.warm(seen, fewest):
            return True
        if fewest and window.hopeless(seen):
            return None
        if fewest and now_ns - record.began_ns >= most_s * 1e9:
            return False


def wait_for_end(
    record: BatchRecord, window: Window, begin_ns: int, earlier: Slice | None, tick: Tick
) -> int:
    """Wait until *window* may end and return that moment.

    It is asked again only when a tenth more batches are there: looking costs time that workers may
    need.
    """
    look_at = 0.0
    while True:
        now_ns = tick()
        elapsed_s = (now_ns - begin_ns) / 1e9
        if elapsed_s < window.min_s:
            continue
        total = sum(record.counts)
        if total >= look_at or elapsed_s >= window.max_s:
            look_at = total * _LOOK_AGAIN
            seen = record.between(begin_ns, now_ns)
            if seen.empty:
                continue
            if window.end(earlier.followed_by(seen) if earlier else seen, elapsed_s):
                return now_ns
