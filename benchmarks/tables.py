"""Modelled devices x models as tables of true values, to replay searches on.

Every table is drawn from a seed. The default sampler was tuned on the *development* set (and on
other seeds below 100 000); the *held-out* set is drawn from seeds that the tuning never saw, and
can be drawn again. Budgets, knobs, noise and the place of the optimum differ in every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from autotuner.core import (
    Constraint,
    Dimension,
    Failed,
    Measurement,
    Objective,
    Outcome,
    SearchSpace,
    Value,
)

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The true metrics of every configuration of *space*; *failed* are those that cannot run.

    *noise* is the relative standard deviation of one measurement; one in twenty is an outlier.
    """

    name: str
    space: SearchSpace
    objective: Objective
    metrics: Columns
    failed: np.ndarray
    noise: float

    def measure(self, index: int, rng: np.random.Generator) -> Outcome:
        """Return what one noisy run of the configuration *index* shows."""
        if self.failed[index]:
            return Failed("oom")
        slower = np.exp(rng.normal(0.0, self.noise))
        tail = np.exp(rng.normal(0.0, self.noise))
        if rng.random() < 0.05:
            tail *= rng.uniform(1.2, 2.0)
            slower *= rng.uniform(1.0, 1.3)
        return Measurement(
            throughput_ips=float(self.metrics["throughput_ips"][index] / slower),
            p99_ms=float(self.metrics["p99_ms"][index] * slower * tail),
            energy_j=float(self.metrics["energy_j"][index] * slower),
        )

    def regret(self) -> np.ndarray:
        """Return each configuration's loss against the best that keeps the constraints, 0 to 1.

        A constraint broken by more than 2 % counts 1, as does a configuration that cannot run.
        """
        kept = ~self.failed & (self.excess() <= 0.0)
        tolerated = ~self.failed & (self.excess() <= 0.02)
        value = self.metrics[self.objective.metric]
        if self.objective.direction == "maximize":
            loss = 1.0 - value / value[kept].max()
        else:
            loss = value / value[kept].min() - 1.0
        return np.where(tolerated, np.clip(loss, 0.0, 1.0), 1.0)

    def excess(self) -> np.ndarray:
        """Return by which share each configuration breaks the constraint it breaks most."""
        shares = [np.full(len(self.space), -1.0)]
        for c in self.objective.constraints:
            value = self.metrics[c.metric]
            shares.append(
                value / c.at_most - 1.0 if c.at_most is not None else c.at_least / value - 1.0
            )
        return np.max(shares, axis=0)


def edge_device(seed: int, goal: str = "throughput") -> Table:
    """Draw a CPU-like edge device: kernel stairs, contention, throttling, memory that runs out."""
    rng = np.random.default_rng(seed)
    cores = int(rng.choice([4, 6, 8, 12]))
    batches = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)[: int(rng.integers(9, 13))]
    space = SearchSpace(
        [
            Dimension("batch_size", batches, ordered=True),
            Dimension("workers", tuple(range(1, int(rng.integers(5, 7)))), ordered=True),
            Dimension("intra_op_threads", tuple(range(1, min(cores, 6) + 1)), ordered=True),
            Dimension("precision", ("fp32", "fp16", "int8")),
            Dimension("affinity", ("none", "compact", "spread")),
            Dimension("power_mode", ("10W", "15W", "25W", "MAXN")),
        ]
    )
    c = _columns(space)
    batch, workers, threads = c["batch_size"], c["workers"], c["intra_op_threads"]
    precision = _pick(c["precision"], (1.0, rng.uniform(0.5, 1.05), rng.uniform(0.25, 0.7)))
    clock = _pick(c["power_mode"], (0.4, 0.6, 0.8, 1.0)) ** rng.uniform(0.8, 1.1)
    tile = int(rng.choice([2, 4, 8]))
    lumpy = np.ceil(batch / tile) * tile * rng.uniform(0.3, 0.8) + batch * rng.uniform(0.2, 0.7)
    bad = np.where(np.isin(batch, rng.choice(batches, 2)), rng.uniform(1.05, 1.5), 1.0)
    serial = rng.uniform(0.03, 0.3)
    busy = workers * threads / cores
    crowded = np.maximum(busy, 1.0) ** rng.uniform(1.0, 1.6)
    memory_bound = 1.0 + rng.uniform(0.02, 0.25) * (workers - 1) * np.sqrt(precision)
    spread = _pick(c["affinity"], (1.0, rng.uniform(0.85, 1.1), rng.uniform(0.9, 1.15)))
    spread = np.where(busy > 1.0, spread**-1.0, spread)
    heat = np.minimum(busy, 1.0) * clock**2
    throttle = 1.0 + rng.uniform(0.0, 0.8) * np.maximum(heat - rng.uniform(0.5, 1.0), 0.0)
    per_image_ms = rng.uniform(2.0, 40.0)
    service_ms = (
        (rng.uniform(0.2, 3.0) + per_image_ms * precision * lumpy * bad)
        * (serial + (1.0 - serial) / threads)
        * crowded
        * memory_bound
        * spread
        * throttle
        / clock
    )
    tail = 1.05 + rng.uniform(0.02, 0.3) * np.maximum(busy - 0.7, 0.0) + rng.uniform(0, 0.1) / batch
    memory = workers * (rng.uniform(100, 400) * np.sqrt(precision) + rng.uniform(5, 40) * batch)
    throughput = workers * batch / service_ms * 1000.0
    power_w = 3.0 + rng.uniform(5, 20) * np.minimum(busy, 1.0) * clock**2.5
    metrics = {
        "throughput_ips": throughput,
        "p99_ms": service_ms * tail,
        "energy_j": power_w / throughput,
    }
    failed = memory > np.quantile(memory, rng.uniform(0.7, 0.98))
    return _with_goal(f"edge-{seed}-{goal}", space, metrics, failed, goal, rng)


def gpu_server(seed: int, goal: str = "throughput") -> Table:
    """Draw a GPU with dynamic batching: instances, maximal batch and concurrency are the axes."""
    rng = np.random.default_rng(seed)
    space = SearchSpace(
        [
            Dimension("instances", tuple(range(1, int(rng.integers(4, 7)))), ordered=True),
            Dimension("max_batch", (1, 2, 4, 8, 16, 32, 64, 128), ordered=True),
            Dimension("concurrency", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512), ordered=True),
        ]
    )
    c = _columns(space)
    return _gpu(f"gpu-{seed}-{goal}", space, c, goal, rng)


def small_gpu(seed: int, goal: str = "throughput") -> Table:
    """Draw a GPU of about fifty configurations."""
    rng = np.random.default_rng(seed)
    space = SearchSpace(
        [
            Dimension("instances", (1, 2, 3), ordered=True),
            Dimension("max_batch", (1, 4, 16, 64), ordered=True),
            Dimension("concurrency", (1, 8, 32, 128), ordered=True),
        ]
    )
    return _gpu(f"small-{seed}-{goal}", space, _columns(space), goal, rng)


def kernel(seed: int, goal: str = "throughput") -> Table:
    """Draw a space without any usual axis: a ladder landscape of interacting knobs."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 9, size=int(rng.integers(3, 6)))
    dimensions = [
        Dimension(f"knob_{i}", tuple(2**k for k in range(n)), ordered=True)
        for i, n in enumerate(sizes)
    ]
    kinds = tuple("abcd"[: int(rng.integers(2, 5))])
    dimensions.append(Dimension("layout", kinds))
    if rng.random() < 0.5:
        dimensions.append(Dimension("fuse", (False, True)))
    space = SearchSpace(dimensions)
    c = _columns(space)
    cost = np.full(len(space), np.log(rng.uniform(1, 50)))
    for i, n in enumerate(sizes):
        u = np.log2(c[f"knob_{i}"]) / (n - 1)
        peak = rng.uniform(0, 1)
        cost += rng.uniform(0.2, 2.0) * (u - peak) ** 2
        other = np.log2(c[f"knob_{(i + 1) % len(sizes)}"]) / (sizes[(i + 1) % len(sizes)] - 1)
        cost += rng.uniform(-0.6, 0.6) * u * other
    cost += _pick(c["layout"], rng.normal(0, 0.3, len(kinds)))
    if "fuse" in c:
        cost += _pick(c["fuse"], rng.normal(0, 0.2, 2))
    ratio = rng.uniform(0.3, 1.2)
    lean = sum(np.log2(c[f"knob_{i}"]) / (n - 1) * rng.normal(0, 0.7) for i, n in enumerate(sizes))
    metrics = {
        "throughput_ips": 1000.0 * np.exp(-cost),
        "p99_ms": np.exp(cost * ratio + lean) * 5.0,
        "energy_j": np.exp(0.6 * cost - 0.4 * lean),
    }
    edge = np.log2(c["knob_0"]) / (sizes[0] - 1) + np.log2(c["knob_1"]) / (sizes[1] - 1)
    failed = edge > rng.uniform(1.3, 2.0)
    return _with_goal(f"kernel-{seed}-{goal}", space, metrics, failed, goal, rng)


def development() -> list[Table]:
    """Return the tables that the default sampler was tuned on."""
    return _drawn(range(1000, 1006), {edge_device: 1, gpu_server: 1, small_gpu: 1, kernel: 1})


def held_out(redraw: int = 0) -> list[Table]:
    """Return tables that the tuning never saw; another *redraw* gives others again."""
    first = 500_000 + 1000 * redraw
    return _drawn(range(first, first + 6), {edge_device: 1, gpu_server: 1, small_gpu: 1, kernel: 1})


def _drawn(seeds: range, families: Mapping[Callable[[int, str], Table], int]) -> list[Table]:
    goals = ("throughput", "throughput", "throughput", "latency", "throughput", "energy")
    return [
        family(seed, goal) for family in families for seed, goal in zip(seeds, goals, strict=True)
    ]


def _gpu(name: str, space: SearchSpace, c: Columns, goal: str, rng: np.random.Generator) -> Table:
    instances, largest, flight = c["instances"], c["max_batch"], c["concurrency"]
    batch = np.clip(flight / instances, 1.0, largest)
    active = np.minimum(instances, flight / batch)
    step = int(rng.choice([1, 4, 8]))
    run_ms = rng.uniform(0.5, 4.0) + rng.uniform(0.05, 0.6) * np.ceil(batch / step) * step
    overlap = active ** rng.uniform(0.15, 0.6)
    throughput = 1000.0 * batch * overlap / run_ms
    throughput *= 1.0 - rng.uniform(0.0, 0.1) * (instances - 1) / instances
    p99_ms = flight / throughput * 1000.0 * (1.1 + rng.uniform(0.0, 0.3) * np.log2(instances + 1))
    power_w = 30.0 + 200.0 * throughput / throughput.max()
    metrics = {
        "throughput_ips": throughput,
        "p99_ms": p99_ms,
        "energy_j": power_w / throughput,
    }
    memory = instances * (1.0 + 0.1 * largest)
    failed = memory > memory.max() * rng.uniform(0.5, 1.1)
    return _with_goal(name, space, metrics, failed, goal, rng)


def _with_goal(
    name: str,
    space: SearchSpace,
    metrics: Columns,
    failed: np.ndarray,
    goal: str,
    rng: np.random.Generator,
) -> Table:
    """Draw a budget that binds: between a twentieth and six tenths of what runs keep it."""
    share = rng.uniform(0.05, 0.6)
    budget = float(np.quantile(metrics["p99_ms"][~failed], share) * rng.uniform(1.005, 1.1))
    within = ~failed & (metrics["p99_ms"] <= budget)
    if goal == "throughput":
        objective = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=budget)])
    elif goal == "latency":
        floor = float(np.quantile(metrics["throughput_ips"][~failed], rng.uniform(0.4, 0.9)))
        floor *= rng.uniform(0.9, 0.995)
        objective = Objective.minimize("p99_ms", [Constraint("throughput_ips", at_least=floor)])
    else:
        objective = Objective.minimize("energy_j", [Constraint("p99_ms", at_most=budget)])
    assert within.any()
    noise = float(rng.uniform(0.02, 0.05))
    return Table(
        name=name, space=space, objective=objective, metrics=metrics, failed=failed, noise=noise
    )


def _columns(space: SearchSpace) -> dict[str, np.ndarray]:
    """Return each dimension's value, or its position when it is a category, by configuration."""
    return {
        d.name: np.array([_number(d, config[d.name]) for config in space.configs], dtype=float)
        for d in space.dimensions
    }


def _number(dimension: Dimension, value: Value) -> float:
    return float(value) if dimension.ordered else float(dimension.values.index(value))


def _pick(positions: np.ndarray, factors: tuple[float, ...] | np.ndarray) -> np.ndarray:
    return np.asarray(factors)[positions.astype(int)]
