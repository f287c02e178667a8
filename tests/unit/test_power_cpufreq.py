"""Modes made of what cpufreq offers."""

from __future__ import annotations

import pytest
from power_machines import CPU, lay_out, personal_computer

from autotuner.host.power import cpufreq, offered, open_control

POLICY = f"{CPU}/cpufreq/policy0"


def policy(**files):
    """Return the files of one policy without a table, as a driver that clocks by itself has it."""
    usual = {
        "related_cpus": "0 1",
        "scaling_available_governors": "performance powersave",
        "scaling_governor": "powersave",
        "scaling_min_freq": "800000",
        "scaling_max_freq": "1250000",
        "cpuinfo_min_freq": "800000",
    }
    return {f"{POLICY}/{name}": value for name, value in (usual | files).items()}


def test_the_slower_cores_get_the_same_share_of_their_range(tmp_path):
    """One name moves all clusters."""
    root = lay_out(tmp_path, personal_computer())
    (middle,) = (m for m in open_control(root, dvfs=True).modes() if m.name == "cpu1600MHz")
    assert middle.settings[f"{CPU}/cpufreq/policy4/scaling_max_freq"] == "1600000"
    assert middle.settings[f"{CPU}/cpufreq/policy0/scaling_max_freq"] == "1200000"
    assert middle.settings[f"{CPU}/cpufreq/policy0/scaling_min_freq"] == "1200000"


def test_a_ladder_stays_below_the_present_limit(tmp_path):
    """Somebody, or another mode, had a reason for it."""
    files = personal_computer() | {f"{CPU}/cpufreq/policy4/scaling_max_freq": "1600000"}
    modes = open_control(lay_out(tmp_path, files), dvfs=True).modes()
    limit = f"{CPU}/cpufreq/policy4/scaling_max_freq"
    assert {mode.settings[limit] for mode in modes if limit in mode.settings} == {
        "800000",
        "1600000",
    }


def test_a_driver_without_a_table_gets_round_steps(tmp_path):
    """Up to the limit itself."""
    root = lay_out(tmp_path, policy())
    modes = cpufreq.frequency_modes(root, cpufreq.policies(root), 9)
    assert [mode.name for mode in modes] == [
        f"cpu{mhz}MHz" for mhz in (800, 900, 1000, 1100, 1200, 1250)
    ]


def test_energy_preferences_are_the_modes_where_there_are_some(tmp_path):
    """A driver that clocks by itself knows no schedutil."""
    files = policy(
        energy_performance_available_preferences="default performance balance_power power",
        energy_performance_preference="balance_power",
    )
    control = open_control(lay_out(tmp_path, files))
    assert offered(control) == ("balance_power", "performance", "power")
    settings = {mode.name: mode.settings for mode in control.modes()}
    assert settings["power"] == {
        f"{POLICY}/scaling_governor": "powersave",
        f"{POLICY}/energy_performance_preference": "power",
    }


def test_a_governor_that_waits_for_commands_is_no_mode(tmp_path):
    """Nobody would command it."""
    names = [mode.name for mode in open_control(lay_out(tmp_path, personal_computer())).modes()]
    assert names == ["performance", "schedutil", "powersave"]


def test_a_speed_is_kept_only_where_the_governor_has_one(tmp_path):
    """Elsewhere its file holds a word that cannot be written."""
    root = lay_out(tmp_path, policy(scaling_setspeed="<unsupported>"))
    assert f"{POLICY}/scaling_setspeed" not in open_control(root).current().values
    lay_out(root, policy(scaling_setspeed="800000", scaling_governor="userspace"))
    assert open_control(root).current().values[f"{POLICY}/scaling_setspeed"] == "800000"


def test_a_machine_without_clocks_says_so(tmp_path):
    """There is one mode then."""
    control = open_control(tmp_path, dvfs=True)
    assert offered(control) == ("present",)
    assert "no cpufreq" in control.explain()[0]


@pytest.mark.parametrize("garbage", ["", "a lot", "1 2 x"])
def test_a_table_that_means_nothing_is_none(tmp_path, garbage):
    """The governors remain."""
    files = policy(scaling_available_frequencies=garbage, cpuinfo_min_freq="?")
    names = [mode.name for mode in open_control(lay_out(tmp_path, files), dvfs=True).modes()]
    assert names[:2] == ["performance", "powersave"]
