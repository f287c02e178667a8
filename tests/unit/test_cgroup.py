from __future__ import annotations

import pytest

from autotuner.host.cgroup import Cgroups
from autotuner.host.memory import MemoryGauge

MIB = 1024 * 1024


@pytest.fixture
def cgroups(tmp_path):
    """Build a tree of control groups from file contents by path, and a membership."""

    def build(membership, **files):
        for name, content in files.items():
            file = tmp_path / "fs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        (tmp_path / "cgroup").write_text(membership)
        return Cgroups(root=tmp_path / "fs", membership=tmp_path / "cgroup")

    return build


def left_mib(cgroups):
    """Return what every limiting group has left, in MiB."""
    return [group.left() / MIB for group in cgroups.memory_groups()]


def test_without_control_groups_nothing_is_limited(tmp_path):
    """A kernel without them shows no files at all."""
    nowhere = Cgroups(root=tmp_path / "none", membership=tmp_path / "nothing")
    assert nowhere.cpu_quota() is None
    assert list(nowhere.memory_groups()) == []


def test_version_2_has_the_quota_in_one_file(cgroups):
    """Quota over period is a number of CPUs."""
    found = cgroups("0::/job\n", **{"job/cpu.max": "150000 100000\n"})
    assert found.cpu_quota() == 1.5


def test_version_2_says_max_for_no_limit(cgroups):
    """The word is no number."""
    found = cgroups("0::/job\n", **{"job/cpu.max": "max 100000\n", "job/memory.max": "max\n"})
    assert found.cpu_quota() is None
    assert list(found.memory_groups()) == []


def test_the_tightest_quota_of_all_groups_above_counts(cgroups):
    """A limit of a parent binds its children."""
    found = cgroups(
        "0::/slice/job\n",
        **{
            "cpu.max": "800000 100000\n",
            "slice/cpu.max": "200000 100000\n",
            "slice/job/cpu.max": "400000 100000\n",
        },
    )
    assert found.cpu_quota() == 2.0


def test_version_1_has_a_tree_for_each_controller(cgroups):
    """The quota is looked for in the group of the CPU controller only."""
    found = cgroups(
        "5:memory:/m\n4:cpu,cpuacct:/c\n1:name=systemd:/s\n",
        **{
            "cpu/c/cpu.cfs_quota_us": "50000\n",
            "cpu/c/cpu.cfs_period_us": "100000\n",
            "cpu/m/cpu.cfs_quota_us": "10000\n",
            "cpu/m/cpu.cfs_period_us": "100000\n",
        },
    )
    assert found.cpu_quota() == 0.5


def test_version_1_says_minus_one_for_no_quota(cgroups):
    """A negative quota is none."""
    found = cgroups(
        "4:cpu:/\n",
        **{"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
    )
    assert found.cpu_quota() is None


def test_a_container_may_see_its_own_group_as_the_root(cgroups):
    """The path of the host does not exist inside; the mounted root is the group itself."""
    found = cgroups("4:cpu:/docker/abc\n", **{
        "cpu/cpu.cfs_quota_us": "300000\n",
        "cpu/cpu.cfs_period_us": "100000\n",
    })  # fmt: skip
    assert found.cpu_quota() == 3.0


def test_memory_of_version_2_counts_the_file_cache_as_free(cgroups):
    """The kernel gives inactive cache back before anything is killed."""
    found = cgroups(
        "0::/job\n",
        **{
            "job/memory.max": f"{1000 * MIB}\n",
            "job/memory.current": f"{700 * MIB}\n",
            "job/memory.stat": f"anon {500 * MIB}\ninactive_file {200 * MIB}\n",
        },
    )
    assert left_mib(found) == [500.0]


def test_memory_of_version_1_counts_the_cache_of_the_groups_below_too(cgroups):
    """The use of a group includes its children, and only the totals do so as well."""
    found = cgroups(
        "5:memory:/job\n",
        **{
            "memory/job/memory.limit_in_bytes": f"{1000 * MIB}\n",
            "memory/job/memory.usage_in_bytes": f"{700 * MIB}\n",
            "memory/job/memory.stat": f"inactive_file {MIB}\ntotal_inactive_file {100 * MIB}\n",
        },
    )
    assert left_mib(found) == [400.0]


def test_version_1_says_a_huge_number_for_no_limit(cgroups):
    """It is no limit that anybody set."""
    found = cgroups(
        "5:memory:/\n",
        **{
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "memory/memory.usage_in_bytes": "1\n",
        },
    )
    assert list(found.memory_groups()) == []


def test_an_exhausted_group_has_nothing_left(cgroups):
    """What is left is never negative."""
    found = cgroups("0::/\n", **{"memory.max": f"{10 * MIB}\n", "memory.current": f"{11 * MIB}\n"})
    assert left_mib(found) == [0.0]


def test_a_group_that_does_not_tell_its_use_is_taken_as_empty(cgroups):
    """Its limit is still a limit."""
    found = cgroups("0::/\n", **{"memory.max": f"{10 * MIB}\n"})
    assert left_mib(found) == [10.0]


def test_the_tightest_group_decides_how_much_memory_is_available(cgroups):
    """A gauge reads the use anew each time, and the machine's own memory is never below a group."""
    found = cgroups(
        "0::/a/b\n",
        **{
            "a/memory.max": f"{20 * MIB}\n",
            "a/memory.current": f"{15 * MIB}\n",
            "a/b/memory.max": f"{10 * MIB}\n",
            "a/b/memory.current": f"{2 * MIB}\n",
        },
    )
    gauge = MemoryGauge(found)
    assert gauge.available_mib() == 5.0
    (found.root / "a/b/memory.current").write_text(f"{9 * MIB}\n")
    assert gauge.available_mib() == 1.0
