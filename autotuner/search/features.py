"""Configurations as coordinates in which inference behaves simply."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from autotuner.core import Dimension, SearchSpace, Value
from autotuner.search.gaussian_process import Array, Axes

BATCH = ("batch_size", "max_batch", "batch", "max_batch_size", "preferred_batch_size")
WORKERS = ("workers", "instances", "instance_count", "processes", "streams")
THREADS = ("intra_op_threads", "threads", "num_threads")
CONCURRENCY = ("concurrency", "clients")
PRECISION = ("precision",)
PRECISION_SPEEDUP = {"fp16": 1.2, "bf16": 1.2, "int8": 1.6}
"""What one may expect over FP32 before any measurement."""
POWER = ("power_mode", "nvpmodel")
MINOR = ("affinity",)
"""Axes that shift results by per cents, where others shift them by factors."""
WITHOUT_MEMORY = (*THREADS, *POWER, *MINOR)
"""Axes on which the need for memory does not depend."""
EFFECT_LENGTHSCALE = 0.3
"""Within this share of its range an axis' own effect hardly changes."""
TILES = (4, 8)
"""Kernels work in tiles: a batch just past one wastes the rest of the next."""


def coordinates(space: SearchSpace) -> Axes:
    """Return the coordinates of every configuration: ladders centred, one column a category.

    Beside the space's own axes there is the product of workers and threads, which the cores must
    carry, the batch that a concurrency fills, and the waste past a kernel tile.
    """
    blocks: list[tuple[Array, float]] = []
    for dimension in space.dimensions:
        if len(dimension.values) == 1:
            continue
        position = _positions(space, dimension)
        slope = 0.2 if dimension.name in MINOR else 1.0
        if dimension.name in POWER:
            ladder = _ladder(dimension)[_power_rank(dimension)]
            blocks.append((ladder[position][:, None], slope))
        elif dimension.ordered:
            blocks.append((_ladder(dimension)[position][:, None], slope))
        else:
            # Two categories are one unit apart, whichever they are.
            blocks.append((np.eye(len(dimension.values))[position] / np.sqrt(2.0), slope))
    blocks += [(extra[:, None], 0.5) for extra in _known_interactions(space)]
    if not blocks:
        blocks = [(np.zeros((len(space), 1)), 1.0)]
    sizes = [block.shape[1] for block, _ in blocks]
    return Axes(
        points=np.hstack([block for block, _ in blocks]),
        trend=np.hstack([block * slope for block, slope in blocks]),
        effects=np.hstack([_effects(block) * slope for block, slope in blocks]),
        axis=np.repeat(np.arange(len(blocks)), sizes),
    )


def _effects(block: Array) -> Array:
    """Return features whose inner products are the covariance of one axis' own effect."""
    levels, level = np.unique(block, axis=0, return_inverse=True)
    distance = np.linalg.norm(levels[:, None, :] - levels[None, :, :], axis=2)
    root = np.sqrt(5.0) * distance / EFFECT_LENGTHSCALE
    covariance = (1.0 + root + root**2 / 3.0) * np.exp(-root)
    factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(levels)))
    features: Array = factor[level.reshape(-1)]
    return features


def in_flight(space: SearchSpace) -> Array | None:
    """Return how many samples each configuration has under way, None when its axes do not say."""
    concurrency = _amounts(space, CONCURRENCY)
    if concurrency is not None:
        return concurrency
    batch, workers = _amounts(space, BATCH), _side_by_side(space)
    if batch is None or workers is None:
        return batch
    flight: Array = batch * workers
    return flight


def memory_axes(space: SearchSpace) -> tuple[str, ...]:
    """Return the names of the axes along which the need for memory never falls."""
    return tuple(
        d.name
        for d in space.dimensions
        if d.ordered and d.name in BATCH + WORKERS and all(_is_amount(v) for v in d.values)
    )


def service_trend(space: SearchSpace) -> Array:
    """Return the logarithm of the service time as one expects it before any measurement.

    A larger batch takes longer and more threads help, both less than in proportion; workers get in
    each other's way; fewer bits and more power help.
    """
    expected = np.zeros(len(space))
    concurrency = _amounts(space, CONCURRENCY)
    if concurrency is not None:
        return expected + 0.6 * np.log(concurrency)
    for amounts, slope in (
        (_amounts(space, BATCH), 0.85),
        (_amounts(space, THREADS), -0.4),
        (_side_by_side(space), 0.2),
    ):
        if amounts is not None:
            expected += slope * np.log(amounts)
    for dimension in space.dimensions:
        position = _positions(space, dimension)
        if dimension.name in PRECISION:
            speedup = [PRECISION_SPEEDUP.get(str(value), 1.0) for value in dimension.values]
            expected -= np.log(speedup)[position]
        elif dimension.name in POWER:
            expected -= 0.25 * _power_rank(dimension)[position]
    return expected


def top_power(space: SearchSpace) -> NDArray[np.bool_]:
    """Return a mask of the configurations in the power mode with the largest name plate."""
    mask = np.ones(len(space), dtype=bool)
    for dimension in space.dimensions:
        if dimension.name in POWER:
            rank = _power_rank(dimension)
            mask &= (rank == rank.max())[_positions(space, dimension)]
    return mask


def _power_rank(dimension: Dimension) -> NDArray[np.intp]:
    """Return the place of each power mode by its name plate, such as 15W or MAXN."""
    return np.argsort(np.argsort([_name_plate(mode) for mode in dimension.values], kind="stable"))


def _name_plate(mode: Value) -> float:
    """Return the watts in a power mode's name; most when it says so, least when it says nothing."""
    if "max" in str(mode).lower():
        return np.inf
    digits = re.search(r"\d+(\.\d+)?", str(mode))
    return float(digits.group()) if digits else 0.0


def _known_interactions(space: SearchSpace) -> list[Array]:
    extras = []
    workers, threads = _side_by_side(space), _amounts(space, THREADS)
    if workers is not None and threads is not None:
        extras.append(_centred(np.log(workers * threads)))
    batch = _amounts(space, BATCH)
    concurrency = _amounts(space, CONCURRENCY)
    if batch is not None and workers is not None and concurrency is not None:
        # What each worker finds to do at once makes its batch, up to the largest.
        extras.append(_centred(np.log(np.clip(concurrency / workers, 1.0, batch))))
    if batch is not None:
        for tile in TILES:
            waste = np.log(np.ceil(batch / tile) * tile / batch)
            if np.ptp(waste) > 0.0 and set(np.unique(batch % tile)) - {0.0, 1.0, 2.0}:
                extras.append(_centred(waste))
    return extras


def _positions(space: SearchSpace, dimension: Dimension) -> NDArray[np.intp]:
    place = {value: i for i, value in enumerate(dimension.values)}
    return np.fromiter((place[c[dimension.name]] for c in space.configs), dtype=np.intp)


def _ladder(dimension: Dimension) -> Array:
    """Return the steps of a ladder between -0.5 and 0.5, amounts on a log scale."""
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


def _side_by_side(space: SearchSpace) -> Array | None:
    """Return how many batches each configuration runs at once, None when its axes do not say."""
    found: Array | None = None
    for name in WORKERS:
        amounts = _amounts(space, (name,))
        if amounts is not None:
            found = amounts if found is None else found * amounts
    return found


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _centred(values: Array) -> Array:
    spread = np.ptp(values)
    centred: Array = (values - values.min()) / (spread or 1.0) - 0.5
    return centred
