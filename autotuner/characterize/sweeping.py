"""The job that measures whole grids of configurations; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import autotuner
from autotuner import plan, venue
from autotuner.bench.harness import Cancelled
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.errors import InputError, ModelError
from autotuner.core.events import CharacterizeDone, Event, Note, Started, TrialDone, TrialStarted
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed
from autotuner.core.request import CharacterizeRequest
from autotuner.core.space import SearchSpace, Value
from autotuner.core.sweep import ModelSize, Point, Sweep
from autotuner.guard import Guard, Pair
from autotuner.inspecting import inspection
from autotuner.model.variants import VariantStore
from autotuner.search import Search, stored_facts, study_name
from autotuner.subject import Subject

_PERCENTILE, _CONFIDENCE = 99.0, 0.95
_OBJECTIVE = Objective.maximize("throughput_ips")
ALL = ("all",)
"""Every value of a dimension that there is here."""

_LOADING_S = 1.0
"""What a configuration takes beside its window, roughly; for the time that is told beforehand."""


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
    points: list[Point] = []
    sizes: list[ModelSize] = []
    box, simulated, interrupted = "", False, False
    for model in request.models:
        workload = replace(request.workload, model=model)
        subject = venue.resolve(workload, cache_dir)
        for note in subject.notes:
            yield Note(text=note)
        box = subject.simulated or subject.fingerprint.cpu or "this box"
        simulated = subject.device is not None
        sizes.append(_size(model, subject))
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
    # Named as in a search on this box, so that it recognises what is measured here.
    names = plan.search_space(guard.offered(guard.wanted()), {}).names
    space = grid(guard.offered(pairs), names, sweep)
    fingerprint = subject.fingerprint.digest
    facts = stored_facts(storage, fingerprint=fingerprint)
    configs = [dict(config) for config in space]
    with Search(
        space,
        _OBJECTIVE,
        name="sweep-" + study_name(fingerprint, space, _OBJECTIVE),
        storage=storage,
        sampler="random",
        seeds=[config for config in configs if config not in [dict(known) for known, _ in facts]],
        fingerprint=fingerprint,
    ) as search:
        search.import_trials(facts)
        known = {Config.from_mapping(trial.config) for trial in search.trials() if trial.outcome}
        left = len(configs) - len(known)
        _check_time(request, left, subject)
        yield Started(
            model=subject.info.name,
            fingerprint=fingerprint,
            space_size=len(space),
            known_trials=len(known),
            max_trials=left,
            max_seconds=left * (request.seconds + _LOADING_S),
            simulated=subject.simulated,
        )
        try:
            if left:
                yield from guard.build(pairs)
                yield from _measure(request, subject, guard, pairs, search, left, cancelled)
        finally:
            points += _points(subject.info.name, search)


def _points(model: str, search: Search) -> Iterator[Point]:
    """Yield what is known of each configuration, the latest where it was measured twice."""
    for trial in {str(trial.config): trial for trial in search.trials()}.values():
        if trial.outcome is not None:
            config = Config.from_mapping(trial.config)
            yield Point(model=model, config=config, outcome=trial.outcome)


def _measure(
    request: CharacterizeRequest,
    subject: Subject,
    guard: Guard,
    pairs: Sequence[Pair],
    search: Search,
    left: int,
    cancelled: Callable[[], bool],
) -> Iterator[Event]:
    """Measure the *left* configurations that the study does not know."""
    window = Window(min_s=request.seconds, max_s=request.seconds)
    with venue.open_bench(subject, request.workload.seed, cancelled, guard.graph_of) as bench:
        if busy := bench.background.note:
            yield Note(text=busy)
        judgements = yield from guard.judge(bench, pairs)
        refused = {(j.provider, j.precision): j.failed for j in judgements if j.failed is not None}
        for done in range(1, left + 1):
            trial = search.ask()  # the next that is not known
            config = Config.from_mapping(trial.config)
            yield TrialStarted(phase="search", number=trial.number, config=config)
            began = time.monotonic()
            try:
                pair = (config.provider, config.precision)
                found = refused.get(pair) or bench.measure(config, window)
            except Cancelled:
                search.release(trial)
                raise
            outcome = (
                found if isinstance(found, Failed) else found.measurement(_PERCENTILE, _CONFIDENCE)
            )
            search.tell(trial, outcome, seconds=time.monotonic() - began)
            yield TrialDone(
                phase="search",
                number=trial.number,
                config=config,
                outcome=outcome,
                trials=done,
            )


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


def _check_time(request: CharacterizeRequest, left: int, subject: Subject) -> None:
    """Refuse a sweep that is sure to take longer than there is time."""
    need_s = left * (request.seconds + _LOADING_S)
    if request.max_seconds is None or need_s <= request.max_seconds or subject.device is not None:
        return
    widest = max(request.dimensions, key=lambda name: len(request.dimensions[name]))
    raise InputError(
        f"The sweep of {subject.info.name} has {left} configurations left, which take about "
        f"{need_s:.0f} s, and there are {request.max_seconds:g} s; leave values of {widest} out, "
        "or give more --time."
    )


def _size(model: str | None, subject: Subject) -> ModelSize:
    try:
        looked = inspection(model, subject_shapes(subject))
    except ModelError:  # a device that is not there may know models by name alone
        return ModelSize(model=subject.info.name, parameters=0, flops=0)
    return ModelSize(model=subject.info.name, parameters=looked.parameters, flops=looked.flops)


def subject_shapes(subject: Subject) -> tuple[str, ...]:
    """Return the shapes of the subject's inputs as they would be typed."""
    return tuple(
        f"{tensor.name}={'x'.join(map(str, tensor.sample_shape))}"
        for tensor in subject.inputs.tensors
        if tensor.sample_shape
    )
