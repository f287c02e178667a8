"""The search space of a model on this machine, as the user narrowed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotuner.core.config import Config
from autotuner.core.errors import SpaceError
from autotuner.core.space import Dimension, Restriction, SearchSpace, Value
from autotuner.host.topology import Topology
from autotuner.subject import Subject

BATCH_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
QUEUE_DELAYS_MS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_MOST_WORKERS = 16
_OVERSUBSCRIPTION = 2


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
    topology = subject.topology
    usual = [
        Dimension("batch_size", _batch_sizes(subject), ordered=True),
        Dimension("workers", _workers(subject), ordered=True),
        Dimension("intra_op_threads", (*_ladder(topology.usable), None), ordered=True),
        Dimension("affinity", topology.affinities()),
        Dimension("provider", subject.providers),
    ]
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
    return SearchSpace(dimensions, _restrictions(dimensions, topology, narrowed))


def check(config: Config, subject: Subject) -> None:
    """Raise SpaceError when *config* cannot be run on this machine."""
    _check(subject, {name: (value,) for name, value in config.to_mapping().items()})
    workers, threads = config.workers, config.intra_op_threads
    if config.affinity != "none" and not subject.topology.binds(workers, threads):
        raise SpaceError(
            f"The affinity {config.affinity!r} needs {workers * (threads or 1)} CPUs for "
            f"{workers} workers and there are {len(subject.topology.cpus)}; "
            "use fewer workers or threads, or --affinity none."
        )


def _batch_sizes(subject: Subject) -> tuple[int, ...]:
    if subject.info.batch != "free":
        return (subject.info.batch,)
    return (1,) if subject.fingerprint.scenario == "singlestream" else BATCH_SIZES


def _workers(subject: Subject) -> tuple[int, ...]:
    if subject.fingerprint.scenario == "singlestream":
        return (1,)
    return _ladder(min(_MOST_WORKERS, 2 * subject.topology.usable))


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
    offered = {"affinity": subject.topology.affinities(), "provider": subject.providers}
    for name, values in offered.items():
        for value in narrowed.get(name, ()):
            if value not in values:
                raise SpaceError(
                    f"The {name} {value!r} is not offered here; choose from {', '.join(values)}."
                )


def _check_scenario(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> None:
    fixed, scenario = subject.info.batch, subject.fingerprint.scenario
    if scenario == "singlestream":
        for name in ("workers", "batch_size") if fixed == "free" else ("workers",):
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
    dimensions: Sequence[Dimension], topology: Topology, narrowed: Mapping[str, tuple[Value, ...]]
) -> tuple[Restriction, ...]:
    most_threads = _OVERSUBSCRIPTION * topology.usable

    def own_cpus(config: Mapping[str, Value]) -> bool:
        """Give bound workers CPUs of their own."""
        workers, threads = _parallelism(config)
        return config["affinity"] == "none" or topology.binds(workers, threads)

    def default_threads_alone(config: Mapping[str, Value]) -> bool:
        """Leave the number of threads to the runtime only for one unbound worker."""
        alone = config["workers"] == 1 and config["affinity"] == "none"
        return config["intra_op_threads"] is not None or alone

    def few_threads(config: Mapping[str, Value]) -> bool:
        workers, threads = _parallelism(config)
        return workers * (threads or 1) <= most_threads

    def company_only(config: Mapping[str, Value]) -> bool:
        """Wait for a batch to fill only where a batch is more than one request."""
        return config["batch_size"] != 1 or config["max_queue_delay_ms"] == shortest

    few_threads.__doc__ = f"Have at most {most_threads} threads in all workers together."
    rules: list[Restriction] = [own_cpus, default_threads_alone]
    if not narrowed.keys() & {"workers", "intra_op_threads"}:  # who names numbers gets them
        rules.append(few_threads)
    shortest = next((d.values[0] for d in dimensions if d.name == "max_queue_delay_ms"), None)
    if shortest is not None:
        rules.append(company_only)
    return tuple(rules)


def _parallelism(config: Mapping[str, Value]) -> tuple[int, int | None]:
    workers, threads = config["workers"], config["intra_op_threads"]
    assert isinstance(workers, int)
    assert threads is None or isinstance(threads, int)
    return workers, threads


def seeds(space: SearchSpace, topology: Topology) -> tuple[dict[str, Value], ...]:
    """Return what to try first: all CPUs for one worker, one worker a CPU, small and middling."""
    usable = topology.usable
    shapes = dict.fromkeys([(1, usable), (usable, 1)])
    smallest = space["batch_size"].values[0]
    wanted = [
        {"batch_size": batch, "workers": workers, "intra_op_threads": threads, "affinity": policy}
        for batch in dict.fromkeys([smallest, 4])
        for workers, threads in shapes
        for policy in ("compact", "none")[: 1 if workers > 1 else None]
    ]
    # The first value of what is not named: the preferred provider, no delay.
    rest = {d.name: d.values[0] for d in space.dimensions if d.name not in wanted[0]}
    return tuple(config for config in ({**w, **rest} for w in wanted) if config in space)
