"""The job that measures one configuration, as a benchmark tool would; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from autotuner import plan, scenario
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core.events import Event, MeasureDone, Note, Started, TrialStarted
from autotuner.core.outcome import Failed
from autotuner.core.request import MeasureRequest
from autotuner.host import topology
from autotuner.subject import resolve

_CONFIDENCE = 0.95


def measure(
    request: MeasureRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Measure the configuration of *request* and end with MeasureDone.

    Raises AutotunerError for bad input, Cancelled when it was called off.
    """
    began = time.monotonic()
    subject = resolve(request.workload, topology.read(), cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    config = request.config
    if subject.info.batch != "free" and config.batch_size == 1:
        config = replace(config, batch_size=subject.info.batch)
    if request.workload.scenario == "server" and config.max_queue_delay_ms is None:
        config = replace(config, max_queue_delay_ms=0.0)
    plan.check(config, subject)
    yield Started(model=subject.info.name, fingerprint=subject.fingerprint.digest)
    with Harness(
        subject.info.path, subject.inputs, subject.topology, cancelled=cancelled
    ) as harness:
        if busy := harness.background.note:
            yield Note(text=busy)
        yield TrialStarted(phase="measure", config=config)
        window = Window(
            min_s=request.seconds,
            max_s=request.seconds,
            percentile=request.percentile,
            confidence=_CONFIDENCE,
        )
        workload = request.workload
        found = scenario.run_once(harness, workload, config, window, workload.rate_ips)
    yield MeasureDone(
        model=subject.info.name,
        config=config,
        outcome=found
        if isinstance(found, Failed)
        else found.measurement(request.percentile, _CONFIDENCE),
        elapsed_s=time.monotonic() - began,
    )
