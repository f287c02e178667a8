"""The search space of a model on this machine, as the user narrowed it."""

from __future__ import annotations

from collections.abc import Mapping

from autotuner.core.config import Config
from autotuner.core.errors import SpaceError
from autotuner.core.space import Dimension, Restriction, SearchSpace, Value
from autotuner.host.topology import Topology
from autotuner.subject import Subject

BATCH_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_MOST_WORKERS = 16
_OVERSUBSCRIPTION = 2


def search_space(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> SearchSpace:
    """Return every configuration worth a trial.

    *narrowed* replaces the values of the dimensions that it names. Raises SpaceError for an
    unknown dimension, for a value that means nothing here and when nothing is left.
    """
    topology = subject.topology
    usual = (
        Dimension("batch_size", _batch_sizes(subject), ordered=True),
        Dimension("workers", _ladder(min(_MOST_WORKERS, 2 * topology.usable)), ordered=True),
        Dimension("intra_op_threads", (*_ladder(topology.usable), None), ordered=True),
        Dimension("affinity", topology.affinities()),
        Dimension("provider", subject.providers),
    )
    names = [dimension.name for dimension in usual]
    for name in narrowed:
        if name not in names:
            raise SpaceError(f"There is no dimension {name!r}; there are {', '.join(names)}.")
    _check(subject, narrowed)
    dimensions = [
        Dimension(d.name, narrowed.get(d.name, d.values), ordered=d.ordered) for d in usual
    ]
    return SearchSpace(dimensions, _restrictions(topology, narrowed))


def check(config: Config, subject: Subject) -> None:
    """Raise SpaceError when *config* cannot be run on this machine."""
    settings = config.to_mapping()
    searched = ("batch_size", "workers", "intra_op_threads", "affinity", "provider")
    search_space(subject, {name: (settings[name],) for name in searched})


def _batch_sizes(subject: Subject) -> tuple[int, ...]:
    return BATCH_SIZES if subject.info.batch == "free" else (subject.info.batch,)


def _ladder(top: int) -> tuple[int, ...]:
    """Return 1, 2, 3, 4, 6, 8, 12 ... up to *top*, which is always the last."""
    return (*(step for step in BATCH_SIZES if step < top), top)


def _check(subject: Subject, narrowed: Mapping[str, tuple[Value, ...]]) -> None:
    """Refuse values that no trial could run."""
    fixed = subject.info.batch
    for size in narrowed.get("batch_size", ()):
        if fixed not in ("free", size):
            raise SpaceError(f"batch_size {size} is not possible: {subject.info.batch_note}")
    offered = {"affinity": subject.topology.affinities(), "provider": subject.providers}
    for name, values in offered.items():
        for value in narrowed.get(name, ()):
            if value not in values:
                raise SpaceError(
                    f"The {name} {value!r} is not offered here; choose from {', '.join(values)}."
                )


def _restrictions(
    topology: Topology, narrowed: Mapping[str, tuple[Value, ...]]
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

    few_threads.__doc__ = f"Have at most {most_threads} threads in all workers together."
    if narrowed.keys() & {"workers", "intra_op_threads"}:
        # Who names numbers gets them.
        return (own_cpus, default_threads_alone)
    return (own_cpus, default_threads_alone, few_threads)


def _parallelism(config: Mapping[str, Value]) -> tuple[int, int | None]:
    workers, threads = config["workers"], config["intra_op_threads"]
    assert isinstance(workers, int)
    assert threads is None or isinstance(threads, int)
    return workers, threads


def seeds(space: SearchSpace, topology: Topology) -> tuple[dict[str, Value], ...]:
    """Return what to try first: all CPUs for one worker, one worker a CPU, small and middling."""
    usable = topology.usable
    shapes = ((1, usable), (usable, 1))
    wanted = [
        {"batch_size": batch, "workers": workers, "intra_op_threads": threads, "affinity": policy}
        for batch in (1, 4)
        for workers, threads in shapes
        for policy in ("compact", "none")[: 1 if workers > 1 else None]
    ]
    provider = space["provider"].values[0]
    return tuple(c for c in ({**w, "provider": provider} for w in wanted) if c in space)
