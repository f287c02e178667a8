"""The job that measures one configuration, as a benchmark tool would; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from autotuner import plan, scenario, venue
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import Window
from autotuner.core.config import BASELINE, Config
from autotuner.core.events import Event, MeasureDone, Note, Started, TrialStarted
from autotuner.core.outcome import Failed
from autotuner.core.request import MeasureRequest
from autotuner.guard import Guard
from autotuner.model.variants import VariantStore
from autotuner.subject import Subject

_CONFIDENCE = 0.95


def measure(
    request: MeasureRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Measure the configuration of *request* and end with MeasureDone.

    Raises AutotunerError for bad input, Cancelled when it was called off.
    """
    began = time.monotonic()
    subject = venue.resolve(request.workload, cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    config = _at_home(request.config, subject)
    if subject.info.batch != "free" and config.batch_size == 1:
        config = replace(config, batch_size=subject.info.batch)
    if request.workload.scenario == "server" and config.max_queue_delay_ms is None:
        config = replace(config, max_queue_delay_ms=0.0)
    plan.check(config, subject)
    yield Started(
        model=subject.info.name,
        fingerprint=subject.fingerprint.digest,
        simulated=subject.simulated,
    )
    guard = Guard(
        subject=subject,
        rules=request.workload.accuracy,
        store=VariantStore(cache_dir),
        cancelled=cancelled,
    )
    pair = (config.provider, config.precision)
    yield from guard.build([pair])
    with venue.open_bench(subject, request.workload.seed, cancelled, guard.graph_of) as bench:
        if busy := bench.background.note:
            yield Note(text=busy)
        judgements = yield from guard.judge(bench, [pair])
        yield TrialStarted(phase="measure", config=config)
        window = Window(
            min_s=request.seconds,
            max_s=request.seconds,
            percentile=request.percentile,
            confidence=_CONFIDENCE,
        )
        workload = request.workload
        refused = [judgement.failed for judgement in judgements if judgement.failed is not None]
        found: SteadyRun | Failed
        if refused:
            found = refused[0]
        else:
            found = yield from scenario.run_once(bench, workload, config, window, workload.rate_ips)
    yield MeasureDone(
        model=subject.info.name,
        config=config,
        outcome=found
        if isinstance(found, Failed)
        else found.measurement(request.percentile, _CONFIDENCE),
        elapsed_s=time.monotonic() - began,
        simulated=subject.simulated,
    )


def _at_home(config: Config, subject: Subject) -> Config:
    """Return *config*, the defaults in it replaced by those of the device, simulated or not."""
    usual, changed = subject.usual, {}
    for name in ("provider", "power_mode"):
        if getattr(config, name) == getattr(BASELINE, name):
            changed[name] = getattr(usual, name)
    return replace(config, **changed)
