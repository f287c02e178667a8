"""The job that times a model's layers under one configuration; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import onnx

from autotuner import plan, venue
from autotuner.bench.window import Window
from autotuner.characterize.child_process import LayerTimer
from autotuner.characterize.layer_statistics import LayerStatistics
from autotuner.characterize.messages import Answer, Machine, Order, Round
from autotuner.characterize.scaled_layers import share_out
from autotuner.core.config import Config
from autotuner.core.errors import MachineError
from autotuner.core.events import Event, LayersDone, Note, Started, Working
from autotuner.core.layer_profile import Counters, LayerProfile
from autotuner.core.outcome import Failed
from autotuner.core.request import LayersRequest
from autotuner.guard import Guard
from autotuner.inspecting import inspection
from autotuner.model import cost
from autotuner.model.cost import Cost
from autotuner.model.variants import VariantStore
from autotuner.subject import Subject

_LEAST_ROUNDS = 5


def time_layers(
    request: LayersRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Time the layers of the model of *request* and end with LayersDone.

    Raises AutotunerError for bad input, for a provider whose layers cannot be timed and for a
    model that it cannot run, Cancelled when it was called off.
    """
    subject = venue.resolve(request.workload, cache_dir)
    for note in subject.notes:
        yield Note(text=note)
    config = replace(request.config, workers=1)
    if subject.info.batch != "free":
        config = replace(config, batch_size=subject.info.batch)
    if subject.device is not None:
        mode = config.power_mode if config.power_mode != "present" else subject.usual.power_mode
        config = replace(config, provider=subject.usual.provider, power_mode=mode)
    plan.check(config, subject)
    yield Started(
        model=subject.info.name,
        fingerprint=subject.fingerprint.digest,
        max_seconds=request.max_seconds,
        simulated=subject.simulated,
    )
    if subject.device is not None:
        yield LayersDone(profile=_shared_out(request, subject, config, cancelled))
        return
    guard = Guard(
        subject=subject,
        rules=request.workload.accuracy,
        store=VariantStore(cache_dir),
        cancelled=cancelled,
    )
    yield from guard.build([(config.provider, config.precision)])
    profile = yield from _timed(request, subject, config, guard.graph_of(config), cancelled)
    if profile.margin > request.margin:
        yield Note(
            text=f"After {request.max_seconds:g} s the shares are known to "
            f"±{profile.margin:.2%} only; give more with --time."
        )
    yield LayersDone(profile=profile)


def _timed(
    request: LayersRequest,
    subject: Subject,
    config: Config,
    graph: Path,
    cancelled: Callable[[], bool],
) -> Generator[Event, None, LayerProfile]:
    (cpus,) = subject.topology.cpu_sets(config.affinity, 1, config.intra_op_threads)
    order = Order(model=graph, config=config, inputs=subject.inputs, cpus=cpus)
    began = time.monotonic()
    found = LayerStatistics()
    with LayerTimer(order, cancelled) as timer:
        machine = _answered(timer.receive(), subject)
        assert isinstance(machine, Machine)
        rounds = 0
        while rounds < _LEAST_ROUNDS or (
            found.margin > request.margin and time.monotonic() - began < request.max_seconds
        ):
            yield Working(what="timing the layers", step=f"round {rounds + 1}")
            timer.ask()
            answer = _answered(timer.receive(), subject)
            assert isinstance(answer, Round)
            found.add(answer.plain_s, answer.runs)
            rounds += 1
    counted, samples = _counted(graph, subject, config)
    return LayerProfile(
        model=subject.info.name,
        model_sha256=subject.info.sha256,
        config=config,
        device=subject.fingerprint.cpu or "unknown",
        sample_shapes={tensor.name: tensor.sample_shape for tensor in subject.inputs.tensors},
        layers=found.layers(counted, samples),
        runs=len(found.runs),
        whole_ms=found.whole_ms,
        plain_ms=found.plain_ms,
        margin=found.margin,
        wanted_margin=request.margin,
        ceilings=machine.ceilings,
        counters=machine.counted if isinstance(machine.counted, Counters) else None,
        why_no_counters=machine.counted if isinstance(machine.counted, str) else "",
    )


def _answered(answer: Answer, subject: Subject) -> Answer:
    if isinstance(answer, Failed):
        raise MachineError(
            f"The layers of {subject.info.name} could not be timed: {answer.reason}: "
            f"{answer.detail}; try another --provider or a smaller --batch-size."
        )
    return answer


def _counted(graph: Path, subject: Subject, config: Config) -> tuple[Cost, int]:
    """Return the graph's cost as it is counted, and how many times it is in one batch."""
    samples = {tensor.name: tensor.sample_shape for tensor in subject.inputs.tensors}
    counted = cost.count(onnx.load(graph, load_external_data=False), samples)
    return counted, config.batch_size if subject.info.batch == "free" else 1


def _shared_out(
    request: LayersRequest, subject: Subject, config: Config, cancelled: Callable[[], bool]
) -> LayerProfile:
    """Return what a device that is not there would need, by each layer's operations."""
    looked = inspection(request.workload.model, request.workload.shapes)
    window = Window(min_s=1.0, max_s=1.0, percentile=50.0, confidence=0.95)
    with venue.open_bench(subject, request.workload.seed, cancelled) as bench:
        found = bench.measure(config, window)
    if isinstance(found, Failed):
        raise MachineError(f"{subject.simulated} cannot run {config}: {found.detail}.")
    total_ms = found.measurement(50.0, 0.95).mean_ms
    assert total_ms is not None
    return share_out(
        looked.layers,
        model=subject.info.name,
        model_sha256=subject.info.sha256,
        device=f"simulated {subject.simulated}",
        config=config,
        total_ms=total_ms,
        sample_shapes=looked.sample_shapes,
    )
