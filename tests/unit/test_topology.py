from __future__ import annotations

import itertools

import pytest

from autotuner.host import memory, topology
from autotuner.host.topology import AFFINITIES, Topology

MASKS = [(0,), (0, 1), (3, 5, 9), (0, 1, 2, 3), (2, 3, 6, 7, 10, 11, 14), tuple(range(16))]
CHOICES = [
    (Topology(cpus=cpus), affinity, workers, threads)
    for cpus, affinity, workers, threads in itertools.product(
        MASKS, AFFINITIES[1:], range(1, 17), (None, 1, 2, 3, 4, 8, 16)
    )
    if Topology(cpus=cpus).binds(workers, threads)
]


def test_every_policy_gives_each_worker_cpus_of_its_own():
    """No CPU is shared or lies outside the mask, and every thread has one, on any machine."""
    for machine, affinity, workers, threads in CHOICES:
        sets = machine.cpu_sets(affinity, workers, threads)
        width = threads or len(machine.cpus) // workers
        assert [len(cpus) for cpus in sets] == [width] * workers
        assert len(frozenset().union(*sets)) == width * workers
        assert frozenset().union(*sets) <= set(machine.cpus)


def test_none_leaves_every_worker_unbound():
    """Even with more threads than CPUs."""
    assert Topology(cpus=(0, 1)).cpu_sets("none", 3, 8) == (None, None, None)


def test_compact_gives_neighbours():
    """A worker's CPUs lie side by side."""
    machine = Topology(cpus=tuple(range(8)))
    assert machine.cpu_sets("compact", 2, 2) == ({0, 1}, {2, 3})


def test_spread_uses_the_whole_machine():
    """A worker's CPUs lie far from each other, and no end of the machine stays empty."""
    machine = Topology(cpus=tuple(range(8)))
    assert machine.cpu_sets("spread", 2, 2) == ({0, 4}, {2, 6})


def test_default_threads_share_the_machine_evenly():
    """Without a number each worker gets an equal part of the CPUs."""
    machine = Topology(cpus=(0, 1, 2, 3, 4))
    assert machine.cpu_sets("compact", 2, None) == ({0, 1}, {2, 3})


@pytest.mark.parametrize(("workers", "threads"), [(5, None), (5, 1), (2, 3), (1, 5)])
def test_more_threads_than_cpus_cannot_be_bound(workers, threads):
    """The search leaves such configurations out; asking for one is a mistake of the program."""
    machine = Topology(cpus=(0, 1, 2, 3))
    assert not machine.binds(workers, threads)
    with pytest.raises(ValueError, match="exceed"):
        machine.cpu_sets("compact", workers, threads)


@pytest.mark.parametrize(
    ("quota", "usable"), [(None, 4), (0.2, 1), (1.0, 1), (1.5, 2), (2.4, 2), (4.0, 4), (9.0, 4)]
)
def test_a_quota_takes_cpus_away(quota, usable):
    """Rounded to whole CPUs, never below one nor above the mask."""
    assert Topology(cpus=(0, 1, 2, 3), quota=quota).usable == usable


@pytest.mark.parametrize(
    ("cpus", "policies"),
    [
        ((7,), ("none",)),
        ((0, 1), ("none", "compact")),
        ((0, 1, 2), ("none", "compact", "spread")),
    ],
)
def test_only_policies_that_differ_are_offered(cpus, policies):
    """The search does not measure the same thing under two names."""
    assert Topology(cpus=cpus).affinities() == policies


def test_with_two_cpus_compact_and_spread_are_the_same():
    """That is why spread is not offered there."""
    machine = Topology(cpus=(4, 6))
    for workers, threads in [(1, 1), (2, 1), (1, 2), (1, None)]:
        compact = machine.cpu_sets("compact", workers, threads)
        assert compact == machine.cpu_sets("spread", workers, threads)


def test_this_machine_can_be_read():
    """It has at least one CPU, in order, and more memory in all than is left."""
    found = topology.read()
    assert found.cpus == tuple(sorted(found.cpus))
    assert 1 <= found.usable <= len(found.cpus)
    assert 0 < memory.available_mib() <= memory.total_mib()
