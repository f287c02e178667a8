"""Figures of findings; they read on light and on dark paper."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autotuner.core.errors import MachineError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.core.sweep import ModelSize, Sweep
from autotuner.report.series import Series, series

_INK = "#7b828c"  # readable on white and on black
_SIZE = (7.2, 4.2)
_MOST_BARS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure as files hold it; *name* is a stem for them."""

    name: str
    title: str
    svg: str
    png: bytes


def of_sweeps(sweeps: Sequence[Sweep]) -> Iterator[Drawing]:
    """Draw what sweeps found; a figure for which nothing is known is left out."""
    lines = series(sweeps)
    yield _drawn("latency-throughput", "Latency against throughput", _trade_off, lines)
    yield _drawn(
        "throughput", "Throughput by batch size", _by_batch("throughput_ips", "1/s"), lines
    )
    if any(line.measured and line.measured[0][0] == 1 for line in lines):
        yield _drawn("speed-up", "Speed-up over batch 1", _speed_up, lines)
    for metric, unit, title in (
        ("memory_mib", "MiB", "Peak memory by batch size"),
        ("power_w", "W", "Power by batch size"),
        ("clock_mhz", "MHz", "Clock by batch size"),
        ("setup_s", "s", "Setup time by batch size"),
    ):
        if any(line.values(metric)[1] for line in lines):
            name = metric.partition("_")[0]
            yield _drawn(name, title, _by_batch(metric, unit), lines)


def of_models(sweeps: Sequence[Sweep]) -> Iterator[Drawing]:
    """Draw how fast models are beside how large they are, where several are known."""
    if len(_sizes(sweeps)) > 1:
        yield _drawn("models", "Models by operations, throughput and parameters", _models, sweeps)


def of_layers(profile: LayerProfile) -> Iterator[Drawing]:
    """Draw where the time of a model goes."""
    yield _drawn("operators", "Time by operator", _operators, profile)
    yield _drawn("timeline", "Time of each layer, in order", _timeline, profile)
    if profile.ceilings is not None:
        yield _drawn("roofline", "Roofline", _roofline, profile)


def of_partition(partition: Partition) -> Iterator[Drawing]:
    """Draw what each cut costs."""
    yield _drawn("cuts", "Time of each cut, the server alone first", _cuts, partition)


def _drawn(name: str, title: str, draw: Callable[[Any, Any], None], subject: Any) -> Drawing:
    try:
        import matplotlib as mpl  # noqa: PLC0415 - optional, and heavy
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional, and heavy
    except ImportError:
        raise MachineError("Figures need matplotlib; install edge-autotune[report].") from None
    style: Any = {
        "svg.hashsalt": "autotune",
        "svg.fonttype": "none",
        "font.size": 9.0,
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
        ),
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.grid(visible=True, color=_INK, alpha=0.2, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_title(title)
        draw(axes, subject)
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
        figure.savefig(png, format="png", dpi=150, facecolor="white")
    return Drawing(name=name, title=title, svg=svg.getvalue(), png=png.getvalue())


def _trade_off(axes: Any, lines: Sequence[Series]) -> None:
    for line in lines:
        points = [
            (m.throughput_ips, m.p99_ms, size)
            for size, m in line.measured
            if m.throughput_ips and m.p99_ms
        ]
        if not points:
            continue
        xs, ys, sizes = zip(*points, strict=True)
        (drawn,) = axes.plot(xs, ys, marker="o", markersize=3.5, linewidth=1.2, label=line.label)
        for x, y, size in points:
            if size in {sizes[0], sizes[-1]} or size & (size - 1) == 0:
                axes.annotate(
                    str(size),
                    (x, y),
                    xytext=(3, 3),
                    textcoords="offset points",
                    fontsize=7,
                    color=drawn.get_color(),
                )
    axes.set_xlabel("throughput, inferences/s")
    axes.set_ylabel("latency of a batch, p99, ms")
    axes.set_yscale("log")
    _legend(axes)


def _by_batch(metric: str, unit: str) -> Callable[[Any, Sequence[Series]], None]:
    def draw(axes: Any, lines: Sequence[Series]) -> None:
        for line in lines:
            sizes, values = line.values(metric)
            (drawn,) = axes.plot(
                sizes, values, marker="o", markersize=3.5, linewidth=1.2, label=line.label
            )
            lost = [size for size, failed in line.failed if failed.reason == "oom"]
            if lost and values:
                axes.plot(lost, [max(values)] * len(lost), "x", color=drawn.get_color())
        axes.set_xlabel("batch size")
        axes.set_ylabel(f"{metric.rpartition('_')[0]}, {unit}")
        axes.set_ylim(bottom=0.0)
        _legend(axes)

    return draw


def _speed_up(axes: Any, lines: Sequence[Series]) -> None:
    for line in lines:
        sizes, values = line.values("throughput_ips")
        if sizes and sizes[0] == 1:
            ratios = [value / values[0] for value in values]
            axes.plot(sizes, ratios, marker="o", markersize=3.5, linewidth=1.2, label=line.label)
    axes.axhline(1.0, color=_INK, linewidth=0.8)
    axes.set_xlabel("batch size")
    axes.set_ylabel("throughput over that of batch 1")
    _legend(axes)


def _sizes(sweeps: Sequence[Sweep]) -> dict[str, ModelSize]:
    return {size.model: size for sweep in sweeps for size in sweep.models if size.flops}


def _models(axes: Any, sweeps: Sequence[Sweep]) -> None:
    """Mark each model on each box; the area of a mark goes with its parameters."""
    largest = max(size.parameters for size in _sizes(sweeps).values()) or 1
    for number, sweep in enumerate(sweeps):
        for size in sweep.models:
            rates = [m.throughput_ips for _, m in sweep.measured(size.model) if m.throughput_ips]
            if not rates or not size.flops:
                continue
            spot = (size.flops / 1e6, max(rates))
            area = 30.0 + 400.0 * size.parameters / largest
            axes.scatter(*spot, s=area, alpha=0.6, color=f"C{number % 10}")
            name = size.model if len(sweeps) == 1 else f"{size.model}, {sweep.box}"
            axes.annotate(name, spot, xytext=(8, 8), textcoords="offset points", fontsize=7)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(0.2)
    axes.set_xlabel("MFLOPs a sample, a multiply-add counted once")
    axes.set_ylabel("most throughput, inferences/s")


def _operators(axes: Any, profile: LayerProfile) -> None:
    rows = profile.operators()[:_MOST_BARS][::-1]
    axes.barh([row[0] for row in rows], [100.0 * row[2] for row in rows])
    axes.set_xlabel("share of the time, %")


def _timeline(axes: Any, profile: LayerProfile) -> None:
    began_ms = 0.0
    colors: dict[str, str] = {}
    for layer in profile.layers:
        first = layer.operator not in colors
        color = colors.setdefault(layer.operator, f"C{len(colors) % 10}")
        axes.bar(
            began_ms,
            layer.time_us,
            width=layer.time_us / 1e3,
            align="edge",
            color=color,
            label=layer.operator if first else None,
        )
        began_ms += layer.time_us / 1e3
    axes.set_xlabel("since the batch began, ms")
    axes.set_ylabel("time of the layer, us")
    _legend(axes)


def _roofline(axes: Any, profile: LayerProfile) -> None:
    ceilings = profile.ceilings
    assert ceilings is not None
    groups: dict[str, list[tuple[float, float]]] = {}
    for layer in profile.layers:
        if layer.gflops_s and layer.flops and layer.moved_bytes:
            spot = (layer.flops / layer.moved_bytes, layer.gflops_s)
            groups.setdefault(layer.operator, []).append(spot)
    reach = [intensity for spots in groups.values() for intensity, _ in spots] or [1.0]
    edges = sorted({min(reach) / 2, ceilings.gflops_s / ceilings.gb_s, max(reach) * 2})
    roof = [min(ceilings.gflops_s, edge * ceilings.gb_s) for edge in edges]
    axes.plot(edges, roof, color=_INK, linewidth=1.2, label="measured ceilings")
    for operator, spots in groups.items():
        axes.plot(*zip(*spots, strict=True), "o", markersize=4, alpha=0.8, label=operator)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each byte moved")
    axes.set_ylabel("GFLOP/s, a multiply-add counted once")
    _legend(axes)


def _cuts(axes: Any, partition: Partition) -> None:
    places = range(len(partition.cuts))
    bottoms = [0.0] * len(partition.cuts)
    for label, values in (
        ("device", [cut.device_ms for cut in partition.cuts]),
        ("network", [cut.transfer_ms for cut in partition.cuts]),
        ("server", [cut.server_ms for cut in partition.cuts]),
    ):
        axes.bar(places, values, bottom=bottoms, width=0.9, label=label)
        bottoms = [bottom + value for bottom, value in zip(bottoms, values, strict=True)]
    best = partition.cuts.index(partition.best)
    axes.plot([best], [partition.best.total_ms], "v", color=_INK, label="best")
    axes.set_xlabel("cut, in order of the graph")
    axes.set_ylabel("ms")
    _legend(axes)


def _legend(axes: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=7.5, labelcolor=_INK)
