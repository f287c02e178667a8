"""Findings as rows with units in the names of their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from autotuner.core.errors import MachineError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.partition import Partition
from autotuner.core.sweep import Sweep

Row = dict[str, Any]

_METRICS = (
    "throughput_ips",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "max_ms",
    "mean_ms",
    "cv",
    "n",
    "window_s",
    "memory_mib",
    "power_w",
    "energy_j",
    "clock_mhz",
    "throttled",
    "setup_s",
    "disturbed",
)


def of_sweeps(sweeps: Sequence[Sweep]) -> list[Row]:
    """Return one row for each point, None for what is not known.

    Metrics that are not every measurement's come last.
    """
    outcomes = [point.outcome for sweep in sweeps for point in sweep.points]
    extra = sorted({name for o in outcomes if isinstance(o, Measurement) for name in o.extra})
    return [
        {
            "box": sweep.box,
            "simulated": sweep.simulated,
            "protocol": sweep.protocol,
            "model": point.model,
            **point.config.to_mapping(),
            **_figures(point.outcome, extra),
        }
        for sweep in sweeps
        for point in sweep.points
    ]


def of_layers(profile: LayerProfile) -> list[Row]:
    """Return one row for each step of the runtime."""
    ceilings = profile.ceilings
    return [
        {
            "layer": layer.nodes[0] if layer.nodes else layer.name,
            "operator": layer.operator,
            "time_us": layer.time_us,
            "share": layer.share,
            "share_margin": layer.share_margin,
            "flops": layer.flops,
            "moved_bytes": layer.moved_bytes,
            "gflops_s": layer.gflops_s,
            "roofline_share": layer.roofline_share(ceilings) if ceilings else None,
        }
        for layer in profile.layers
    ]


def of_partition(found: Partition) -> list[Row]:
    """Return one row for each cut, the server alone first."""
    return [
        {
            "after": cut.after,
            "sent_bytes": cut.sent_bytes,
            "device_ms": cut.device_ms,
            "transfer_ms": cut.transfer_ms,
            "server_ms": cut.server_ms,
            "total_ms": cut.total_ms,
            "energy_j": cut.energy_j,
        }
        for cut in found.cuts
    ]


def as_csv(table: Sequence[Row]) -> str:
    """Return the rows as CSV with a heading; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]) if table else [])
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def as_parquet(table: Sequence[Row]) -> bytes:
    """Return the rows as a Parquet file; raises MachineError when pyarrow is missing."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional
        from pyarrow import parquet  # noqa: PLC0415 - optional
    except ImportError:
        raise MachineError(
            "Parquet needs pyarrow; install edge-autotune[report], or use the CSV."
        ) from None
    content = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(table)), content)
    return content.getvalue()


def _figures(outcome: Outcome, extra: Sequence[str]) -> Row:
    if isinstance(outcome, Failed):
        empty = dict.fromkeys((*_METRICS, *extra))
        return {**empty, "failed": outcome.reason, "failed_detail": outcome.detail}
    own = {name: getattr(outcome, name) for name in _METRICS}
    others = {name: outcome.extra.get(name) for name in extra if name not in own}
    return {**own, **others, "failed": None, "failed_detail": None}
