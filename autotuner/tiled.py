"""A budget over several images: the tiles of a large one, or a burst that comes at once."""

from __future__ import annotations

import math
from dataclasses import replace

from autotuner.bench.bench import Bench
from autotuner.bench.record import Slice
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.outcome import Failed


def rounds(config: Config, tiles: int) -> int:
    """Return how many batches one after the other *tiles* samples take with all workers busy."""
    return math.ceil(tiles / (config.batch_size * config.concurrency))


def measure(
    bench: Bench,
    config: Config,
    window: Window,
    tiles: int,
    *,
    earlier: SteadyRun | None = None,
    keep: bool = False,
) -> SteadyRun | Failed:
    """Run batches back to back as the bench does; the latencies are those of *tiles* samples.

    They are taken as so many batches of the same length as it takes rounds. Percentiles of the sum
    are no larger where batches are independent, and equal where a slow one is followed by slow
    ones.
    """
    times = rounds(config, tiles)
    budget_ms = None if window.budget_ms is None else window.budget_ms / times
    found = bench.measure(
        config,
        replace(window, budget_ms=budget_ms),
        earlier=None if earlier is None else _scaled(earlier, 1.0 / times),
        keep=keep,
    )
    if isinstance(found, Failed):
        return found
    return replace(_scaled(found, times), extra={**found.extra, "tiles": float(tiles)})


def _scaled(run: SteadyRun, factor: float) -> SteadyRun:
    batches = run.batches
    return replace(run, batches=Slice(batches.latencies_ms * factor, batches.cycles_s))
