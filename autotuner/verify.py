"""The job that measures a profile again and judges whether it holds; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from autotuner import scenario, store
from autotuner.bench.harness import Harness
from autotuner.bench.summary import SteadyRun
from autotuner.core.errors import ModelError
from autotuner.core.events import Event, Note, Started, TrialStarted, VerifyDone
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.request import VerifyRequest
from autotuner.host import topology
from autotuner.standard import Standard
from autotuner.subject import resolve

Status = Literal["kept", "broken", "stale"]

_SECONDS = (2.0, 30.0)


def verify(
    request: VerifyRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Measure the profile's winner until its constraints are decided and end with VerifyDone.

    Raises AutotunerError when the profile or its model cannot be used, Cancelled when called off.
    """
    began = time.monotonic()
    profile = store.read(Path(request.profile))
    subject = resolve(profile.workload, topology.read(), cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    config = profile.winner.config
    if config.provider not in subject.providers:
        raise ModelError(
            f"The profile needs {config.provider}, which is not usable here; install that runtime."
        )
    yield Started(
        model=profile.model.name,
        objective=str(profile.objective),
        fingerprint=subject.fingerprint.digest,
    )
    standard = Standard(objective=profile.objective, confidence=profile.confidence)
    with Harness(
        subject.info.path, subject.inputs, subject.topology, cancelled=cancelled
    ) as harness:
        if busy := harness.background.note:
            yield Note(text=busy)
        yield TrialStarted(phase="measure", config=config, why="does the profile still hold?")
        workload, recorded = profile.workload, profile.winner.measurement
        rate_ips = workload.rate_ips or recorded.throughput_ips
        window = standard.window(*_SECONDS, prove=True)
        found = scenario.run_once(harness, workload, config, window, rate_ips)
    differences = profile.fingerprint.differences(subject.fingerprint)
    if isinstance(found, Failed):
        outcome: Outcome = found
        said, held = f"it cannot be measured: {found.reason} {found.detail}".rstrip(), False
    else:
        outcome = standard.measurement(found)
        said, held = _judged(standard, found, outcome)
    if differences:
        status: Status = "stale"
        said = f"{', '.join(differences)} changed since it was made, and now {said}; tune again"
    else:
        status = "kept" if held else "broken"
    yield VerifyDone(
        status=status,
        message=f"The profile is {status}: {said}.",
        model=profile.model.name,
        differences=differences,
        config=config,
        recorded=profile.winner.measurement,
        outcome=outcome,
        elapsed_s=time.monotonic() - began,
    )


def _judged(standard: Standard, run: SteadyRun, measurement: Measurement) -> tuple[str, bool]:
    """Say in words whether *run* shows the constraints kept, and whether it does."""
    bounds = " and ".join(map(str, standard.objective.constraints)) or "no constraint"
    if run.disturbed:
        return f"the measurement was disturbed ({run.disturbed}), verify again", False
    verdict = standard.verdict(run, measurement)
    if verdict == "in":
        return f"{bounds} with {standard.confidence:.0%} confidence", True
    if verdict == "out":
        return f"{bounds} does not hold", False
    return f"{bounds} could not be proven in {_SECONDS[1]:.0f} s", False
