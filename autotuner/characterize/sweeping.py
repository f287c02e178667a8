"""The job that measures whole grids of configurations; a generator of events."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import autotuner
from autotuner import accuracy_table, history, plan, venue
from autotuner.bench.harness import Cancelled
from autotuner.characterize.doubts import doubtful
from autotuner.characterize.protocols import protocol_of
from autotuner.characterize.trials import Trials
from autotuner.core.config import Config
from autotuner.core.errors import InputError, ModelError
from autotuner.core.events import CharacterizeDone, Event, Note, Started
from autotuner.core.objective import Objective
from autotuner.core.outcome import Measurement
from autotuner.core.request import CharacterizeRequest
from autotuner.core.space import SearchSpace, Value
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.core.wording import counted
from autotuner.guard import Guard, Pair
from autotuner.inspecting import inspection
from autotuner.model import reference
from autotuner.model.variants import VariantStore
from autotuner.search import Search, stored_facts, study_name
from autotuner.subject import Subject

_OBJECTIVE = Objective.maximize("throughput_ips")
ALL = ("all",)
"""Every value of a dimension that there is here."""


def characterize(
    request: CharacterizeRequest,
    *,
    cache_dir: Path,
    storage: str,
    cancelled: Callable[[], bool],
) -> Iterator[Event]:
    """Measure every configuration of the sweep for every model and end with CharacterizeDone.

    What *storage* knows of the same models on this box is not measured again, and what is measured
    goes there. When it is called off, it ends with what there is. Raises AutotunerError for bad
    input, Cancelled when there is nothing yet.
    """
    accuracies: Mapping[str, float] = {}
    if request.accuracy_table is not None:
        names = [model or reference.DEFAULT for model in request.models]
        accuracies = accuracy_table.read(Path(request.accuracy_table), names)
    points: list[Point] = []
    sizes: list[ModelSize] = []
    box, simulated, interrupted = "", False, False
    data = request.data or (request.workload.data,) * len(request.models)
    for model, samples in zip(request.models, data, strict=True):
        workload = replace(request.workload, model=model, data=samples)
        subject = venue.resolve(workload, cache_dir)
        for note in subject.notes:
            yield Note(text=note)
        box = subject.simulated or subject.fingerprint.cpu or "this box"
        simulated = subject.device is not None
        sizes.append(_size(model, subject, accuracies.get(model or reference.DEFAULT)))
        try:
            yield from _sweep(request, subject, cache_dir, storage, cancelled, points)
        except Cancelled:
            if not points:
                raise
            interrupted = True
            break
    yield CharacterizeDone(
        interrupted=interrupted,
        sweep=Sweep(
            tool_version=autotuner.__version__,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            box=box,
            protocol=request.protocol,
            simulated=simulated,
            models=tuple(sizes),
            points=tuple(points),
        ),
    )


def _sweep(
    request: CharacterizeRequest,
    subject: Subject,
    cache_dir: Path,
    storage: str,
    cancelled: Callable[[], bool],
    points: list[Point],
) -> Iterator[Event]:
    """Measure the grid of one model, adding to *points* what is known of it."""
    guard = Guard(
        subject=subject,
        rules=request.workload.accuracy,
        store=VariantStore(cache_dir),
        cancelled=cancelled,
    )
    sweep = request.dimensions
    usual = subject.usual
    providers = sweep.get("provider", (usual.provider,))
    precisions = sweep.get("precision", (usual.precision,))
    pairs = guard.wanted(
        None if providers == ALL else providers, None if precisions == ALL else precisions
    )
    # All that there is to choose on this box: what is not swept stays as it usually is.
    names = plan.search_space(guard.offered(guard.wanted()), {}).names
    space = grid(guard.offered(pairs), names, sweep)
    protocol = protocol_of(request)
    key = protocol.store_key(subject.fingerprint.digest)
    facts = history.within(space, stored_facts(storage, fingerprint=key))
    known = [config for config, _ in facts]
    unknown = [config for config in space if config not in known]
    study = partial(Search, space, _OBJECTIVE, storage=storage, sampler="random", fingerprint=key)
    name = study_name(key, space, _OBJECTIVE)
    again = partial(study, name=f"again-{name}")
    # In no order: what changes with the hour is not to look like what changes with the batch.
    shuffled = random.Random(request.workload.seed).sample(unknown, len(unknown))
    with study(name=f"sweep-{name}", seeds=shuffled) as search:
        search.import_trials(facts)
        left = len(space) - _known(search)
        _check_time(request, left * protocol.each_s, left, subject)
        yield Started(
            model=subject.info.name,
            fingerprint=subject.fingerprint.digest,
            space_size=len(space),
            known_trials=len(space) - left,
            max_trials=left,
            max_seconds=left * protocol.each_s,
            simulated=subject.simulated,
        )
        try:
            if left or _doubts(search, again):
                yield from guard.build(pairs)
                yield from _measure(request, subject, guard, pairs, search, again, cancelled)
        finally:
            points += _points(subject.info.name, search)


def _points(model: str, search: Search) -> Iterator[Point]:
    """Yield what is known, in the grid's order, the latest where it was measured twice."""
    known = {Config.from_mapping(trial.config): trial.outcome for trial in search.trials()}
    for config in map(Config.from_mapping, search.space):
        outcome = known.get(config)
        if outcome is not None:
            yield Point(model=model, config=config, outcome=outcome)


def _measure(
    request: CharacterizeRequest,
    subject: Subject,
    guard: Guard,
    pairs: Sequence[Pair],
    search: Search,
    again: Callable[..., Search],
    cancelled: Callable[[], bool],
) -> Iterator[Event]:
    """Measure what *search* does not know, and what is in doubt once more in the study *again*."""
    with venue.open_bench(subject, request.workload.seed, cancelled, guard.graph_of) as bench:
        if busy := bench.background.note:
            yield Note(text=busy)
        trials = Trials(
            bench=bench,
            protocol=protocol_of(request),
            judgements=(yield from guard.judge(bench, pairs)),
            simulated=subject.device is not None,
            cancelled=cancelled,
        )
        yield from trials.run(search, len(search.space) - _known(search))
        while doubts := _doubts(search, again):
            with again(seeds=doubts) as study:
                try:
                    yield from trials.run(study, len(doubts))
                finally:
                    search.import_trials((t.config, t.outcome) for t in study.trials() if t.outcome)


def _known(search: Search) -> int:
    """Return how many configurations are known."""
    return len({Config.from_mapping(trial.config) for trial in search.trials() if trial.outcome})


def _doubts(search: Search, again: Callable[..., Search]) -> list[Mapping[str, Value]]:
    """Return what looks like a step or a chance and was not measured *again* yet."""
    last = {Config.from_mapping(t.config): t for t in search.trials()}
    measured = {config: t.outcome for config, t in last.items()}
    found = doubtful({c: o for c, o in measured.items() if isinstance(o, Measurement)})
    with again() as study:
        known = {Config.from_mapping(trial.config) for trial in study.trials()}
    return [last[config].config for config in found if config not in known]


def grid(
    subject: Subject, names: Sequence[str], sweep: Mapping[str, tuple[Value, ...]]
) -> SearchSpace:
    """Return every configuration of the *sweep*; what else there is in *names* stays the usual.

    Where it names workers and no threads, the workers share the CPUs evenly.
    """
    usual = subject.usual.to_mapping()
    usable = subject.topology.usable
    narrowed: dict[str, tuple[Value, ...]] = {name: (usual[name],) for name in names}
    narrowed |= {name: values for name, values in sweep.items() if values != ALL}
    narrowed = {name: v for name, v in narrowed.items() if sweep.get(name) != ALL}
    shared = "workers" in sweep and "intra_op_threads" not in sweep and not subject.accelerated
    if shared:
        threads = {max(1, usable // int(workers or 1)) for workers in sweep["workers"]}
        narrowed["intra_op_threads"] = tuple(sorted(threads))
    space = plan.search_space(subject, narrowed)
    if not shared:
        return space

    def evenly(config: Mapping[str, Value]) -> bool:
        """Give every worker its share of the CPUs as threads."""
        return config["intra_op_threads"] == max(1, usable // int(config["workers"] or 1))

    return SearchSpace(space.dimensions, (*space.restrictions, evenly))


def _check_time(request: CharacterizeRequest, need_s: float, left: int, subject: Subject) -> None:
    """Refuse a sweep that is sure to take longer than there is time."""
    if request.max_seconds is None or need_s <= request.max_seconds or subject.device is not None:
        return
    widest = max(request.dimensions, key=lambda name: len(request.dimensions[name]))
    raise InputError(
        f"The sweep of {subject.info.name} has {counted(left, 'configuration')} left, about "
        f"{need_s:.0f} s of measuring, and there are {request.max_seconds:g} s; leave values of "
        f"{widest} out, or give more --time."
    )


def _size(model: str | None, subject: Subject, accuracy: float | None) -> ModelSize:
    size = ModelSize(model=subject.info.name, parameters=0, flops=0, accuracy=accuracy)
    try:
        looked = inspection(model, _shapes(subject))
    except ModelError:  # a device that is not there may know models by name alone
        return size
    return replace(size, parameters=looked.parameters, flops=looked.flops)


def _shapes(subject: Subject) -> tuple[str, ...]:
    """Return the shapes of the subject's inputs as they would be typed."""
    return tuple(
        f"{tensor.name}={'x'.join(map(str, tensor.sample_shape))}"
        for tensor in subject.inputs.tensors
        if tensor.sample_shape
    )
