"""Requests at a device that is not there: all that may arrive in a window, then its end. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from autotuner.backends.simulated.behaviour import DEVIATES, Quantiles
from autotuner.bench.batching import Batching
from autotuner.bench.load import poisson_arrivals
from autotuner.bench.queueing import simulate
from autotuner.bench.record import Slice
from autotuner.bench.serving import DRAIN_S, piled_up
from autotuner.bench.window import Window
from autotuner.core.config import Config

_LEAD_IN_S = 0.5
_LOOK_AGAIN = 1.25
_OVERLOAD_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The requests of a window; *busy_share* is that of the workers' time."""

    requests: Slice
    window_s: float
    overloaded: bool
    unanswered: int
    busy_share: float
    mean_batch_size: float


def serve(
    config: Config,
    rate_ips: float,
    window: Window,
    quantiles_ms: Callable[[int], Quantiles],
    earlier: Slice | None,
    rng: np.random.Generator,
) -> Served:
    """Let requests arrive at *rate_ips* until *window* may end; their batches take *quantiles_ms*.

    The window is asked each time a quarter more requests have come. A request without an answer
    some time after the end counts with what it had waited by then.
    """
    quantiles = cache(quantiles_ms)
    sizes: list[int] = []
    busy_ns: list[int] = []

    def service_time(size: int) -> int:
        time_ns = int(np.interp(rng.standard_normal(), DEVIATES, quantiles(size)) * 1e6)
        sizes.append(size)
        busy_ns.append(time_ns)
        return time_ns

    due_ns = poisson_arrivals(rate_ips, _LEAD_IN_S + window.max_s, rng)
    latencies = simulate(due_ns.tolist(), Batching.of(config), config.concurrency, service_time)
    due_s = due_ns / 1e9 - _LEAD_IN_S
    answered_s = due_s + latencies / 1e3
    first = int(np.searchsorted(due_s, 0.0))

    def seen(end_s: float) -> Slice:
        last = max(first + 1, int(np.searchsorted(due_s, end_s)))
        waited_ms = np.minimum(latencies, (end_s + DRAIN_S - due_s) * 1e3)[first:last]
        answers = np.sort(answered_s[:last])
        answers = answers[(answers >= 0.0) & (answers <= end_s + DRAIN_S)]
        return Slice(waited_ms, np.diff(answers, prepend=0.0))

    def overloaded(end_s: float) -> bool:
        arrived = answered_s[first : int(np.searchsorted(due_s, end_s))]
        waiting = int((arrived > end_s).sum())
        return piled_up(waiting, len(arrived) - waiting)

    end_s = min(window.max_s, max(window.min_s, 1.0 / rate_ips))
    while True:
        so_far = seen(end_s)
        lost = end_s >= _OVERLOAD_S and overloaded(end_s)
        both = earlier.followed_by(so_far) if earlier else so_far
        if lost or window.end(both, end_s) or end_s >= window.max_s:
            break
        end_s = min(window.max_s, end_s * _LOOK_AGAIN)
    span_s = max(_LEAD_IN_S + window.max_s, float(answered_s.max()) + _LEAD_IN_S)
    return Served(
        requests=so_far,
        window_s=end_s,
        overloaded=overloaded(end_s),
        unanswered=int((answered_s[(due_s >= 0.0) & (due_s < end_s)] > end_s + DRAIN_S).sum()),
        busy_share=min(1.0, sum(busy_ns) / 1e9 / (config.concurrency * span_s)),
        mean_batch_size=float(np.mean(sizes)),
    )
