"""Configurations as coordinates in which inference behaves simply."""

from __future__ import annotations

import re

import numpy as np

from autotuner.core import Dimension, SearchSpace, Value
from autotuner.search.gaussian_process import Array, Axes

BATCH = ("batch_size", "max_batch", "batch", "max_batch_size", "preferred_batch_size")
WORKERS = ("workers", "instances", "instance_count", "processes", "streams")
THREADS = ("intra_op_threads", "threads", "num_threads")
CONCURRENCY = ("concurrency", "clients")
POWER = ("power_mode", "nvpmodel")
MINOR = ("affinity",)
"""Axes that shift results by per cents, where others shift them by factors."""
WITHOUT_MEMORY = (*THREADS, *POWER, *MINOR)
"""Axes on which the need for memory does not depend."""
TILES = (4, 8)
"""Kernels work in tiles: a batch just past one wastes the rest of the next."""


def coordinates(space: SearchSpace) -> Axes:
    """Return the coordinates of every configuration: ladders centred, one column a category.

    Beside the space's own axes there is the product of workers and threads, which the cores must
    carry, and the waste past a kernel tile.
    """
    columns: list[Array] = []
    axis: list[int] = []
    slopes: list[float] = []
    positions = {d.name: _positions(space, d) for d in space.dimensions}
    number = 0
    for dimension in space.dimensions:
        if len(dimension.values) == 1:
            continue
        position = positions[dimension.name]
        slope = 0.2 if dimension.name in MINOR else 1.0
        if dimension.ordered:
            columns.append(_ladder(dimension)[position])
            axis.append(number)
            slopes.append(slope)
        else:
            for value in range(len(dimension.values)):
                # Two categories are one unit apart, whichever they are.
                columns.append((position == value) / np.sqrt(2.0))
                axis.append(number)
                slopes.append(slope)
        number += 1
    for extra in _known_interactions(space):
        columns.append(extra)
        axis.append(number)
        slopes.append(0.5)
        number += 1
    if not columns:
        columns, axis, slopes = [np.zeros(len(space))], [0], [1.0]
    points = np.stack(columns, axis=1)
    return Axes(points=points, trend=points * slopes, axis=np.asarray(axis, dtype=np.intp))


def service_trend(space: SearchSpace) -> Array:
    """Return the logarithm of the service time as one expects it before any measurement.

    A larger batch takes longer, though less than in proportion; threads help, though less than
    in proportion; workers get in each other's way.
    """
    expected = np.zeros(len(space))
    concurrency = _amounts(space, CONCURRENCY)
    if concurrency is not None:
        return expected + 0.6 * np.log(concurrency)
    for names, slope in ((BATCH, 0.85), (THREADS, -0.4), (WORKERS, 0.2)):
        amounts = _amounts(space, names)
        if amounts is not None:
            expected += slope * np.log(amounts)
    return expected


def top_power(space: SearchSpace) -> np.ndarray:
    """Return a mask of the configurations in the power mode with the largest name plate."""
    mask = np.ones(len(space), dtype=bool)
    for name in POWER:
        if name in space.names:
            top = max(space[name].values, key=_name_plate)
            mask &= np.asarray([config[name] == top for config in space.configs])
    return mask


def _name_plate(mode: Value) -> tuple[bool, float]:
    digits = re.search(r"[0-9.]+", str(mode))
    return "max" in str(mode).lower(), float(digits.group()) if digits else 0.0


def in_flight(space: SearchSpace) -> Array | None:
    """Return how many samples each configuration has under way, None when its axes do not say."""
    for names in (CONCURRENCY, BATCH):
        flight = _amounts(space, names)
        if flight is not None:
            workers = _amounts(space, WORKERS) if names is BATCH else None
            return flight if workers is None else flight * workers
    return None


def memory_axes(space: SearchSpace) -> tuple[str, ...]:
    """Return the names of the axes along which the need for memory never falls."""
    return tuple(
        d.name
        for d in space.dimensions
        if d.ordered and d.name in BATCH + WORKERS and all(_is_amount(v) for v in d.values)
    )


def _known_interactions(space: SearchSpace) -> list[Array]:
    extras = []
    workers, threads = _amounts(space, WORKERS), _amounts(space, THREADS)
    if workers is not None and threads is not None:
        extras.append(_centred(np.log(workers * threads)))
    batch = _amounts(space, BATCH)
    if batch is not None:
        for tile in TILES:
            waste = np.log(np.ceil(batch / tile) * tile / batch)
            if np.ptp(waste) > 0.0 and set(np.unique(batch % tile)) - {0.0, 1.0, 2.0}:
                extras.append(_centred(waste))
    return extras


def _positions(space: SearchSpace, dimension: Dimension) -> np.ndarray:
    place = {value: i for i, value in enumerate(dimension.values)}
    return np.fromiter((place[c[dimension.name]] for c in space.configs), dtype=np.intp)


def _ladder(dimension: Dimension) -> Array:
    """Return the steps of an ordered dimension between -0.5 and 0.5, amounts on a log scale."""
    if all(_is_amount(value) for value in dimension.values):
        steps = np.log(np.asarray(dimension.values, dtype=float))
        if steps[-1] != steps[0]:
            # Half way between the log scale and the ladder: neither end may crowd.
            return 0.5 * (_centred(steps) + _centred(np.arange(len(steps), dtype=float)))
    return _centred(np.arange(len(dimension.values), dtype=float))


def _amounts(space: SearchSpace, names: tuple[str, ...]) -> Array | None:
    for name in names:
        if name in space.names and all(_is_amount(v) for v in space[name].values):
            return np.asarray([float(c[name]) for c in space.configs])  # type: ignore[arg-type]
    return None


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _centred(values: Array) -> Array:
    spread = np.ptp(values)
    centred: Array = (values - values.min()) / (spread or 1.0) - 0.5
    return centred
