"""How the instruments' findings are shown: as tables, or as a JSON document."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from autotuner.cli.tables import known
from autotuner.core.encoding import encode
from autotuner.core.events import (
    CharacterizeDone,
    InspectDone,
    LayersDone,
    PartitionDone,
    RecallDone,
)
from autotuner.core.inspection import Inspection
from autotuner.core.layer_profile import Ceilings, LayerProfile, LayerTime
from autotuner.core.partition import Partition
from autotuner.core.wording import counted
from autotuner.report.series import series
from autotuner.report.words import remarks

Finding = InspectDone | LayersDone | PartitionDone | CharacterizeDone | RecallDone
"""The endings that this module shows."""

_BATCHES = (1, 8, 32)
_MIB = 2**20
_MOST_LAYERS = 20
_MOST_CUTS = 8


def document(ending: Finding) -> dict[str, Any]:
    """Return the JSON document of *ending*."""
    if isinstance(ending, InspectDone):
        return _inspection_document(ending.inspection)
    if isinstance(ending, LayersDone):
        return _layers_document(ending.profile)
    if isinstance(ending, PartitionDone):
        return _partition_document(ending.partition)
    if isinstance(ending, RecallDone):
        return {"status": "ok", "run": encode(ending.run)}
    status = "interrupted" if ending.interrupted else "ok"
    return {"status": status, "sweep": encode(ending.sweep)}


def show(ending: Finding, console: Console) -> None:
    """Print *ending* for people."""
    if isinstance(ending, InspectDone):
        _show_inspection(ending.inspection, console)
    elif isinstance(ending, LayersDone):
        _show_layers(ending.profile, console)
    elif isinstance(ending, PartitionDone):
        _show_partition(ending.partition, console)
    elif isinstance(ending, RecallDone):
        measured = counted(len(ending.run.measured.points), "measurement")
        console.print(f"{measured} of {ending.run.model}.")
    else:
        _show_sweep(ending, console)


def _inspection_document(found: Inspection) -> dict[str, Any]:
    totals = {
        "parameters": found.parameters,
        "weight_bytes": found.weight_bytes,
        "multiply_adds": found.multiply_adds,
        "flops": found.flops,
    }
    data = encode(found)
    layers = data.pop("layers")
    return {
        "status": "ok",
        **data,
        **totals,
        "uncounted": list(found.uncounted),
        "operators": encode(found.operators()),
        "layers": layers,
    }


def _show_inspection(found: Inspection, console: Console) -> None:
    table = _table("operator", "layers", "parameters", "MFLOPs", "share")
    for row in found.operators():
        share = row.flops / found.flops if found.flops else 0.0
        table.add_row(
            row.operator,
            str(row.layers),
            f"{row.parameters:,}",
            f"{row.flops / 1e6:.2f}",
            f"{share:.1%}",
        )
    console.print(f"{found.model}: opset {found.opset}, {counted(len(found.layers), 'node')}")
    for side, tensors in (("input", found.inputs), ("output", found.outputs)):
        for tensor in tensors:
            console.print(f"  {side} {tensor}", markup=False)
    console.print()
    console.print(table)
    console.print()
    console.print(
        f"{found.parameters / 1e6:.2f} M parameters ({found.weight_bytes / _MIB:.1f} MiB), "
        f"{found.flops / 1e6:.2f} MFLOPs a sample, a multiply-add counted once "
        f"({found.multiply_adds / 1e6:.2f} M multiply-adds)."
    )
    if found.uncounted:
        console.print(f"Not counted, as their work is not known: {', '.join(found.uncounted)}.")
    peak = found.peak_activation_bytes
    if peak is not None:
        memory = ", ".join(f"batch {n}: {n * peak / _MIB:.1f} MiB" for n in _BATCHES)
        console.print(f"Activations alive at a time, in the order of the graph: {memory}.")


def _layers_document(profile: LayerProfile) -> dict[str, Any]:
    return {
        "status": "ok",
        "profile": encode(profile),
        "layers_ms": profile.layers_ms,
        "overhead": profile.overhead,
        "operators": [
            {"operator": operator, "layers": layers, "share": share}
            for operator, layers, share in profile.operators()
        ],
    }


def _show_layers(profile: LayerProfile, console: Console) -> None:
    steps = _table("layer", "operator", "time", "share", "GFLOP/s", "MiB", "of roofline")
    slowest = sorted(profile.layers, key=lambda layer: -layer.time_us)
    for layer in slowest[:_MOST_LAYERS]:
        steps.add_row(*_layer_row(layer, profile.ceilings))
    kinds = _table("operator", "layers", "share")
    for operator, layers, share in profile.operators():
        kinds.add_row(operator, str(layers), f"{share:.1%}")
    if profile.simulated:
        console.print(f"Simulated: shared out by operations, not measured ({profile.device}).")
    console.print(f"{profile.model}, {profile.config}")
    console.print(kinds)
    console.print()
    console.print(steps)
    if len(slowest) > _MOST_LAYERS:
        console.print(f"... and {len(slowest) - _MOST_LAYERS} more; --json has every one.")
    console.print()
    console.print(
        f"A batch takes {profile.plain_ms:.3f} ms, with its layers timed {profile.whole_ms:.3f} ms "
        f"({profile.overhead:+.1%}); the layers make {profile.layers_ms:.3f} ms of that. "
        f"{counted(profile.runs, 'batch', 'batches')}; "
        f"each share is known to ±{profile.margin:.2%}."
    )
    if profile.ceilings is not None:
        console.print(
            f"Ceilings measured here: {profile.ceilings.gflops_s:.1f} GFLOP/s (a multiply-add "
            f"counted once), {profile.ceilings.gb_s:.1f} GB/s."
        )
    if profile.counted:
        console.print(profile.counted)


def _layer_row(layer: LayerTime, ceilings: Ceilings | None) -> list[str]:
    moved, reached = layer.moved_bytes, None
    if ceilings is not None:
        reached = layer.roofline_share(ceilings)
    return [
        layer.nodes[0] if layer.nodes else layer.name,
        layer.operator,
        f"{layer.time_us:.1f} us",
        f"{layer.share:.1%}",
        known(layer.gflops_s, "{:.1f}"),
        known(None if moved is None else moved / _MIB, "{:.2f}"),
        known(reached, "{:.0%}"),
    ]


def _partition_document(found: Partition) -> dict[str, Any]:
    ends = {"best": found.best, "device_only": found.device_only, "server_only": found.server_only}
    totals = {name: {**encode(cut), "total_ms": cut.total_ms} for name, cut in ends.items()}
    return {"status": "ok", **totals, "partition": encode(found)}


def _show_partition(found: Partition, console: Console) -> None:
    table = _table("cut after", "sent", "device", "network", "server", "total", "energy")
    shown = dict.fromkeys([*found.ranked()[:_MOST_CUTS], found.device_only, found.server_only])
    for cut in shown:
        whole = {found.device_only: "device only", found.server_only: "server only"}
        table.add_row(
            whole.get(cut, cut.after),
            f"{cut.sent_bytes / 1024:.1f} KiB",
            *(f"{ms:.1f} ms" for ms in (cut.device_ms, cut.transfer_ms, cut.server_ms)),
            f"{cut.total_ms:.1f} ms",
            known(cut.energy_j, "{:.3f} J"),
        )
    if found.simulated:
        console.print("Simulated: at least one side's times were not measured.")
    legal = counted(len(found.cuts), "legal cut")
    console.print(f"{found.model}, the best first by {found.goal}; {legal}")
    console.print(table)
    for check in found.checks:
        console.print(str(check))
    for path in found.files:
        console.print(f"Wrote {path}", soft_wrap=True)


def _show_sweep(done: CharacterizeDone, console: Console) -> None:
    sweep = done.sweep
    if sweep.simulated:
        console.print(f"Simulated: nothing was measured on a real {sweep.box}.")
    for remark in remarks(series([sweep])):
        console.print(remark)
    left = "; it was ended early, the same command continues" if done.interrupted else ""
    console.print(
        f"{counted(len(sweep.points), 'configuration')} on {sweep.box}, "
        f"protocol {sweep.protocol}{left}."
    )


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table
