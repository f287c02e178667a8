"""The job that measures a whole grid on this box and keeps it for replay; a generator of events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import numpy as np

import autotuner
from autotuner import durable, plan, venue
from autotuner.backends.simulated.recording import Recorded, Recording, Times, quantiles
from autotuner.bench.bench import Bench
from autotuner.bench.harness import Cancelled
from autotuner.bench.loading import load
from autotuner.bench.stats import effective_size
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.encoding import encode
from autotuner.core.errors import ModelError, StateError
from autotuner.core.events import Event, Note, RecordDone, Started, TrialDone, TrialStarted
from autotuner.core.outcome import Failed
from autotuner.core.request import RecordRequest
from autotuner.core.space import SearchSpace
from autotuner.core.wording import counted
from autotuner.guard import Guard
from autotuner.model.variants import VariantStore
from autotuner.subject import Subject

_PERCENTILE, _CONFIDENCE = 99.0, 0.95


def record(
    request: RecordRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Measure every configuration of the grid of *request* and end with RecordDone.

    When it is called off, what was measured by then is kept. Raises AutotunerError for bad input
    and when the file cannot be written, Cancelled when there is nothing to keep.
    """
    began = time.monotonic()
    subject = venue.resolve(request.workload, cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    guard = Guard(
        subject=subject,
        rules=request.workload.accuracy,
        store=VariantStore(cache_dir),
        cancelled=cancelled,
    )
    pairs = guard.wanted(request.dimensions.get("provider"), request.dimensions.get("precision"))
    space = plan.search_space(guard.offered(pairs), request.dimensions)
    yield from guard.build(pairs)
    yield Started(
        model=subject.info.name,
        fingerprint=subject.fingerprint.digest,
        space_size=len(space),
    )
    seconds = len(space) * request.seconds
    grid = counted(len(space), "configuration")
    yield Note(text=f"Measuring {grid} takes {seconds:.0f} s, and loading some more.")
    entries: list[Recorded] = []
    status: Literal["ok", "interrupted"] = "ok"
    with venue.open_bench(subject, request.workload.seed, cancelled, guard.graph_of) as bench:
        if busy := bench.background.note:
            yield Note(text=busy)
        try:
            yield from _measure(bench, space, request.seconds, entries)
        except Cancelled:
            if not any(entry.times for entry in entries):
                raise
            status = "interrupted"
    failed = sum(entry.times is None for entry in entries)
    if failed == len(entries):
        raise ModelError(
            f"No configuration of {subject.info.name} could be measured, so nothing is kept; "
            "see the failures above."
        )
    path = Path(request.out)
    _write(path, request, subject, entries)
    yield RecordDone(
        status=status,
        model=subject.info.name,
        path=str(path),
        configs=len(entries),
        failed=failed,
        elapsed_s=time.monotonic() - began,
    )


def _measure(
    bench: Bench, space: SearchSpace, seconds: float, entries: list[Recorded]
) -> Iterator[Event]:
    """Measure all of *space*, adding to *entries* what is found."""
    window = Window(min_s=seconds, max_s=seconds)
    for number, settings in enumerate(space):
        config = Config.from_mapping(settings)
        yield TrialStarted(phase="measure", number=number, config=config)
        failed = yield from load(bench, config)
        found = failed or bench.measure(config, window)
        entries.append(_recorded(config, found))
        yield TrialDone(
            phase="measure",
            number=number,
            config=config,
            outcome=found
            if isinstance(found, Failed)
            else found.measurement(_PERCENTILE, _CONFIDENCE),
            trials=len(entries),
        )


def _recorded(config: Config, found: SteadyRun | Failed) -> Recorded:
    if isinstance(found, Failed):
        return Recorded(config=config, failed=found)
    latencies = found.batches.latencies_ms
    rails = {
        name.removeprefix("power_w."): watts
        for name, watts in found.extra.items()
        if name.startswith("power_w.")
    }
    times = Times(
        batch_ms=quantiles(latencies),
        correlation=_correlation(latencies),
        load_s=found.extra["load_s"],
        first_inference_s=found.extra["first_inference_s"],
        memory_mib=found.memory_mib,
        power_w=found.power_w,
        rails_w=rails,
        clock_mhz=found.clock_mhz,
    )
    return Recorded(config=config, times=times)


def _correlation(latencies: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return that of neighbouring batches, 0 for a series that white noise explains."""
    if effective_size(latencies) >= len(latencies):
        return 0.0
    centred = latencies - latencies.mean()
    lagged = float(centred[1:] @ centred[:-1]) / float(centred @ centred)
    return round(min(0.95, max(0.0, lagged)), 3)


def _write(path: Path, request: RecordRequest, subject: Subject, entries: list[Recorded]) -> None:
    recording = Recording(
        tool_version=autotuner.__version__,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        model=subject.info.name,
        workload=request.workload,
        fingerprint=subject.fingerprint,
        entries=tuple(entries),
    )
    text = json.dumps({"schema": recording.schema, **encode(recording)}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, text.encode())
    except OSError as error:
        raise StateError(
            f"The recording cannot be written to {path}: {error.strerror}; choose another --out."
        ) from error
