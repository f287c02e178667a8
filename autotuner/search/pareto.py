"""The trials that no other trial beats in every respect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from autotuner.core import Measurement
from autotuner.search.study import Trial

Directions = Mapping[str, Literal["maximize", "minimize"]]


def front(trials: Iterable[Trial], metrics: Directions) -> tuple[Trial, ...]:
    """Return the measured *trials* that none beats in all *metrics*, best in the first one first.

    *metrics* says for each metric's name in which direction it is better. Of equals the first
    stays. Raises SpaceError when a measurement lacks one of them.
    """
    points = [
        (tuple(_loss(trial.outcome, *metric) for metric in metrics.items()), trial)
        for trial in trials
        if isinstance(trial.outcome, Measurement)
    ]
    # Sorted, whatever beats a point stands before it.
    points.sort(key=lambda point: point[0])
    kept: list[tuple[tuple[float, ...], Trial]] = []
    for losses, trial in points:
        if not any(all(a <= b for a, b in zip(one, losses, strict=True)) for one, _ in kept):
            kept.append((losses, trial))
    return tuple(trial for _, trial in kept)


def _loss(measurement: Measurement, metric: str, direction: str) -> float:
    value = measurement.metric(metric)
    return -value if direction == "maximize" else value
