"""Figures of a tuning run: what was tried, what came of it, and how the search went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.core.config import Config
from autotuner.core.objective import Objective
from autotuner.core.outcome import Measurement
from autotuner.core.request import latency_metric
from autotuner.core.tuning_run import TuningRun
from autotuner.report.drawing import INK, PALETTE, Drawing, drawn, from_zero, spread, whole
from autotuner.report.metrics import labelled
from autotuner.report.series import value

_BESIDE = (
    "memory_mib",
    "setup_s",
    "cpu_utilisation_percent",
    "gpu_utilisation_percent",
    "clock_mhz",
    "power_w",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """A configuration with its throughput and the latency that the objective bounds."""

    config: Config
    measurement: Measurement
    ips: float
    latency_ms: float

    @property
    def group(self) -> str:
        """Runtime and precision, which have a colour."""
        return f"{self.config.precision}, {self.config.provider}"


def of_run(run: TuningRun) -> Iterator[Drawing]:
    """Draw a tuning run; a figure for which nothing is known is left out."""
    tried = _tried(run)
    yield drawn("trade-off", "Latency against throughput of every trial", _trade_off, run, tried)
    if len(tried) > 1:
        yield drawn("search", "The best so far, trial by trial", _progress, run, tried)
    beside = [metric for metric in _BESIDE if any(value(t.measurement, metric) for t in tried)]
    if beside:
        title = "What else was seen, by throughput"
        yield drawn("beside", title, _beside, tried, beside, panels=len(beside))


def latency_of(objective: Objective) -> str:
    """Return the metric of the latency that *objective* bounds, else of p99."""
    return latency_metric(objective.percentile)


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points of throughput and latency that no other beats in both, slowest first."""
    kept: list[tuple[float, float]] = []
    for ips, latency in sorted(points, key=lambda p: (-p[0], p[1])):
        if not kept or latency < kept[-1][1]:
            kept.append((ips, latency))
    return kept[::-1]


def _tried(run: TuningRun) -> list[_Tried]:
    metric = latency_of(run.profile.objective)
    found = []
    for config, measurement in run.measured.measured(run.model):
        ips, latency = measurement.throughput_ips, value(measurement, metric)
        if ips and latency:
            found.append(
                _Tried(config=config, measurement=measurement, ips=ips, latency_ms=latency)
            )
    return found


def _trade_off(axes: Any, run: TuningRun, tried: Sequence[_Tried]) -> None:
    profile, metric = run.profile, latency_of(run.profile.objective)
    _scatter(axes, tried, [t.latency_ms for t in tried])
    edge = front([(t.ips, t.latency_ms) for t in tried])
    if len(edge) > 1:
        axes.plot(*zip(*edge, strict=True), color=INK, linewidth=0.9, label="no other beats these")
    bound = profile.objective.latency_bound
    if bound is not None:
        axes.axhline(bound[1], color=PALETTE[7], linestyle="--", linewidth=1.0, label="budget")
    ends = (("baseline", profile.baseline, "D"), ("winner", profile.winner, "*"))
    for name, evidence, mark in ends:
        ips, latency = evidence.measurement.throughput_ips, value(evidence.measurement, metric)
        if ips and latency:
            size = 11 if mark == "*" else 7
            axes.plot(ips, latency, mark, color=INK, markersize=size, label=name, linestyle="none")
    spread(axes.yaxis)
    axes.set_xlabel("throughput, 1/s; hollow marks were disturbed")
    axes.set_ylabel(f"latency {metric.removesuffix('_ms')}, ms")


def _progress(axes: Any, run: TuningRun, tried: Sequence[_Tried]) -> None:
    objective = run.profile.objective
    needed = (objective.metric, *(constraint.metric for constraint in objective.constraints))
    known = [
        t.measurement
        for t in tried
        if all(value(t.measurement, metric) is not None for metric in needed)
    ]
    better = max if objective.direction == "maximize" else min
    best: list[float] = []
    for measurement in known:
        found = [objective.value(measurement)] if objective.feasible(measurement) else []
        so_far = [b for b in best[-1:] if b == b] + found  # noqa: PLR0124 - not NaN
        best.append(better(so_far) if so_far else float("nan"))
    for keeps, mark, label in ((True, "o", "keeps the bounds"), (False, "x", "breaks a bound")):
        spots = [
            (number, objective.value(measurement))
            for number, measurement in enumerate(known, start=1)
            if objective.feasible(measurement) == keeps
        ]
        if spots:
            xs, ys = zip(*spots, strict=True)
            axes.plot(xs, ys, mark, markersize=4, linestyle="none", label=label)
    axes.step(range(1, len(known) + 1), best, where="post", color=INK, label="best so far")
    axes.set_xlabel("trial, in order of measuring")
    whole(axes.xaxis)
    axes.set_ylabel(labelled(objective.metric))


def _beside(grid: Sequence[Any], tried: Sequence[_Tried], metrics: Sequence[str]) -> None:
    for axes, metric in zip(grid, metrics, strict=True):
        _scatter(axes, tried, [value(t.measurement, metric) for t in tried])
        axes.set_ylabel(labelled(metric, "\n"))
        from_zero(axes)
    grid[-1].set_xlabel(labelled("throughput_ips"))


def _scatter(axes: Any, tried: Sequence[_Tried], heights: Sequence[float | None]) -> None:
    """Mark each trial above its throughput, hollow where it was disturbed."""
    for place, group in enumerate(dict.fromkeys(t.group for t in tried)):
        color = PALETTE[place % len(PALETTE)]
        spots = [
            (t, y)
            for t, y in zip(tried, heights, strict=True)
            if t.group == group and y is not None
        ]
        axes.scatter(
            [t.ips for t, _ in spots],
            [y for _, y in spots],
            s=18,
            edgecolors=color,
            facecolors=["none" if t.measurement.disturbed else color for t, _ in spots],
            linewidths=1.0,
        )
        axes.plot([], [], "o", markersize=4, color=color, label=group)
