from __future__ import annotations

import machines
import pytest

from autotuner.host import memory, topology
from autotuner.host.topology import Topology


@pytest.fixture
def read(tmp_path):
    """Read the machine that these files make."""
    return lambda files: topology.read(machines.write(tmp_path, files))


@pytest.mark.parametrize(
    ("quota", "usable"), [(None, 4), (0.2, 1), (1.0, 1), (1.5, 2), (2.4, 2), (4.0, 4), (9.0, 4)]
)
def test_a_quota_takes_cpus_away(quota, usable):
    """Rounded to whole CPUs, never below one nor above the mask."""
    assert Topology(cpus=(0, 1, 2, 3), quota=quota).usable == usable


@pytest.mark.parametrize(
    ("files", "policies"),
    [
        (machines.processors(1), ("none",)),
        (machines.processors(2), ("none", "compact")),
        (machines.processors(8), ("none", "compact")),
        (machines.hyperthreads(), ("none", "compact")),
        (machines.big_little(), ("none", "compact", "spread", "big", "little")),
        (machines.two_nodes(), ("none", "compact", "spread", "numa")),
        (machines.processors(4, caches=("0-1", "2-3")), ("none", "compact", "spread")),
        (machines.processors(4, policies=("0-1", "2-3")), ("none", "compact", "spread")),
        (machines.processors(2, nodes=("0", "1")), ("none", "compact", "numa")),
    ],
)
def test_only_policies_that_mean_something_are_offered(read, files, policies):
    """The search does not look for clusters, speeds and nodes where there is one of them."""
    assert read(files).affinities() == policies


def test_favoured_cores_of_one_kind_are_not_big_and_little(read):
    """Some cores of a PC may boost a little higher than the others."""
    files = machines.processors(4, speeds={0: 1024, 1: 1010, 2: 990, 3: 950}, caches=("0-3",))
    assert read(files).affinities() == ("none", "compact")


def test_the_highest_clock_tells_the_speed_where_capacities_do_not(read):
    """Capacities are equal on kernels that do not scale them."""
    files = machines.processors(2, speeds={0: 1024, 1: 1024})
    for cpu, khz in ((0, 1_800_000), (1, 2_400_000)):
        files[f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq"] = khz
    found = read(files)
    assert found.cpu_sets("big", 1, 1) == ({1},)
    assert found.cpu_sets("little", 1, None) == ({0},)


def test_a_cpuset_and_offline_cores_take_cpus_away(read):
    """The mask says 1 to 6, and 5 is switched off."""
    files = machines.big_little() | {
        "proc/thread-self/status": "Cpus_allowed_list:\t1-6",
        "sys/devices/system/cpu/online": "0-4,6-7",
    }
    found = read(files)
    assert found.cpus == (1, 2, 3, 4, 6)
    assert found.cpu_sets("big", 2, 1) == ({4}, {6})
    assert not found.binds("big", 1, 3)


def test_a_quota_is_read_as_a_fraction(read):
    """One and a half CPUs' worth of time on eight CPUs."""
    quota = {"sys/fs/cgroup/cpu.max": "150000 100000"}
    assert read(machines.processors(8) | quota).quota == 1.5


def test_none_leaves_every_worker_unbound():
    """Even with more threads than CPUs."""
    machine = Topology(cpus=(0, 1))
    assert machine.binds("none", 3, 8)
    assert machine.cpu_sets("none", 3, 8) == (None, None, None)


def test_default_threads_share_the_machine_evenly():
    """Without a number each worker gets an equal part of the CPUs."""
    machine = Topology(cpus=(0, 1, 2, 3, 4))
    assert machine.cpu_sets("compact", 2, None) == ({0, 1}, {2, 3})


def test_default_threads_stay_inside_a_node(read):
    """Three workers on two nodes of four: the node that takes two decides for all."""
    assert read(machines.two_nodes()).cpu_sets("numa", 3, None) == ({0, 1}, {2, 3}, {4, 5})


@pytest.mark.parametrize(("workers", "threads"), [(5, None), (5, 1), (2, 3), (1, 5)])
def test_more_threads_than_cpus_cannot_be_bound(workers, threads):
    """The search leaves such configurations out; asking for one is a mistake of the program."""
    machine = Topology(cpus=(0, 1, 2, 3))
    assert not machine.binds("compact", workers, threads)
    with pytest.raises(ValueError, match="exceed"):
        machine.cpu_sets("compact", workers, threads)


@pytest.mark.parametrize(
    ("policy", "workers", "threads", "plainest"),
    [
        ("none", 2, 2, "none"),
        ("compact", 2, 2, "big"),
        ("compact", 1, 8, "compact"),
        ("spread", 1, 8, "compact"),
        ("spread", 1, 2, "spread"),
        ("little", 1, 2, "little"),
    ],
)
def test_what_several_policies_do_alike_has_one_name(read, policy, workers, threads, plainest):
    """The search measures a binding once, under the name that says most."""
    assert read(machines.big_little()).plainest(policy, workers, threads) == plainest


def test_this_machine_can_be_read():
    """It has at least one CPU, in order, and more memory in all than is left."""
    found = topology.read()
    assert found.cpus == tuple(sorted(found.cpus))
    assert 1 <= found.usable <= len(found.cpus)
    assert len(found.places) == len(found.cpus)
    assert 0 < memory.available_mib() <= memory.total_mib()
