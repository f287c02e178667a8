"""The job that measures a profile again and judges whether it holds; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from autotuner import scenario, store, venue
from autotuner.bench import loadgen
from autotuner.bench.bench import Bench
from autotuner.bench.loadtest import LoadTest
from autotuner.bench.summary import SteadyRun
from autotuner.core.config import Config
from autotuner.core.errors import InputError, ModelError
from autotuner.core.events import (
    Event,
    LoadGenVerdict,
    Note,
    Started,
    TrialStarted,
    VerifyDone,
)
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.profile import Profile
from autotuner.core.request import VerifyRequest
from autotuner.guard import Guard, passed
from autotuner.model.variants import VariantStore
from autotuner.standard import Standard

Status = Literal["kept", "broken", "stale"]

_SECONDS = (2.0, 30.0)
_SAFE_SHARE = 0.8


def verify(
    request: VerifyRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Measure the profile's winner until its constraints are decided and end with VerifyDone.

    Raises AutotunerError when the profile, its model or LoadGen cannot be used, Cancelled when
    called off.
    """
    began = time.monotonic()
    profile = store.read(Path(request.profile))
    if request.loadgen:
        _check_loadgen(profile)
    subject = venue.resolve(profile.workload, cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    config = profile.winner.config
    if config.precision not in subject.precisions.get(config.provider, ()):
        raise ModelError(
            f"The profile needs {config.precision} on {config.provider}, which is not usable here; "
            "install that runtime."
        )
    yield Started(
        model=profile.model.name,
        objective=str(profile.objective),
        fingerprint=subject.fingerprint.digest,
        simulated=subject.simulated,
    )
    standard = Standard(objective=profile.objective, confidence=profile.confidence)
    guard = Guard(
        subject=subject,
        rules=profile.workload.accuracy,
        store=VariantStore(cache_dir),
        cancelled=cancelled,
    )
    yield from guard.build([(config.provider, config.precision)])
    with venue.open_bench(subject, profile.workload.seed, cancelled, guard.graph_of) as bench:
        if busy := bench.background.note:
            yield Note(text=busy)
        judgements = yield from guard.judge(bench, [(config.provider, config.precision)])
        passed([(config.provider, config.precision)], judgements)
        yield TrialStarted(phase="measure", config=config, why="does the profile still hold?")
        workload, recorded = profile.workload, profile.winner.measurement
        rate_ips = workload.rate_ips or recorded.throughput_ips
        window = standard.window(*_SECONDS, prove=True)
        found = yield from scenario.run_once(bench, workload, config, window, rate_ips)
        second: LoadGenVerdict | Failed | None = None
        if request.loadgen:
            yield TrialStarted(phase="measure", config=config, why="what does LoadGen say?")
            test = _load_test(bench, standard, profile)
            if isinstance(test, LoadTest):
                yield Note(text=f"LoadGen may take {test.most_s:.0f} s.")
                second = bench.ask_loadgen(_asked(profile), test)
            else:
                second = test
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
        loadgen=second,
        elapsed_s=time.monotonic() - began,
        simulated=subject.simulated,
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


def _check_loadgen(profile: Profile) -> None:
    """Raise unless LoadGen is installed and has something to judge *profile* by."""
    if profile.simulated is not None:
        raise InputError("LoadGen asks in real time and the device is simulated; leave it out.")
    loadgen.library()
    if profile.objective.latency_bound is None and not _one_at_a_time(profile):
        raise InputError(
            "LoadGen judges by a latency budget and the profile has none; "
            "leave --loadgen out or tune with --max-latency."
        )


def _load_test(bench: Bench, standard: Standard, profile: Profile) -> LoadTest | Failed:
    """Return what LoadGen is to ask of *profile*, at a rate that it should stand.

    That is the proven one in the scenario server. The closed loop has none: there it is a safe
    share of the highest rate that the simulation predicts, never above that of the throughput.
    """
    workload = profile.workload
    recorded_ips = profile.winner.measurement.throughput_ips
    q, budget_ms = profile.objective.latency_bound or (profile.objective.percentile, None)
    if _one_at_a_time(profile):
        return LoadTest(percentile=q)
    rate_ips = workload.rate_ips or recorded_ips
    assert rate_ips is not None
    if workload.scenario != "server":
        server = scenario.Server(bench, standard, rate_ips=None, seed=workload.seed)
        predicted = server.trial(_asked(profile))
        if isinstance(predicted, Failed):
            return predicted
        assert predicted.throughput_ips is not None
        rate_ips = _SAFE_SHARE * min(rate_ips, predicted.throughput_ips)
    return LoadTest(percentile=q, target_qps=rate_ips, target_latency_ms=budget_ms)


def _asked(profile: Profile) -> Config:
    """Return the winner as LoadGen asks it: queries queue, so batches come in any size."""
    config = profile.winner.config
    if _one_at_a_time(profile) or config.max_queue_delay_ms is not None:
        return config
    return replace(config, max_queue_delay_ms=0.0)


def _one_at_a_time(profile: Profile) -> bool:
    """Say whether there is never more than one sample under way."""
    config = profile.winner.config
    return profile.workload.scenario != "server" and config.concurrency == config.batch_size == 1
