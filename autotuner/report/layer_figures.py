"""Figures of layers and cuts: where the time of a model goes, and where to part it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.report.drawing import INK, PALETTE, Drawing, drawn, spread, whole

_MOST_BARS = 24


def of_layers(profile: LayerProfile) -> Iterator[Drawing]:
    """Draw where the time of a model goes."""
    yield drawn("operators", "Time by operator", _operators, profile)
    yield drawn("timeline", "Time of each layer, in order", _timeline, profile)
    if profile.ceilings is not None:
        yield drawn("roofline", "Roofline", _roofline, profile)


def of_partition(partition: Partition) -> Iterator[Drawing]:
    """Draw what each cut costs."""
    yield drawn("cuts", "Time of each cut, the server alone first", _cuts, partition)


def _operators(axes: Any, profile: LayerProfile) -> None:
    rows = profile.operators()[:_MOST_BARS][::-1]
    colors = _colors(profile)
    axes.barh(
        [row[0] for row in rows],
        [100.0 * row[2] for row in rows],
        color=[colors[row[0]] for row in rows],
        height=0.7,
    )
    axes.set_xlabel("share of the time, %")


def _timeline(axes: Any, profile: LayerProfile) -> None:
    began_ms = 0.0
    named: set[str] = set()
    colors = _colors(profile)
    for layer in profile.layers:
        axes.bar(
            began_ms,
            layer.time_us,
            width=layer.time_us / 1e3,
            align="edge",
            color=colors[layer.operator],
            label=None if layer.operator in named else layer.operator,
        )
        named.add(layer.operator)
        began_ms += layer.time_us / 1e3
    axes.set_xlabel("since the batch began, ms")
    axes.set_ylabel("time of the layer, us")


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
    axes.plot(edges, roof, color=INK, linewidth=1.2, label="measured ceilings")
    colors = _colors(profile)
    for operator, spots in groups.items():
        xs, ys = zip(*spots, strict=True)
        axes.plot(xs, ys, "o", markersize=4, alpha=0.8, label=operator, color=colors[operator])
    spread(axes.xaxis, axes.yaxis)
    axes.set_xlabel("operations for each byte moved")
    axes.set_ylabel("GFLOP/s, a multiply-add counted once")


def _colors(profile: LayerProfile) -> dict[str, str]:
    """Return the colour of each operator, the same in every figure of the profile."""
    return {
        operator: PALETTE[place % len(PALETTE)]
        for place, (operator, _, _) in enumerate(profile.operators())
    }


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
    axes.plot([best], [1.03 * partition.best.total_ms], "v", color=INK, label="best")
    axes.set_xlabel("cut, in order of the graph")
    whole(axes.xaxis)
    axes.set_ylabel("ms")
