from __future__ import annotations

import machines
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.host import affinity, topology
from autotuner.host.affinity import cpu_sets
from autotuner.host.cpus import Place

POLICIES = st.sampled_from(affinity.POLICIES[1:])


@st.composite
def layouts(draw):
    """Draw nodes of clusters of cores of threads, with CPUs numbered anyhow."""
    shape = draw(
        st.lists(
            st.lists(st.lists(st.integers(1, 2), min_size=1, max_size=4), min_size=1, max_size=3),
            min_size=1,
            max_size=3,
        )
    )
    total = sum(threads for node in shape for cluster in node for threads in cluster)
    numbers = iter(draw(st.permutations(range(total))))
    places = []
    for node, clusters in enumerate(shape):
        for cores in clusters:
            little = draw(st.booleans())
            cpus = [[next(numbers) for _ in range(threads)] for threads in cores]
            cluster = min(map(min, cpus))
            places += [
                Place(cpu=cpu, core=min(core), cluster=cluster, node=node, little=little)
                for core in cpus
                for cpu in core
            ]
    return sorted(places, key=lambda place: place.cpu)


@given(POLICIES, layouts(), st.integers(1, 12), st.integers(1, 8))
def test_every_worker_has_cpus_of_its_own(policy, places, workers, threads):
    """None is shared, each lies where the policy wants it, and every thread has one."""
    sets = cpu_sets(policy, places, workers, threads)
    meant = {place.cpu for place in affinity.among(policy, places)}
    if sets is None:
        assert workers * threads > len(meant) or policy == "numa"
        return
    assert [len(cpus) for cpus in sets] == [threads] * workers
    assert len(frozenset().union(*sets)) == workers * threads
    assert frozenset().union(*sets) <= meant


@given(layouts(), st.integers(1, 12), st.integers(1, 8))
def test_numa_never_lets_a_worker_cross_nodes(places, workers, threads):
    """It refuses only where some node is too small."""
    nodes = {place.cpu: place.node for place in places}
    sets = cpu_sets("numa", places, workers, threads)
    if sets is None:
        sizes = [list(nodes.values()).count(node) for node in set(nodes.values())]
        assert sum(size // threads for size in sizes) < workers
    else:
        assert all(len({nodes[cpu] for cpu in cpus}) == 1 for cpus in sets)


@given(st.sampled_from(["compact", "spread"]), layouts(), st.integers(1, 12), st.integers(1, 8))
def test_second_threads_wait_until_every_core_is_used(policy, places, workers, threads):
    """No two threads share a core while another core is idle."""
    cores = {place.cpu: place.core for place in places}
    sets = cpu_sets(policy, places, workers, threads)
    if sets is not None and workers * threads <= len(set(cores.values())):
        used = [cores[cpu] for cpus in sets for cpu in cpus]
        assert len(set(used)) == len(used)


@given(layouts(), st.integers(1, 8))
def test_compact_crosses_clusters_only_when_it_must(places, threads):
    """One worker stays within a cluster that has cores enough."""
    clusters = {}
    for place in places:
        clusters.setdefault(place.cluster, set()).add(place.core)
    sets = cpu_sets("compact", places, 1, threads)
    if sets is not None and any(len(cores) >= threads for cores in clusters.values()):
        assert len({p.cluster for p in places if p.cpu in sets[0]}) == 1


@pytest.mark.parametrize(
    ("files", "policy", "workers", "threads", "sets"),
    [
        # Four little CPUs, 0 to 3, and four big ones, 4 to 7.
        ("big_little", "compact", 1, 2, [{4, 5}]),
        ("big_little", "compact", 2, 3, [{4, 5, 6}, {0, 1, 2}]),
        ("big_little", "compact", 1, 6, [{4, 5, 6, 7, 0, 1}]),
        ("big_little", "spread", 2, 2, [{4, 0}, {5, 1}]),
        ("big_little", "big", 2, 2, [{4, 5}, {6, 7}]),
        ("big_little", "little", 4, 1, [{0}, {1}, {2}, {3}]),
        ("big_little", "big", 1, 5, None),
        # Eight cores; CPU n + 8 is the second thread of core n.
        ("hyperthreads", "compact", 2, 2, [{0, 1}, {2, 3}]),
        ("hyperthreads", "compact", 2, 4, [{0, 1, 2, 3}, {4, 5, 6, 7}]),
        (
            "hyperthreads",
            "compact",
            4,
            4,
            [{0, 8, 1, 9}, {2, 10, 3, 11}, {4, 12, 5, 13}, {6, 14, 7, 15}],
        ),
        ("hyperthreads", "compact", 2, 6, [{0, 8, 1, 2, 10, 3}, {4, 12, 5, 6, 14, 7}]),
        ("hyperthreads", "compact", 1, 17, None),
        # Nodes 0 to 3 and 4 to 7.
        ("two_nodes", "compact", 2, 2, [{0, 1}, {2, 3}]),
        ("two_nodes", "numa", 2, 2, [{0, 1}, {4, 5}]),
        ("two_nodes", "numa", 3, 2, [{0, 1}, {2, 3}, {4, 5}]),
        ("two_nodes", "spread", 2, 2, [{0, 4}, {1, 5}]),
        ("two_nodes", "numa", 1, 5, None),
        ("two_nodes", "compact", 1, 5, [{0, 1, 2, 3, 4}]),
    ],
)
def test_known_machines_yield_known_sets(tmp_path, files, policy, workers, threads, sets):
    """As they are written down here by hand."""
    found = topology.read(machines.write(tmp_path, getattr(machines, files)()))
    assert cpu_sets(policy, found.places, workers, threads) == sets
