from __future__ import annotations

from dataclasses import replace

import pytest

from autotuner.bench.disturbance import Background, disturbance
from autotuner.host.activity import Activity

BEFORE = Activity(at_s=100.0, busy_s=50.0, steal_s=1.0, own_s=20.0, throttled=3, clock_mhz=3000.0)
AFTER = replace(BEFORE, at_s=102.0, busy_s=52.0, own_s=22.0)
CALM = Background()


def test_our_own_work_is_no_disturbance():
    """Two seconds of one CPU, all of it by the workers."""
    assert disturbance(BEFORE, AFTER, CALM) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"busy_s": 53.0}, "other processes used 0.5 CPUs"),
        ({"steal_s": 1.4}, "the hypervisor took 0.2 CPUs"),
        ({"throttled": 4}, "throttled"),
        ({"clock_mhz": 2600.0}, "from 3000 to 2600 MHz"),
    ],
)
def test_what_else_shaped_the_window_is_said(changes, said):
    """Other processes, the hypervisor, heat and clocks."""
    assert said in disturbance(BEFORE, replace(AFTER, **changes), CALM)


@pytest.mark.parametrize(
    "changes", [{"busy_s": 52.3}, {"steal_s": 1.1}, {"clock_mhz": 2800.0}, {"clock_mhz": 3500.0}]
)
def test_a_little_is_no_disturbance(changes):
    """Every machine has some housekeeping, and clocks that rise do no harm."""
    assert disturbance(BEFORE, replace(AFTER, **changes), CALM) is None


def test_a_load_that_is_usual_is_a_part_of_the_conditions():
    """A box that always has something else to do can be tuned."""
    usual = Background.between(BEFORE, replace(AFTER, busy_s=53.0, steal_s=1.4))
    assert usual.others_cpus == pytest.approx(0.5)
    assert usual.steal_cpus == pytest.approx(0.2)
    assert disturbance(BEFORE, replace(AFTER, busy_s=53.0, steal_s=1.4), usual) is None
    assert disturbance(BEFORE, replace(AFTER, busy_s=54.0, steal_s=1.4), usual) is not None


def test_what_the_machine_does_not_tell_is_not_held_against_it():
    """Many machines show neither throttling nor clocks."""
    before = replace(BEFORE, throttled=None, clock_mhz=None)
    assert disturbance(before, replace(AFTER, throttled=9), CALM) is None
    assert disturbance(before, replace(AFTER, clock_mhz=100.0), CALM) is None


def test_all_reasons_are_said_together():
    """A person may have to mend more than one."""
    found = disturbance(BEFORE, replace(AFTER, busy_s=53.0, throttled=4), CALM)
    assert found.count(";") == 1


def test_counters_that_disagree_a_little_show_no_negative_load():
    """Ticks of processes and of CPUs are counted apart."""
    found = Background.between(BEFORE, replace(AFTER, busy_s=51.9))
    assert found == Background(others_cpus=0.0, steal_cpus=0.0)


def test_whoever_uses_the_box_already_is_told():
    """On its CPUs or its GPU; a desktop's few per cent are not worth a word."""
    assert Background(gpu_percent=4.0).note is None
    assert Background(gpu_percent=None).note is None
    busy = Background(others_cpus=1.5, gpu_percent=40.0)
    assert busy.note.startswith("Others use 1.5 CPUs and 40 % of the GPU of this box; ")
