from __future__ import annotations

import machines
import pytest

from autotuner.host.conflicts import conflicts


@pytest.fixture
def found(tmp_path):
    """Return the conflicts of a machine with these files, by name."""
    return lambda files: {c.name: c for c in conflicts(machines.write(tmp_path, files))}


def running(*command):
    """Return the files of a process that was started by this *command*."""
    return {"proc/321/cmdline": "\0".join((*command, ""))}


@pytest.mark.parametrize(
    ("files", "name", "fix"),
    [
        (running("/usr/bin/python3", "-Es", "/usr/sbin/tuned", "-l"), "tuned", "disable --now"),
        (running("/usr/libexec/power-profiles-daemon"), "power-profiles-daemon", "mask --now"),
        (
            running("/opt/auto-cpufreq/venv/bin/python", "/usr/local/bin/auto-cpufreq", "--daemon"),
            "auto-cpufreq",
            "disable --now",
        ),
        (
            {"etc/systemd/system/multi-user.target.wants/tlp.service": ""},
            "TLP",
            "disable --now tlp",
        ),
        (
            {"etc/systemd/system/multi-user.target.wants/cpupower.service": ""},
            "cpupower",
            "disable --now cpupower",
        ),
    ],
)
def test_who_else_sets_clocks_is_named_with_what_to_do(found, files, name, fix):
    """By its process, or by its unit where it runs once and ends."""
    (check,) = found(files).values()
    assert (check.name, check.status) == (name, "attention")
    assert fix in check.fix


def test_a_machine_for_itself_has_no_conflicts(found):
    """Programs that only bear such a name in an argument do not count."""
    (check,) = found(running("/usr/bin/vim", "/etc/tuned", "tlp")).values()
    assert (check.name, check.status) == ("none", "ok")


def test_the_mode_that_is_set_at_boot_is_no_conflict(found):
    """It is set before any profile."""
    unit = {"etc/systemd/system/multi-user.target.wants/nvpmodel.service": ""}
    check = found(machines.jetson() | unit)["nvpmodel.service"]
    assert (check.status, check.fix) == ("ok", None)


def test_pinned_clocks_are_noticed(found):
    """When every clock has one value left, as jetson_clocks leaves them."""
    folder = "sys/devices/system/cpu/cpufreq/policy0"
    free = machines.jetson() | {
        f"{folder}/scaling_min_freq": "729600",
        f"{folder}/scaling_max_freq": "1344000",
    }
    pinned = free | {
        f"{folder}/scaling_min_freq": "1344000",
        "sys/class/devfreq/17000000.gpu/min_freq": "1020000000",
    }
    assert "jetson_clocks" not in found(free)
    assert found(pinned)["jetson_clocks"].status == "attention"
