"""The trials that no other trial beats in every respect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from autotuner.core import Measurement, Objective
from autotuner.core.request import latency_metric
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


def trade_off(trials: Iterable[Trial], objective: Objective) -> tuple[Trial, ...]:
    """Return the front of throughput against the latency that *objective* is about.

    Every configuration counts by its latest measurement. Energy is a third metric where all have
    it. The bounds of *objective* do not matter: the front serves other bounds too.
    """
    latest = {
        tuple(trial.config.values()): trial
        for trial in trials
        if isinstance(trial.outcome, Measurement)
    }
    metrics: dict[str, Literal["maximize", "minimize"]] = {
        "throughput_ips": "maximize",
        latency_metric(objective.percentile): "minimize",
    }
    outcomes = [trial.outcome for trial in latest.values()]
    if all(isinstance(m, Measurement) and m.energy_j is not None for m in outcomes):
        metrics["energy_j"] = "minimize"
    return front(latest.values(), metrics)


def _loss(measurement: Measurement, metric: str, direction: str) -> float:
    value = measurement.metric(metric)
    return -value if direction == "maximize" else value
