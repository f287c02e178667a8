"""Where to begin in a space whose axes are the usual ones of inference."""

from __future__ import annotations

import numpy as np

from autotuner.core import Dimension, SearchSpace
from autotuner.search.features import BATCH, POWER, PRECISION, THREADS, WORKERS, top_power

MIDDLING = {BATCH: 0.4, WORKERS: 0.25, THREADS: 0.4}
LARGE_BATCH = {BATCH: 0.75, WORKERS: 0.25, THREADS: 0.2}
MANY_WORKERS = {BATCH: 0.4, WORKERS: 0.7, THREADS: 0.0}
"""Shapes: how far up its ladder each usual axis is, from 0 to 1."""


def first_rows(space: SearchSpace) -> list[int]:
    """Return the rows of a few telling configurations in the highest power mode.

    Each precision in a middling shape, then a large batch and many workers, other categories taking
    turns. Nothing is returned for a space without batch, workers and threads.
    """
    known = [_named(space, names) for names in (BATCH, WORKERS, THREADS)]
    if not all(d is not None and d.ordered for d in known):
        return []
    precision = _named(space, PRECISION)
    precisions = (None,) if precision is None else precision.values
    wanted = [(MIDDLING, value) for value in precisions]
    wanted += [(LARGE_BATCH, precisions[-1]), (MANY_WORKERS, precisions[-1])]
    rows: list[int] = []
    for turn, (shape, value) in enumerate(wanted):
        distance = np.where(top_power(space), 0.0, 100.0)
        for dimension in space.dimensions:
            target = _target(dimension, shape)
            if dimension is precision:
                place = [float(v != value) * 10.0 for v in dimension.values]
            elif dimension.ordered:
                steps = max(len(dimension.values) - 1, 1)
                place = [abs(i / steps - target) for i in range(len(dimension.values))]
            elif dimension.name in POWER:
                continue
            else:
                turns = turn % len(dimension.values)
                place = [float(i != turns) for i in range(len(dimension.values))]
            by_value = dict(zip(dimension.values, place, strict=True))
            distance += np.asarray([by_value[c[dimension.name]] for c in space.configs])
        rows.append(int(np.argmin(distance)))
    return list(dict.fromkeys(rows))


def _target(dimension: Dimension, shape: dict[tuple[str, ...], float]) -> float:
    return next((at for names, at in shape.items() if dimension.name in names), 0.5)


def _named(space: SearchSpace, names: tuple[str, ...]) -> Dimension | None:
    return next((d for d in space.dimensions if d.name in names), None)
