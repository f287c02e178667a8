"""How many instances of a model fit into memory, and how many boxes a task needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autotuner.core.config import Config
from autotuner.core.errors import InputError
from autotuner.core.sweep import Sweep

SHARE_OF_MEMORY = 0.9
"""What of the memory may be filled; the rest is for the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Instances of one model under one configuration, a worker each.

    *instance_mib* is what each further one takes, *shared_mib* what all of them share.
    *throughput_ips* is the most that was measured, with *measured_workers* instances.
    """

    model: str
    config: Config
    instance_mib: float
    shared_mib: float
    instances: int
    throughput_ips: float | None = None
    measured_workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An inspection line: every *item_s* each camera gives so many *images* of so many *tiles*."""

    cameras: int = 1
    images: int = 1
    tiles: int = 1
    item_s: float = 1.0

    def __post_init__(self) -> None:
        if min(self.cameras, self.images, self.tiles) < 1 or not self.item_s > 0.0:
            raise InputError("Cameras, images, tiles and the time of an item must be above zero.")

    @property
    def rate_ips(self) -> float:
        """The inferences that are needed in a second."""
        return self.cameras * self.images * self.tiles / self.item_s

    def boxes(self, fit: Fit) -> int | None:
        """Return how many boxes of *fit* the task needs; None where that is not known."""
        if not fit.throughput_ips or fit.instances < fit.measured_workers:
            return None
        return math.ceil(self.rate_ips / fit.throughput_ips)


def fits(sweep: Sweep, memory_mib: float) -> tuple[Fit, ...]:
    """Return what fits for every configuration of one worker in *sweep*, measured with two beside.

    Where only one worker was measured, all its memory counts as its own.
    """
    return tuple(fit for size in sweep.models for fit in _fits(sweep, size.model, memory_mib))


def _fits(sweep: Sweep, model: str, memory_mib: float) -> Iterator[Fit]:
    groups: dict[Config, dict[int, tuple[float, float | None]]] = {}
    for config, measurement in sweep.measured(model):
        if measurement.memory_mib is not None:
            rest = replace(config, workers=1, intra_op_threads=None)
            found = (measurement.memory_mib, measurement.throughput_ips)
            groups.setdefault(rest, {})[config.workers] = found
    for config, by_workers in groups.items():
        if 1 not in by_workers:
            continue
        alone_mib, _ = by_workers[1]
        most = max(by_workers)
        own_mib = alone_mib
        if most > 1:
            own_mib = (by_workers[most][0] - alone_mib) / (most - 1)
        own_mib = min(alone_mib, max(own_mib, 1.0))
        shared_mib = alone_mib - own_mib
        room_mib = SHARE_OF_MEMORY * memory_mib - shared_mib
        rates = [(rate, workers) for workers, (_, rate) in by_workers.items() if rate is not None]
        best = max(rates, default=None)
        yield Fit(
            model=model,
            config=config,
            instance_mib=own_mib,
            shared_mib=shared_mib,
            instances=max(0, math.floor(room_mib / own_mib)),
            throughput_ips=best[0] if best else None,
            measured_workers=best[1] if best else 1,
        )
