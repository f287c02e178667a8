from __future__ import annotations

import machines
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.host import cpus
from autotuner.host.cpus import Place


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", set()), ("0", {0}), ("0-3", {0, 1, 2, 3}), ("0,2-3,8", {0, 2, 3, 8}), (" 1-1\n", {1})],
)
def test_the_kernels_lists_are_read(text, numbers):
    """Ranges and single numbers."""
    assert cpus.parse_list(text) == numbers


@given(st.frozensets(st.integers(0, 300)))
def test_a_list_reads_back_as_it_was_written(numbers):
    """Whatever the CPUs are."""
    assert cpus.parse_list(cpus.format_list(numbers)) == numbers


def test_a_list_is_as_short_as_the_kernels():
    """Neighbours make a range."""
    assert cpus.format_list({8, 0, 1, 2}) == "0-2,8"


def test_offline_and_forbidden_cpus_are_told_apart(tmp_path):
    """Present, switched on, and in this process's mask."""
    root = machines.write(tmp_path, machines.processors(8, allowed="2-7"))
    (root / "sys/devices/system/cpu/online").write_text("0-3\n")
    assert cpus.format_list(cpus.present(root)) == "0-7"
    assert cpus.format_list(cpus.online(root)) == "0-3"
    assert cpus.format_list(cpus.allowed(root)) == "2-3"


def test_the_first_cache_beyond_the_core_makes_a_cluster(tmp_path):
    """A cache of one core does not, and the last one, shared by all, comes too late."""
    files = machines.processors(
        8,
        siblings={cpu: f"{cpu % 4},{cpu % 4 + 4}" for cpu in range(8)},
        caches=("0-1,4-5", "2-3,6-7", "0-7"),
    )
    found = cpus.places(machines.write(tmp_path, files), range(8))
    assert [place.core for place in found] == [0, 1, 2, 3] * 2
    assert [place.cluster for place in found] == [0, 0, 2, 2] * 2


def test_cpus_of_two_kinds_never_make_one_cluster(tmp_path):
    """Big and little ones often share the last cache."""
    speeds = {0: 300, 1: 300, 2: 1024, 3: 1024}
    files = machines.processors(4, caches=("0-3",), speeds=speeds)
    found = cpus.places(machines.write(tmp_path, files), range(4))
    assert [(place.cluster, place.little) for place in found] == [
        (0, True),
        (0, True),
        (2, False),
        (2, False),
    ]


def test_what_the_kernel_does_not_tell_is_one_for_all(tmp_path):
    """A machine without a description is cores beside each other."""
    assert cpus.places(tmp_path, (3, 5)) == (
        Place(cpu=3, core=3, cluster=3),
        Place(cpu=5, core=5, cluster=5),
    )
