import pytest

from autotuner.backends.simulated import Heat
from autotuner.bench.meter import Meter
from autotuner.bench.temperature import Body

HEAT = Heat(ambient_c=25.0, kelvin_per_w=3.0, tau_s=100.0, throttle_c=80.0, floor=0.4)


def after(body, power_w, seconds):
    """Let *seconds* go by at *power_w* in steps of 50 ms, with less power at a lower clock."""
    for _ in range(int(seconds / 0.05)):
        body.spend(power_w * body.clock**2, 0.05)
    return body


def test_a_body_warms_towards_what_its_power_allows():
    """63 % of the way in one time constant, all of it in many."""
    assert after(Body(HEAT), 10.0, 100).celsius == pytest.approx(25 + 30 * 0.632, abs=0.1)
    assert after(Body(HEAT), 10.0, 2000).celsius == pytest.approx(55.0, abs=0.1)


def test_a_cool_body_keeps_its_clock():
    """Whatever it draws, as long as it stays below the limit."""
    assert after(Body(HEAT), 10.0, 2000).clock == 1.0


def test_a_hot_body_lowers_its_clock_and_stays_at_the_limit():
    """As long as there is something to lower."""
    body = after(Body(HEAT), 25.0, 2000)
    assert HEAT.floor <= body.clock < 0.95
    assert body.celsius == pytest.approx(HEAT.throttle_c, abs=3.0)
    assert after(Body(HEAT), 500.0, 500).clock == HEAT.floor


def test_a_body_that_cools_down_gets_its_clock_back():
    """After some time without work."""
    body = after(Body(HEAT), 25.0, 2000)
    assert after(body, 2.0, 100).clock == 1.0


def test_without_heat_nothing_gets_warm():
    """A recording has it in its times."""
    body = after(Body(None), 1000.0, 1000)
    assert (body.celsius, body.clock) == (None, 1.0)


def test_a_meter_tells_the_mean_of_its_window():
    """Power and clock by how long they lasted."""
    meter = Meter(1.0)
    meter.add(10.0, 1.0, 3.0)
    meter.add(6.0, 0.8, 1.0)
    assert meter.power_w == pytest.approx(9.0)
    assert meter.clock == pytest.approx(0.95)
    assert meter.throttled


def test_a_clock_that_falls_in_a_window_is_told_from_one_that_is_low():
    """The second is how the device runs; the first makes a window of two halves."""
    falling, low = Meter(1.0), Meter(0.6)
    for meter in (falling, low):
        meter.add(5.0, 0.6, 1.0)
    assert falling.clock_fell
    assert not low.clock_fell
    assert low.throttled


def test_a_meter_that_saw_nothing_says_so():
    """No power, the clock it began with."""
    assert (Meter(0.7).power_w, Meter(0.7).clock, Meter(0.7).throttled) == (0.0, 0.7, False)
