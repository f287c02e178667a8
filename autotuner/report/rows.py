"""Measurements as rows with units in the names of their columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from autotuner.core.errors import MachineError
from autotuner.core.outcome import Failed
from autotuner.core.sweep import Sweep

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


def rows(sweeps: Sequence[Sweep]) -> list[dict[str, Any]]:
    """Return one row for each point, None for what is not known."""
    found = []
    for sweep in sweeps:
        for point in sweep.points:
            outcome = point.outcome
            failed = isinstance(outcome, Failed)
            metrics = {n: None if failed else getattr(outcome, n) for n in _METRICS}
            found.append(
                {
                    "box": sweep.box,
                    "simulated": sweep.simulated,
                    "model": point.model,
                    **point.config.to_mapping(),
                    **metrics,
                    "failed": outcome.reason if isinstance(outcome, Failed) else None,
                    "failed_detail": outcome.detail if isinstance(outcome, Failed) else None,
                }
            )
    return found


def as_csv(table: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV with a heading; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]) if table else [])
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def as_parquet(table: Sequence[dict[str, Any]]) -> bytes:
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
