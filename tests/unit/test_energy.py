from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.bench import energy
from autotuner.host.sensors import Sample

S = 1_000_000_000


def samples(*rows):
    """Return samples of (second, values by name with an underscore for the dot)."""
    return [
        Sample(at_ns=round(at_s * S), values={k.replace("__", "."): v for k, v in values.items()})
        for at_s, values in rows
    ]


def total(*points):
    """Return samples of the total power at (second, watt)."""
    return samples(*((at_s, {"power__total_w": watts}) for at_s, watts in points))


def test_power_is_integrated_by_trapezoids():
    """Half a second at 10 W, half a second from there to 20 W."""
    seen = total((0.0, 10.0), (0.5, 10.0), (1.0, 20.0))
    assert energy.power_between(seen, 0, S) == pytest.approx(12.5)


def test_a_window_begins_and_ends_between_samples():
    """Its edges lie on the line between the neighbours."""
    seen = total((0.0, 0.0), (1.0, 10.0), (2.0, 20.0))
    assert energy.power_between(seen, round(0.5 * S), round(1.5 * S)) == pytest.approx(10.0)
    assert energy.power_between(seen, round(0.25 * S), round(0.75 * S)) == pytest.approx(5.0)


def test_the_last_sample_holds_until_the_end():
    """The next one has not come yet when a window is summed up."""
    seen = total((0.0, 10.0), (0.95, 10.0))
    assert energy.power_between(seen, 0, S) == pytest.approx(10.0)


@given(st.lists(st.floats(0.1, 500.0), min_size=2, max_size=40))
def test_the_mean_lies_between_the_least_and_the_most(watts):
    """Whatever the power does."""
    seen = total(*((index / 10.0, value) for index, value in enumerate(watts)))
    mean = energy.power_between(seen, 0, (len(watts) - 1) * S // 10)
    assert min(watts) - 1e-6 <= mean <= max(watts) + 1e-6


def test_a_gap_makes_the_power_unknown():
    """A rail that dies in the middle of a window, and a window without samples."""
    seen = samples((0.0, {"power__total_w": 9.0}), (0.1, {"power__total_w": 9.0}), (3.0, {}))
    assert energy.power_between(seen, 0, 3 * S) is None
    assert energy.power_between([], 0, S) is None
    assert energy.power_between(total((0.0, 9.0), (5.0, 9.0)), 0, 5 * S) is None


def test_one_reading_that_failed_is_bridged():
    """The next one came in time."""
    seen = samples((0.0, {"power__total_w": 9.0}), (0.1, {}), (0.2, {"power__total_w": 9.0}))
    assert energy.power_between(seen, 0, round(0.2 * S)) == pytest.approx(9.0)


@pytest.mark.parametrize(
    ("names", "rails"),
    [
        ((), ()),
        (("power.VDD_IN_w", "power.total_w"), ("power.total_w",)),
        (("power.package0_w", "power.psys_w"), ("power.psys_w",)),
        (
            ("power.dram0_w", "power.gpu_w", "power.gpu1_w", "power.package0_w"),
            ("power.dram0_w", "power.gpu1_w", "power.gpu_w", "power.package0_w"),
        ),
        (("power.fan_chip_1_w",), ()),
        (("power.throttle", "temperature.cpu_c"), ()),
    ],
)
def test_the_most_complete_total_is_taken(names, rails):
    """Nothing counts twice, and no single chip is taken for the machine."""
    assert energy.total_rails(names) == rails


def test_parts_are_summed_only_when_all_are_known():
    """A package without its graphics card would be too little."""
    rows = [(t / 10, {"power__package0_w": 30.0, "power__gpu_w": 70.0}) for t in range(11)]
    assert energy.power_between(samples(*rows), 0, S) == pytest.approx(100.0)
    rows = [(t, values if t < 0.2 else {"power__package0_w": 30.0}) for t, values in rows]
    rows += [(t / 10, {"power__package0_w": 30.0}) for t in range(11, 31)]
    assert energy.power_between(samples(*rows), 0, 3 * S) is None


def test_power_is_told_with_that_of_idleness():
    """What one inference took of both is for the run to say, which may have several windows."""
    seen = total(*((t / 10.0, 12.0) for t in range(21)))
    found = energy.figures(seen, 0, 2 * S, idle_w=4.0)
    assert found == {"power_w": pytest.approx(12.0), "idle_power_w": 4.0}


def test_what_is_not_known_is_left_out():
    """Without a power sensor there is no idle power to compare with."""
    assert energy.figures([], 0, S, idle_w=4.0) == {}
    assert energy.figures(total((0.0, 3.0), (1.0, 3.0)), 0, S) == {"power_w": pytest.approx(3.0)}


def test_rails_clocks_and_heat_are_summed_up():
    """Means of rails and clocks, the least clock, the highest temperature, any throttling."""
    seen = samples(
        (0.0, {"power__VDD_IN_w": 8.0, "cpu__clock_mhz": 1800.0, "temperature__cpu_c": 50.0}),
        (1.0, {"power__VDD_IN_w": 10.0, "cpu__clock_mhz": 1200.0, "temperature__gpu_c": 71.0}),
    )
    found = energy.figures(seen, 0, S)
    assert found["power_w.VDD_IN"] == pytest.approx(9.0)
    assert (found["cpu_clock_mhz"], found["cpu_clock_min_mhz"]) == (1500.0, 1200.0)
    assert found["temperature_c"] == 71.0
    assert "throttled" not in found


def test_a_warm_disk_does_not_count():
    """Where nothing is known of the processors, the warmest part of the machine does."""
    disk = samples((0.0, {"temperature__nvme_composite_c": 80.0}))
    assert energy.figures(disk, 0, S)["temperature_c"] == 80.0
    both = samples((0.0, {"temperature__nvme_composite_c": 80.0, "temperature__cpu_c": 60.0}))
    assert energy.figures(both, 0, S)["temperature_c"] == 60.0


@pytest.mark.parametrize(("device", "clock"), [("cpu", 1500.0), ("gpu", 900.0)])
def test_the_clock_is_that_of_what_runs_the_model(device, clock):
    """The other one is told as well."""
    seen = samples((0.0, {"cpu__clock_mhz": 1500.0, "gpu__clock_mhz": 900.0}))
    found = energy.figures(seen, 0, S, device=device)
    assert found["clock_mhz"] == clock
    assert {"cpu_clock_mhz", "gpu_clock_mhz"} <= set(found)


@pytest.mark.parametrize(("flags", "throttled"), [((0.0, 0.0), 0.0), ((0.0, 1.0), 1.0)])
def test_one_moment_of_throttling_counts(flags, throttled):
    """Whoever throttled."""
    seen = samples((0.0, {"gpu__throttle": flags[0]}), (0.5, {"power__throttle": flags[1]}))
    assert energy.figures(seen, 0, S)["throttled"] == throttled
