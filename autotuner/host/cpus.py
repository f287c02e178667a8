"""The processors as the kernel lays them out: cores, the caches they share, nodes and speeds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CPUS = "sys/devices/system/cpu"
_NODES = "sys/devices/system/node"
_NO_CPUS: frozenset[int] = frozenset()
_LITTLE_BELOW = 0.9
"""A little CPU has less than this share of the fastest one's speed; favoured cores of one kind
differ by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where *cpu* lies.

    *core* is the lowest CPU of its SMT siblings, *cluster* the lowest of the CPUs of its kind that
    share the first cache beyond the core. *little* says that others here are much faster.
    """

    cpu: int
    core: int
    cluster: int
    node: int = 0
    little: bool = False


def parse_list(text: str) -> frozenset[int]:
    """Return the numbers in the kernel's list format, such as ``0-3,8``; raises ValueError."""
    numbers: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def format_list(cpus: Iterable[int]) -> str:
    """Return *cpus* in the kernel's list format."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1].append(cpu)
        else:
            runs.append([cpu])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def present(root: Path) -> frozenset[int]:
    """Return the CPUs that the machine has, also those that are offline."""
    return _listed(root / _CPUS / "present")


def online(root: Path) -> frozenset[int]:
    """Return the CPUs that are switched on."""
    return _listed(root / _CPUS / "online")


def allowed(root: Path) -> frozenset[int]:
    """Return the CPUs that this thread may run on: its mask within its cpuset, less the offline."""
    status = (root / "proc/thread-self/status").read_text()
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
    assert found, "proc(5) promises the line since Linux 2.6.26"
    mask, running = parse_list(found[1]), online(root)
    return mask & running if running else mask


def places(root: Path, cpus: Iterable[int]) -> tuple[Place, ...]:
    """Return where each of *cpus* lies, in order; what the kernel does not tell is one for all."""
    numbers = sorted(cpus)
    nodes = _nodes(root)
    little = _little(_speeds(root, numbers))
    found = []
    for cpu in numbers:
        siblings = _siblings(root, cpu)
        alike = {
            other
            for other in _sharing(root, cpu, siblings)
            if (other in little) == (cpu in little) and nodes.get(other) == nodes.get(cpu)
        }
        found.append(
            Place(
                cpu=cpu,
                core=min(siblings),
                cluster=min(alike | {min(siblings)}),
                node=nodes.get(cpu, 0),
                little=cpu in little,
            )
        )
    return tuple(found)


def _siblings(root: Path, cpu: int) -> frozenset[int]:
    topology = root / _CPUS / f"cpu{cpu}/topology"
    # The first is the name since Linux 5.3, the second the one before.
    for name in ("core_cpus_list", "thread_siblings_list"):
        if siblings := _listed(topology / name):
            return siblings | {cpu}
    return frozenset({cpu})


def _sharing(root: Path, cpu: int, siblings: frozenset[int]) -> frozenset[int]:
    """Return who shares the smallest cache that goes beyond the core, else what stands for it.

    Where no cache is described, a cluster of the device tree or the CPUs that share a clock are
    next to each other, then those of one package.
    """
    folder = root / _CPUS / f"cpu{cpu}"
    caches = sorted(map(_listed, folder.glob("cache/index*/shared_cpu_list")), key=len)
    groups = [
        *caches,
        _listed(folder / "topology/cluster_cpus_list"),
        _listed(folder / "cpufreq/related_cpus"),
        _listed(folder / "cpufreq/affected_cpus"),
        _listed(folder / "topology/core_siblings_list"),
    ]
    return next((group for group in groups if group > siblings), siblings)


def _nodes(root: Path) -> dict[int, int]:
    found = {}
    for path in (root / _NODES).glob("node[0-9]*/cpulist"):
        node = int(path.parent.name.removeprefix("node"))
        found.update(dict.fromkeys(_listed(path), node))
    return found


def _speeds(root: Path, cpus: Iterable[int]) -> dict[int, int]:
    """Return each CPU's capacity where capacities differ, else its highest clock in kHz."""
    folders = {cpu: root / _CPUS / f"cpu{cpu}" for cpu in cpus}
    capacities = _numbers(folders, "cpu_capacity")
    if len(set(capacities.values())) > 1:
        return capacities
    return _numbers(folders, "cpufreq/cpuinfo_max_freq")


def _little(speeds: dict[int, int]) -> frozenset[int]:
    fastest = max(speeds.values(), default=0)
    return frozenset(cpu for cpu, speed in speeds.items() if speed < _LITTLE_BELOW * fastest)


def _numbers(folders: dict[int, Path], name: str) -> dict[int, int]:
    found = {}
    for cpu, folder in folders.items():
        with contextlib.suppress(OSError, ValueError):
            found[cpu] = int((folder / name).read_text())
    return found


def _listed(path: Path) -> frozenset[int]:
    """Return the CPUs listed in the file at *path*, none when it cannot be read.

    cpufreq separates them by spaces, everybody else by commas.
    """
    with contextlib.suppress(OSError, ValueError):
        return parse_list(",".join(path.read_text().split()))
    return _NO_CPUS
