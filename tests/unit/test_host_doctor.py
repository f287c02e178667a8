from __future__ import annotations

import io

import machines
import pytest
from rich.console import Console

from autotuner.cli.doctor import show
from autotuner.core.checkup import Check
from autotuner.host import doctor
from autotuner.host.power import Mode, NullControl

COUNTED = machines.processors(2) | {"sys/bus/event_source/devices/cpu/type": 4}
"""A machine whose hardware counters are there."""


@pytest.fixture
def checked(tmp_path):
    """Check a machine with these files up, checks by name."""
    return lambda files: {c.name: c for c in doctor.machine(machines.write(tmp_path, files))}


def test_a_whole_machine_needs_nothing(checked):
    """All its CPUs are there."""
    found = checked(machines.processors(8))
    assert found["CPUs"].status == "ok"
    assert found["CPUs"].detail == "8 of 8 (0-7)"
    assert not {"offline CPUs", "CPU quota"} & found.keys()


def test_every_limit_is_told_apart(checked):
    """A cpuset, switched-off cores and a quota each have a remedy of their own."""
    found = checked(
        machines.processors(8, allowed="0-5")
        | {
            "sys/devices/system/cpu/online": "0-6",
            "sys/fs/cgroup/cpu.max": "150000 100000",
        }
    )
    assert "keeps back CPU 6" in found["CPUs"].detail
    assert "--cpuset-cpus" in found["CPUs"].fix
    assert "CPU 7 switched off" in found["offline CPUs"].detail
    assert found["offline CPUs"].fix.endswith("cpu7/online")
    assert "1.5 CPUs" in found["CPU quota"].detail


def test_the_policies_of_the_machine_are_listed(checked):
    """Those that the search may use."""
    assert checked(machines.big_little())["affinity"].detail == "none, compact, spread, big, little"


@pytest.mark.parametrize(
    ("user", "level", "status"), [(0, 4, "ok"), (1000, 4, "attention"), (1000, 1, "ok")]
)
def test_who_may_count_hardware_events(checked, monkeypatch, user, level, status):
    """Root always, others when the kernel lets them."""
    monkeypatch.setattr(doctor.os, "geteuid", lambda: user)
    found = checked(COUNTED | {"proc/sys/kernel/perf_event_paranoid": level})["perf"]
    assert found.status == status
    assert (found.fix is None) == (status == "ok")


@pytest.mark.parametrize(("flags", "who"), [("fpu hypervisor", "hypervisor"), ("fpu", "kernel")])
def test_counters_that_are_kept_back_cannot_be_asked_for(checked, flags, who):
    """Whatever the kernel would allow: there is nothing to mend."""
    files = machines.processors(2) | {
        "proc/sys/kernel/perf_event_paranoid": 1,
        "sys/bus/event_source/devices/software/type": 1,
        "proc/cpuinfo": f"flags : {flags}",
    }
    found = checked(files)["perf"]
    assert (found.status, found.fix) == ("absent", None)
    assert who in found.detail


def test_a_machine_without_clocks_says_so(tmp_path):
    """Power modes cannot be searched there."""
    (check,) = doctor.power(tmp_path)
    assert check.status == "absent"
    assert "no cpufreq" in check.detail


def test_modes_that_may_not_be_set_come_with_what_would_allow_it(monkeypatch):
    """Ladders are told by their ends, and what needs a reboot is for information."""
    refused = "run as root"
    modes = [
        Mode(name="15W", settings={}, refusal=refused),
        Mode(name="7W", settings={}, needs_reboot=True, refusal=refused),
    ]
    ladder = [Mode(name=f"cpu{mhz}MHz", settings={}) for mhz in range(100, 1300, 100)]

    class Control(NullControl):
        def __init__(self, modes):
            super().__init__("The power modes 7W need a reboot.")
            self._modes = tuple(modes)

        def modes(self):
            return self._modes

    monkeypatch.setattr(
        doctor, "open_control", lambda _root, dvfs=False, **_: Control(modes + ladder * dvfs)
    )
    assert [(c.name, c.status, c.detail, c.fix) for c in doctor.power()] == [
        ("modes", "attention", "15W", "run as root"),
        ("clocks (--dvfs)", "ok", "12 from cpu100MHz to cpu1200MHz", None),
        ("note", "absent", "The power modes 7W need a reboot.", None),
    ]


def test_the_check_up_is_shown_area_by_area():
    """A remedy stands below what it mends, and words are broken nowhere else than at spaces."""
    checks = [
        Check(area="machine", name="CPUs", status="ok", detail="2 of 2"),
        Check(area="sensors", name="rapl", status="attention", detail="secret", fix="sudo [x] y"),
        Check(area="sensors", name="nvml", status="absent", detail="no GPU"),
    ]
    out = io.StringIO()
    show(checks, Console(file=out, width=60, highlight=False))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == [
        "machine",
        "  ✓  CPUs  2 of 2",
        "",
        "sensors",
        "  !  rapl  secret",
        "           → sudo [x] y",
        "  -  nvml  no GPU",
        "",
        "1 can be mended as the arrows (→) say, if you need them.",
    ]
