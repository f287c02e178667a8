"""What a watcher takes home: the trials as CSV and JSON, written to a folder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autotuner.core.encoding import encode
from autotuner.core.outcome import Failed
from tui.state import JobView, Trial

_METRICS = (
    "throughput_ips",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "max_ms",
    "mean_ms",
    "memory_mib",
    "power_w",
    "energy_j",
    "setup_s",
    "n",
)


def folder(job: str, places: Sequence[Path]) -> Path:
    """Make and return the folder for *job* in the first of *places* that can be written.

    Raises OSError when none can.
    """
    problem: OSError | None = None
    for place in places:
        made = place / f"autotune-{job}"
        try:
            made.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = error
            continue
        return made
    raise problem or OSError("there is no folder to write to")


def write(view: JobView, into: Path) -> list[Path]:
    """Write ``trials.csv`` and ``trials.json`` into the folder *into* and return their paths."""
    files = {
        into / "trials.csv": table(view.trials),
        into / "trials.json": json.dumps([document(trial) for trial in view.trials], indent=1),
    }
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def table(trials: Sequence[Trial]) -> str:
    """Return the trials as CSV, a row for each; what is not known is left empty."""
    out = io.StringIO()
    rows = [_row(trial) for trial in trials]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def document(trial: Trial) -> dict[str, Any]:
    """Return *trial* as plain data."""
    return {
        "phase": trial.phase,
        "number": trial.number,
        "config": trial.config.to_mapping(),
        "why": trial.why,
        "began_t": trial.began_t,
        "ended_t": trial.ended_t,
        "outcome": encode(trial.outcome),
    }


def _row(trial: Trial) -> dict[str, Any]:
    row: dict[str, Any] = {"phase": trial.phase, "number": trial.number}
    row |= trial.config.to_mapping()
    if isinstance(trial.outcome, Failed):
        row["failed"] = trial.outcome.reason
    elif trial.measurement is not None:
        row |= {name: getattr(trial.measurement, name) for name in _METRICS}
    return row
