"""The search space of a model on this machine, as the user narrowed it."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import cache

from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import SpaceError
from autotuner.core.space import Dimension, Restriction, SearchSpace, Value
from autotuner.host import accelerators
from autotuner.subject import Subject

BATCH_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
QUEUE_DELAYS_MS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_WORKERS = 16
_MOST_ON_ACCELERATOR = 4
_OVERSUBSCRIPTION = 2
_OPTIONAL = {"max_queue_delay_ms": None, "mps": None, "streams": 1}
"""Settings that are no dimension where they have this value alone."""


def search_space(
    subject: Subject,
    narrowed: Mapping[str, tuple[Value, ...]],
    *,
    budget_ms: float | None = None,
) -> SearchSpace:
    """Return every configuration worth a trial in the subject's scenario.

    *narrowed* replaces the values of the dimensions that it names; *budget_ms* is that of the
    latency. Raises SpaceError for an unknown dimension, for a value that means nothing here and
    when nothing is left.
    """
    usual = _recorded(subject) if subject.recorded else _offered(subject, narrowed)
    if subject.fingerprint.scenario == "server":
        usual.append(Dimension("max_queue_delay_ms", _queue_delays(budget_ms), ordered=True))
    names = [dimension.name for dimension in usual]
    for name in narrowed:
        if name not in names:
            raise SpaceError(f"There is no dimension {name!r}; there are {', '.join(names)}.")
    _check(subject, narrowed)
    dimensions = [
        Dimension(d.name, narrowed.get(d.name, d.values), ordered=d.ordered) for d in usual
    ]
    return SearchSpace(dimensions, _restrictions(dimensions, subject, narrowed))


def _offered(subject: Subject, named: Container[str]) -> list[Dimension]:
    """Return what there is to choose on this machine, and what was *named* all the same."""
    dimensions = [
        Dimension("batch_size", _batch_sizes(subject), ordered=True),
        Dimension("workers", _workers(subject), ordered=True),
    ]
    if not subject.accelerated:
        threads = (*_ladder(subject.topology.usable), None)
        dimensions.append(Dimension("intra_op_threads", threads, ordered=True))
        dimensions.append(Dimension("affinity", subject.topology.affinities()))
    dimensions.append(Dimension("provider", subject.providers))
    if (streams := _streams(subject)) != (1,) or "streams" in named:
        dimensions.append(Dimension("streams", streams, ordered=True))
    for name, values, default in (
        ("precision", subject.every_precision, BASELINE.precision),
        ("power_mode", subject.power_modes, BASELINE.power_mode),
        ("mps", subject.mps if max(_workers(subject)) > 1 else (None,), BASELINE.mps),
    ):
        if values != (default,) or name in named:
            dimensions.append(Dimension(name, values))
    return dimensions


def _recorded(subject: Subject) -> list[Dimension]:
    """Return the dimensions in which the recorded configurations differ, and the usual ones."""
    settings = [config.to_mapping() for config in subject.recorded]
    dimensions = []
    for name in settings[0]:
        values = list(dict.fromkeys(setting[name] for setting in settings))
        ordered = name in {"batch_size", "workers", "intra_op_threads", "streams"}
        if ordered:
            values.sort(key=lambda value: (value is None, value))
        if name not in _OPTIONAL or values != [_OPTIONAL[name]]:
            dimensions.append(Dimension(name, tuple(values), ordered=ordered))
    return dimensions


def check(config: Config, subject: Subject) -> None:
    """Raise SpaceError when *config* cannot be run on this machine."""
    if subject.recorded and replace(config, max_queue_delay_ms=None) not in subject.recorded:
        raise SpaceError(
            f"({config}) was not recorded; --dry-run of `autotune` lists the values that were."
        )
    if subject.accelerated and (config.affinity, config.intra_op_threads) != ("none", None):
        raise SpaceError("Threads and affinity mean nothing on an accelerator; leave them out.")
    _check(subject, {name: (value,) for name, value in config.to_mapping().items()})
    workers, threads = config.workers, config.intra_op_threads
    if not subject.topology.binds(config.affinity, workers, threads):
        raise SpaceError(
            f"The affinity {config.affinity!r} needs {workers * (threads or 1)} CPUs for "
            f"{workers} workers, more than it has of the {len(subject.topology.cpus)} here; "
            "use fewer workers or threads, or --affinity none."
        )


def _batch_sizes(subject: Subject) -> tuple[int, ...]:
    if subject.info.batch != "free":
        return (subject.info.batch,)
    return (1,) if subject.fingerprint.scenario == "singlestream" else BATCH_SIZES


def _workers(subject: Subject) -> tuple[int, ...]:
    if subject.fingerprint.scenario == "singlestream":
        return (1,)
    if subject.accelerated:
        return _ladder(_MOST_ON_ACCELERATOR)
    return _ladder(min(_MOST_WORKERS, 2 * subject.topology.usable))


def _streams(subject: Subject) -> tuple[int, ...]:
    """Return how many streams a worker may have, where an NVIDIA GPU can run them side by side."""
    if set(accelerators.NVIDIA_PROVIDERS).isdisjoint(subject.providers):
        return (1,)
    most = min(_MOST_ON_ACCELERATOR, max(_workers(subject)))
    return _ladder(most)


def _queue_delays(budget_ms: float | None) -> tuple[float, ...]:
    """Return how long a request may wait for company: not at all, up to half its budget."""
    if budget_ms is None:
        return QUEUE_DELAYS_MS
    return tuple(delay for delay in QUEUE_DELAYS_MS if delay <= budget_ms / 2.0)


def _ladder(top: int) -> tuple[int, ...]:
    """Return 1, 2, 3, 4, 6, 8, 12 ... up to *top*, which is always the last."""
    return (*(step for step in BATCH_SIZES if step < top), top)


def _check(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> None:
    """Refuse values that no trial could run."""
    fixed = subject.info.batch
    for size in narrowed.get("batch_size", ()):
        if fixed not in ("free", size):
            raise SpaceError(f"batch_size {size} is not possible: {subject.info.batch_note}")
    _check_scenario(subject, narrowed)
    offered: dict[str, tuple[Value, ...]] = {
        "affinity": subject.topology.affinities(),
        "provider": subject.providers,
        "precision": subject.every_precision,
        "power_mode": subject.power_modes,
    }
    if subject.recorded:
        offered = {d.name: d.values for d in _recorded(subject)}
    else:
        _check_sharing(subject, narrowed)
    for name, values in offered.items():
        for value in narrowed.get(name, ()):
            if value not in values:
                choice = ", ".join(map(str, values))
                raise SpaceError(f"The {name} {value!r} is not offered here; choose from {choice}.")


def _check_sharing(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> None:
    """Refuse ways to share a GPU that there are not."""
    if True in narrowed.get("mps", ()) and True not in subject.mps:
        raise SpaceError(f"MPS cannot be switched on here: {subject.no_mps}; leave --mps out.")
    providers = narrowed.get("provider", subject.providers)
    on_nvidia = not set(accelerators.NVIDIA_PROVIDERS).isdisjoint(providers)
    if not on_nvidia and set(narrowed.get("streams", (1,))) != {1}:
        names = ", ".join(accelerators.NVIDIA_PROVIDERS)
        raise SpaceError(
            f"Several streams in a worker are for the providers {names}; leave --streams out."
        )


def _check_scenario(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> None:
    fixed, scenario = subject.info.batch, subject.fingerprint.scenario
    if scenario == "singlestream":
        fixed_to_one = ("workers", "streams", "batch_size")
        for name in fixed_to_one if fixed == "free" else fixed_to_one[:-1]:
            if set(narrowed.get(name, (1,))) != {1}:
                raise SpaceError(f"In the scenario singlestream {name} is 1; leave it out.")
    if scenario == "server" and fixed not in ("free", 1):
        raise SpaceError(
            "Requests come one at a time in the scenario server, so the model needs a free batch "
            f"axis. {subject.info.batch_note}"
        )
    if scenario != "server" and set(narrowed.get("max_queue_delay_ms", (None,))) != {None}:
        raise SpaceError("Requests queue in the scenario server only; leave the queue delay out.")


def _restrictions(
    dimensions: Sequence[Dimension], subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]
) -> tuple[Restriction, ...]:
    topology = subject.topology
    binds, plainest = cache(topology.binds), cache(topology.plainest)
    known = {tuple(config.to_mapping().items()) for config in subject.recorded}
    most_threads = _OVERSUBSCRIPTION * topology.usable
    both_named = {"workers", "streams"} <= narrowed.keys()  # who names numbers gets them

    def own_cpus(config: Mapping[str, Value]) -> bool:
        """Give bound workers CPUs of their own."""
        workers, threads = _parallelism(config)
        return binds(str(config["affinity"]), workers, threads)

    def one_name(config: Mapping[str, Value]) -> bool:
        """Name a way to bind workers once, where several policies agree."""
        policy = str(config["affinity"])
        return plainest(policy, *_parallelism(config)) == policy

    def default_threads_alone(config: Mapping[str, Value]) -> bool:
        """Leave the number of threads to the runtime only for one unbound worker."""
        alone = config["workers"] == 1 and config["affinity"] == "none"
        on_cpu = config["provider"] not in accelerators.PROVIDERS
        return config["intra_op_threads"] is not None or alone or not on_cpu

    def plain_on_accelerators(config: Mapping[str, Value]) -> bool:
        workers, threads = _parallelism(config)
        plain = (config["affinity"], threads) == ("none", None) and workers <= _MOST_ON_ACCELERATOR
        return plain or config["provider"] not in accelerators.PROVIDERS

    def shared_gpu(config: Mapping[str, Value]) -> bool:
        """Use MPS only where several workers share an NVIDIA GPU."""
        several = config["workers"] != 1 and config["provider"] in accelerators.NVIDIA_PROVIDERS
        return several or not config["mps"]

    def side_by_side(config: Mapping[str, Value]) -> bool:
        """Have several workers or several streams in one, and these on an NVIDIA GPU only."""
        on_nvidia = config["provider"] in accelerators.NVIDIA_PROVIDERS
        return config["streams"] == 1 or (on_nvidia and (both_named or config["workers"] == 1))

    def few_threads(config: Mapping[str, Value]) -> bool:
        workers, threads = _parallelism(config)
        return workers * (threads or 1) <= most_threads

    def company_only(config: Mapping[str, Value]) -> bool:
        """Wait for a batch to fill only where a batch is more than one request."""
        return config["batch_size"] != 1 or config["max_queue_delay_ms"] == shortest

    def recorded(config: Mapping[str, Value]) -> bool:
        """Take only what was recorded."""
        settings = Config.from_mapping({**config, "max_queue_delay_ms": None}).to_mapping()
        return tuple(settings.items()) in known

    def offered_together(config: Mapping[str, Value]) -> bool:
        """Compute in a precision that the provider offers."""
        return config["precision"] in subject.precisions[str(config["provider"])]

    plain_on_accelerators.__doc__ = (
        "Leave threads and affinity to the runtime on an accelerator, for at most "
        f"{_MOST_ON_ACCELERATOR} workers."
    )
    few_threads.__doc__ = f"Have at most {most_threads} threads in all workers together."
    rules: list[Restriction] = []
    if subject.recorded:
        rules.append(recorded)
    elif not subject.accelerated:
        rules += [own_cpus, default_threads_alone]
        if "affinity" not in narrowed:  # who names a policy gets it
            rules.append(one_name)
        if not narrowed.keys() & {"workers", "intra_op_threads"}:  # who names numbers gets them
            rules.append(few_threads)
            if not set(accelerators.PROVIDERS).isdisjoint(subject.providers):
                rules.append(plain_on_accelerators)
    if {"provider", "precision"} <= {d.name for d in dimensions} and not subject.recorded:
        rules.append(offered_together)
    if any(d.name == "mps" for d in dimensions) and not subject.recorded:
        rules.append(shared_gpu)
    if any(d.name == "streams" for d in dimensions) and not subject.recorded:
        rules.append(side_by_side)
    shortest = next((d.values[0] for d in dimensions if d.name == "max_queue_delay_ms"), None)
    if shortest is not None:
        rules.append(company_only)
    return tuple(rules)


def _seeds_on_accelerator(space: SearchSpace) -> tuple[dict[str, Value], ...]:
    middling = {d.name: d.values[0] for d in space.dimensions}
    sizes = space["batch_size"].values
    middling["batch_size"] = sizes[len(sizes) // 2]
    values = {d.name: d.values for d in space.dimensions}
    precisions = values.get("precision", (None,))[::-1]
    modes = values.get("power_mode", (None,))[::-1]
    found = []
    for turn in range(max(len(precisions), len(modes))):
        chosen = {
            "precision": precisions[turn % len(precisions)],
            "power_mode": modes[turn % len(modes)],
        }
        found.append(middling | {name: v for name, v in chosen.items() if name in values})
    return tuple(config for config in found if config in space)


def _parallelism(config: Mapping[str, Value]) -> tuple[int, int | None]:
    workers, threads = config["workers"], config["intra_op_threads"]
    assert isinstance(workers, int)
    assert threads is None or isinstance(threads, int)
    return workers, threads


def seeds(space: SearchSpace, subject: Subject) -> tuple[dict[str, Value], ...]:
    """Return what to try first: all CPUs for one worker, one worker a CPU, small and middling.

    Then each other runtime and precision once, and each other runtime's own default.

    Where there are no threads to choose, on an accelerator, it is each precision in another power
    mode.
    """
    if "intra_op_threads" not in space.names:
        return _seeds_on_accelerator(space)
    usable = subject.topology.usable
    shapes = dict.fromkeys([(1, usable), (usable, 1)])
    smallest = space["batch_size"].values[0]
    wanted: list[dict[str, Value]] = [
        {"batch_size": batch, "workers": workers, "intra_op_threads": threads, "affinity": policy}
        for batch in dict.fromkeys([smallest, 4])
        for workers, threads in shapes
        for policy in ("big", "compact", "none")[: 2 if workers > 1 else None]
    ]
    # The first value of what is not named: the preferred provider, no delay.
    rest = {d.name: d.values[0] for d in space.dimensions if d.name not in wanted[0]}
    found = [{**one, **rest} for one in wanted]
    # Each other runtime and precision once, as fast as it goes: they differ by factors.
    ways = [name for name in ("provider", "precision") if name in space.names]
    fastest: dict[str, Value] = {"batch_size": 4, "workers": usable, "intra_op_threads": 1}
    fastest["affinity"] = "compact" if usable > 1 else "none"
    for values in itertools.product(*(space[name].values for name in ways)):
        way: dict[str, Value] = dict(zip(ways, values, strict=True))
        one = rest | fastest | way
        if one["provider"] in accelerators.PROVIDERS:
            one |= {"workers": 1, "intra_op_threads": None, "affinity": "none"}
            found.append(one | {"batch_size": smallest})
        if one not in found:
            found.append(one)
    for provider in space["provider"].values:
        default = subject.default_of(str(provider))
        one = {name: default.to_mapping()[name] for name in space.names}
        if one not in found and default != subject.baseline:
            found.append(one)
    return tuple(config for config in found if config in space)
