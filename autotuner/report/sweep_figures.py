"""Figures of sweeps: one line for each setting other than the batch size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

from autotuner.core.sweep import Sweep
from autotuner.report.drawing import (
    INK,
    PALETTE,
    Drawing,
    drawn,
    from_zero,
    label_apart,
    spread,
    whole,
)
from autotuner.report.metrics import labelled
from autotuner.report.model_summary import ModelSummary, fastest, summaries
from autotuner.report.series import Series, series

_STYLES = ("-", "--", ":", "-.")
_MARKS = ("o", "s", "^", "D")
_BESIDE = (
    "throughput_ips",
    "cpu_utilisation_percent",
    "gpu_utilisation_percent",
    "clock_mhz",
    "power_w",
)
_SETUP = ("process_start_s", "load_s", "first_inference_s")


def of_sweeps(sweeps: Sequence[Sweep]) -> Iterator[Drawing]:
    """Draw what sweeps found; a figure for which nothing is known is left out."""
    lines = series(sweeps)
    yield drawn("latency-throughput", "Latency against throughput", _trade_off, lines)
    yield drawn("throughput", "Throughput by batch size", _by_batch, lines, "throughput_ips")
    if any(line.measured and line.measured[0][0] == 1 for line in lines):
        yield drawn("speed-up", "Speed-up over batch 1", _speed_up, lines)
    if _known(lines, "memory_mib"):
        yield drawn("memory", "Peak memory by batch size", _by_batch, lines, "memory_mib")
    beside = [metric for metric in _BESIDE if _known(lines, metric)]
    if len(beside) > 1:
        title = "What the machine did beside the throughput"
        yield drawn("utilisation", title, _panels, lines, beside, panels=len(beside))
    if _known(lines, "load_s"):
        yield drawn("setup", "Setup time at the smallest batch size", _setup, lines)


def of_models(sweeps: Sequence[Sweep]) -> Iterator[Drawing]:
    """Draw how fast models are beside how large and how accurate they are, where several are."""
    known = summaries(sweeps)
    if len({model.name for model in known}) < 2:
        return
    judged = [model for model in known if model.accuracy is not None]
    if judged:
        yield drawn("accuracy", "Accuracy against throughput", _accuracy, judged)
    if any(model.flops for model in known):
        yield drawn("models", "Throughput against operations", _operations, fastest(known))


def _known(lines: Sequence[Series], metric: str) -> bool:
    return any(line.values(metric)[1] for line in lines)


def _look(lines: Sequence[Series]) -> Iterator[tuple[Series, dict[str, Any]]]:
    """Yield each line with how it is drawn: a colour for each setting, a style for its workers."""
    groups = list(dict.fromkeys(line.group for line in lines))
    crews = sorted({line.crew for line in lines})
    for line in lines:
        place = crews.index(line.crew) % len(_STYLES)
        yield (
            line,
            {
                "color": PALETTE[groups.index(line.group) % len(PALETTE)],
                "linestyle": _STYLES[place],
                "marker": _MARKS[place],
                "markersize": 3.5,
                "linewidth": 1.2,
                "label": line.label,
            },
        )


def _trade_off(axes: Any, lines: Sequence[Series]) -> None:
    ends: list[tuple[str, float, float, str]] = []
    between: list[tuple[str, float, float, str]] = []
    for line, look in _look(lines):
        points = [
            (m.throughput_ips, latency, size)
            for size, m in line.measured
            if m.throughput_ips and (latency := line.latency_ms(m))
        ]
        if not points:
            continue
        xs, ys, sizes = zip(*points, strict=True)
        axes.plot(xs, ys, **look)
        for x, y, size in points:
            label = (str(size), x, y, look["color"])
            if size in {sizes[0], sizes[-1]}:
                ends.append(label)
            elif size & (size - 1) == 0:
                between.append(label)
    axes.set_xlabel("throughput, 1/s; marks are batch sizes")
    axes.set_ylabel(f"latency of a batch, ms ({_latency_words(lines)})")
    spread(axes.yaxis)
    axes.margins(x=0.08)
    label_apart(axes, [*ends, *between])


def _latency_words(lines: Sequence[Series]) -> str:
    words = {"steady": "p99", "embench": "fastest of 50 runs"}
    return " or ".join(words[name] for name in dict.fromkeys(line.protocol for line in lines))


def _by_batch(axes: Any, lines: Sequence[Series], metric: str) -> None:
    lost_before = False
    for line, look in _look(lines):
        sizes, values = line.values(metric)
        axes.plot(sizes, values, **look)
        lost = [size for size, failed in line.failed if failed.reason == "oom"]
        if lost and values:
            axes.plot(
                lost,
                [max(values)] * len(lost),
                "x",
                color=look["color"],
                label=None if lost_before else "out of memory",
            )
            lost_before = True
    _mark_batches(axes)
    axes.set_ylabel(labelled(metric))
    from_zero(axes)


def _speed_up(axes: Any, lines: Sequence[Series]) -> None:
    for line, look in _look(lines):
        sizes, values = line.values("throughput_ips")
        if sizes and sizes[0] == 1:
            axes.plot(sizes, [value / values[0] for value in values], **look)
    axes.axhline(1.0, color=INK, linewidth=0.8)
    _mark_batches(axes)
    axes.set_ylabel("throughput over that of batch 1")


def _panels(grid: Sequence[Any], lines: Sequence[Series], metrics: Sequence[str]) -> None:
    for axes, metric in zip(grid, metrics, strict=True):
        for line, look in _look(lines):
            axes.plot(*line.values(metric), **look)
        axes.set_ylabel(labelled(metric, "\n"))
        from_zero(axes)
    _mark_batches(grid[-1])


def _mark_batches(axes: Any) -> None:
    axes.set_xlabel("batch size")
    whole(axes.xaxis)


def _setup(axes: Any, lines: Sequence[Series]) -> None:
    names = [line.label for line in lines][::-1]
    begun = [0.0] * len(names)
    for metric in filter(lambda metric: _known(lines, metric), _SETUP):
        lengths = [sum(line.values(metric)[1][:1]) for line in lines][::-1]
        label = labelled(metric).removeprefix("setup: ").removesuffix(", s")
        axes.barh(names, lengths, left=begun, label=label, height=0.6)
        begun = [begin + length for begin, length in zip(begun, lengths, strict=True)]
    axes.set_xlabel("setup, s")
    axes.tick_params(axis="y", labelsize=7.5)


def _accuracy(axes: Any, models: Sequence[ModelSummary]) -> None:
    _bubbles(axes, models, lambda model: (model.throughput_ips, model.accuracy))
    axes.set_xlabel("most throughput, 1/s; the area of a mark goes with its FLOPs")
    axes.set_ylabel("accuracy, times what a precision keeps of it")


def _operations(axes: Any, models: Sequence[ModelSummary]) -> None:
    _bubbles(axes, models, lambda model: (model.flops / 1e6 or None, model.throughput_ips))
    spread(axes.xaxis, axes.yaxis)
    axes.set_xlabel("MFLOPs a sample, a multiply-add counted once")
    axes.set_ylabel("most throughput, 1/s")


def _bubbles(
    axes: Any,
    models: Sequence[ModelSummary],
    spot: Callable[[ModelSummary], tuple[float | None, float | None]],
) -> None:
    """Mark each model by its area, that of its operations, and a number that the legend names.

    Each precision has a mark of its own.
    """
    largest = max(model.flops for model in models) or 1
    several = len({model.box for model in models}) > 1
    names = list(dict.fromkeys((model.name, model.box) for model in models))
    precisions = dict.fromkeys(model.config.precision for model in models)
    marks = dict(zip(precisions, cycle(_MARKS), strict=False))
    named: set[int] = set()
    for model in models:
        x, y = spot(model)
        if x is None or y is None:
            continue
        place = names.index((model.name, model.box))
        color, mark = PALETTE[place % len(PALETTE)], marks[model.config.precision]
        area = 30.0 + 400.0 * model.flops / largest
        axes.scatter(x, y, s=area, alpha=0.6, color=color, linewidth=0, marker=mark)
        axes.annotate(
            str(place + 1),
            (x, y),
            xytext=(math.sqrt(area) / 2.0 + 2.0, 0.0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=color,
        )
        if place not in named:
            named.add(place)
            name = f"{model.name}, {model.box}" if several else model.name
            size = f"{model.flops / 1e6:.0f} MFLOPs, {model.parameters / 1e6:.2f} M parameters"
            axes.plot([], [], "o", color=color, label=f"{place + 1}  {name}: {size}")
    if len(marks) > 1:
        for precision, mark in marks.items():
            axes.plot([], [], mark, color=INK, label=precision)
    axes.margins(0.15)
