"""Which CPUs each worker gets under a policy. Pure.

A policy deals out cores, and a core's second hardware thread is used only when there are more
threads than cores: both threads of a core share its vector units, which dense kernels keep busy.
Intel's OpenMP places threads in that order for ``KMP_AFFINITY=compact,1,0``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from autotuner.host.cpus import Place

POLICIES = ("none", "compact", "spread", "big", "little", "numa")

Core = tuple[Place, ...]
"""The hardware threads of one core."""

_Group = TypeVar("_Group")


def cpu_sets(
    policy: str, places: Iterable[Place], workers: int, threads: int
) -> list[frozenset[int]] | None:
    """Return the CPUs of each of so many *workers*, *threads* for each; None when they do not fit.

    ``compact`` keeps a worker within a cluster, else within a node, big cores first;
    ``spread`` gives it cores of as many clusters and nodes as there are; ``big`` and ``little``
    are ``compact`` on the fast and on the slow CPUs alone; ``numa`` keeps each worker inside one
    node and deals workers out to the nodes in turn.
    """
    cores = _cores(among(policy, places))
    if policy == "numa":
        return _per_node(cores, workers, threads)
    if policy == "spread":
        return _cut(_scattered(cores), workers, threads)
    return _compact(cores, workers, threads)


def among(policy: str, places: Iterable[Place]) -> list[Place]:
    """Return the places that *policy* uses."""
    wanted = {"big": (False,), "little": (True,)}.get(policy, (False, True))
    return [place for place in places if place.little in wanted]


def _cores(places: Iterable[Place]) -> list[Core]:
    """Return the cores, big ones first, neighbours side by side."""
    ordered = sorted(places, key=lambda p: (p.little, p.node, p.cluster, p.core, p.cpu))
    return _split(ordered, lambda place: place.core)


def _compact(cores: Sequence[Core], workers: int, threads: int) -> list[frozenset[int]] | None:
    """Fill cluster by cluster, else node by node; a worker crosses them only when it must."""
    clusters = _split(cores, lambda core: core[0].cluster)
    nodes = _split(cores, lambda core: core[0].node)
    for groups in (clusters, nodes, [cores]):
        counts = _filled(_room(groups, workers * threads, threads), workers)
        if counts is not None:
            return _dealt(zip(groups, counts, strict=True), threads)
    return None


def _per_node(cores: Sequence[Core], workers: int, threads: int) -> list[frozenset[int]] | None:
    nodes = _split(cores, lambda core: core[0].node)
    room = _room(nodes, workers * threads, threads)
    if sum(room) < workers:
        room = [_cpu_count(node) // threads for node in nodes]
    counts = [0] * len(nodes)
    for _ in range(workers):
        free = [index for index in range(len(nodes)) if counts[index] < room[index]]
        if not free:
            return None
        counts[min(free, key=lambda index: counts[index])] += 1
    sets: list[frozenset[int]] = []
    for node, count in zip(nodes, counts, strict=True):
        placed = _compact(node, count, threads)
        assert placed is not None
        sets += placed
    return sets


def _room(groups: Iterable[Sequence[Core]], seats: int, threads: int) -> list[int]:
    """Return how many workers fit into each group, on cores alone where that is enough."""
    groups = list(groups)
    if seats <= sum(map(len, groups)):
        return [len(group) // threads for group in groups]
    return [_cpu_count(group) // threads for group in groups]


def _filled(room: Iterable[int], workers: int) -> list[int] | None:
    """Return how many workers each group takes when the first are filled first."""
    counts = []
    for places in room:
        counts.append(min(places, workers))
        workers -= counts[-1]
    return None if workers else counts


def _dealt(groups: Iterable[tuple[Sequence[Core], int]], threads: int) -> list[frozenset[int]]:
    sets: list[frozenset[int]] = []
    for cores, count in groups:
        cut = _cut(cores, count, threads)
        assert cut is not None
        sets += cut
    return sets


def _cut(cores: Sequence[Core], workers: int, threads: int) -> list[frozenset[int]] | None:
    """Give each worker the next seats; a core's second thread goes to the worker of its first."""
    seats = _seats(cores, workers * threads)
    if len(seats) < workers * threads:
        return None
    return [frozenset(seats[i * threads : (i + 1) * threads]) for i in range(workers)]


def _seats(cores: Sequence[Core], count: int) -> list[int]:
    """Return *count* CPUs in the order of *cores*: one of each core, then more, evenly."""
    taken = [0] * len(cores)
    for depth in itertools.count():
        deep = [index for index, core in enumerate(cores) if len(core) > depth]
        wanted = min(count - sum(taken), len(deep))
        if not wanted:
            break
        # The first of the cores, so that the rest stays free; of second threads a share everywhere.
        stride = 1.0 if depth == 0 else len(deep) / wanted
        for seat in range(wanted):
            taken[deep[int(seat * stride)]] += 1
    return [p.cpu for core, n in zip(cores, taken, strict=True) for p in core[:n]]


def _scattered(cores: Sequence[Core]) -> list[Core]:
    """Return *cores* in turn from every node, and within a node from every cluster."""
    nodes = _split(cores, lambda core: core[0].node)
    return _in_turn([_in_turn(_split(node, lambda core: core[0].cluster)) for node in nodes])


def _in_turn(groups: Sequence[Sequence[_Group]]) -> list[_Group]:
    rounds = itertools.zip_longest(*groups)
    return [item for items in rounds for item in items if item is not None]


def _split(items: Iterable[_Group], key: Callable[[_Group], int]) -> list[tuple[_Group, ...]]:
    """Return *items* by their *key*, groups in the order of their first item."""
    groups: dict[int, list[_Group]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return [tuple(group) for group in groups.values()]


def _cpu_count(cores: Iterable[Core]) -> int:
    return sum(map(len, cores))
