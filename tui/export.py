"""What a watcher takes home: the trials as CSV and JSON, written to a folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autotuner.core.config import Config
from autotuner.core.encoding import encode
from autotuner.core.events import TrialDone
from autotuner.core.outcome import Failed, Measurement, Outcome
from tui.news import Answer, Told
from tui.state import JobView
from tui.trials import Trial

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
_COLUMNS = ("phase", "number", *Config().to_mapping(), "failed", *_METRICS)


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


def write(events: Iterable[Told], into: Path) -> Answer:
    """Write ``trials.csv`` and ``trials.json`` of a job's *events* into the folder *into*.

    The trials pass one by one, so that there may be any number of them. Returns what to tell.
    """
    try:
        count = _write(_trials(events), into / "trials.csv", into / "trials.json")
    except OSError as error:
        return Answer(text=f"Not everything was written: {error}.", done=False)
    return Answer(text=f"Wrote {count} trials and a picture of the screen to {into}", done=True)


def document(trial: Trial, outcome: Outcome | None) -> dict[str, Any]:
    """Return *trial* and what came of it as plain data."""
    return {
        "phase": trial.phase,
        "number": trial.number,
        "config": trial.config.to_mapping(),
        "why": trial.why,
        "began_t": trial.began_t,
        "ended_t": trial.ended_t,
        "outcome": encode(outcome),
    }


def row(trial: Trial, outcome: Outcome | None) -> dict[str, Any]:
    """Return *trial* and what came of it by the names of the columns."""
    found: dict[str, Any] = {"phase": trial.phase, "number": trial.number}
    found |= trial.config.to_mapping()
    if isinstance(outcome, Failed):
        found["failed"] = outcome.reason
    elif isinstance(outcome, Measurement):
        found |= {name: getattr(outcome, name) for name in _METRICS}
    return found


def _trials(events: Iterable[Told]) -> Iterator[tuple[Trial, Outcome | None]]:
    """Yield every trial with its outcome as it ends, and at last the one that still runs."""
    view = JobView(job="")
    for n, t, event in events:
        view.take(n, t, event)
        if isinstance(event, TrialDone):
            yield view.trials[-1], event.outcome
    if view.now is not None:
        yield view.now, None


def _write(trials: Iterable[tuple[Trial, Outcome | None]], table: Path, whole: Path) -> int:
    """Write *trials* as CSV, where what is not known is left empty, and as JSON; count them."""
    count = 0
    with (
        table.open("w", encoding="utf-8", newline="") as rows,
        whole.open("w", encoding="utf-8") as documents,
    ):
        writer = csv.DictWriter(rows, _COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        documents.write("[")
        for trial, outcome in trials:
            writer.writerow(row(trial, outcome))
            documents.write(",\n" if count else "\n")
            json.dump(document(trial, outcome), documents)
            count += 1
        documents.write("\n]\n")
    return count
