"""The CPUs that this process may really use, and which worker gets which of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autotuner.host import affinity as policies
from autotuner.host import cpus
from autotuner.host.cgroup import Cgroups
from autotuner.host.cpus import Place

AFFINITIES = policies.POLICIES
_SPECIFIC_FIRST = ("none", "big", "little", "compact", "spread", "numa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """*cpus* are those that this process may use, in order; *quota* is in CPUs.

    *places* says where they lie; without it every CPU is a core beside the others.
    """

    cpus: tuple[int, ...]
    quota: float | None = None
    places: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        if not self.places:
            level = tuple(Place(cpu=cpu, core=cpu, cluster=self.cpus[0]) for cpu in self.cpus)
            object.__setattr__(self, "places", level)

    @property
    def usable(self) -> int:
        """How many CPUs' worth of time there is: the mask, less what a quota takes away."""
        if self.quota is None:
            return len(self.cpus)
        return max(1, min(len(self.cpus), math.floor(self.quota + 0.5)))

    def affinities(self) -> tuple[str, ...]:
        """Return the policies that mean something here, none that is another under a new name."""
        return _offered(self)

    def cpu_sets(
        self, affinity: str, workers: int, threads: int | None
    ) -> tuple[frozenset[int] | None, ...]:
        """Return each worker's CPUs, disjoint between workers; None leaves a worker unbound.

        Without a number of *threads* workers share the CPUs evenly. What a policy does stands at
        :func:`autotuner.host.affinity.cpu_sets`. Raises ValueError where :meth:`binds` is false.
        """
        if affinity == "none":
            return (None,) * workers
        sets = _cpu_sets(self, affinity, workers, threads)
        if sets is None:
            raise ValueError(f"{workers} workers of {threads} threads exceed {self.cpus}")
        return sets

    def binds(self, affinity: str, workers: int, threads: int | None) -> bool:
        """Say whether every worker can have CPUs of its own under *affinity*."""
        return affinity == "none" or _cpu_sets(self, affinity, workers, threads) is not None

    def plainest(self, affinity: str, workers: int, threads: int | None) -> str:
        """Return the policy offered here that says best what *affinity* does with these workers.

        That is *affinity* itself unless another one gives them the same CPUs. Raises ValueError
        where :meth:`binds` is false.
        """
        wanted = set(self.cpu_sets(affinity, workers, threads))
        equal = (
            name
            for name in _SPECIFIC_FIRST
            if name in self.affinities()
            and self.binds(name, workers, threads)
            and set(self.cpu_sets(name, workers, threads)) == wanted
        )
        return next(equal, affinity)


@cache
def _cpu_sets(
    machine: Topology, affinity: str, workers: int, threads: int | None
) -> tuple[frozenset[int], ...] | None:
    if threads is not None:
        widths = [threads]
    else:
        most = len(policies.among(affinity, machine.places)) // workers
        widths = list(range(most, 0, -1))
    for width in widths:
        if sets := policies.cpu_sets(affinity, machine.places, workers, width):
            return tuple(sets)
    return None


@cache
def _offered(machine: Topology) -> tuple[str, ...]:
    offered = ["none"]
    if len(machine.cpus) > 1:
        offered.append("compact")
    # What two threads of one worker get tells whether there is more than one cluster to choose.
    pairs = {name: _cpu_sets(machine, name, 1, 2) for name in ("compact", "spread")}
    if pairs["spread"] != pairs["compact"]:
        offered.append("spread")
    if len({place.little for place in machine.places}) > 1:
        offered += ["big", "little"]
    if len({place.node for place in machine.places}) > 1:
        offered.append("numa")
    return tuple(offered)


def read(root: Path = Path("/")) -> Topology:
    """Read the topology of the machine at *root* as this process may use it."""
    usable = tuple(sorted(cpus.allowed(root)))
    quota = Cgroups(root=root / "sys/fs/cgroup", membership=root / "proc/self/cgroup").cpu_quota()
    return Topology(cpus=usable, quota=quota, places=cpus.places(root, usable))
