from __future__ import annotations

import pytest

from autotuner.bench import telemetry
from autotuner.bench.telemetry import Telemetry
from autotuner.core.outcome import Measurement
from autotuner.host.sensors import Reading, ReplaySensor, Sampler, sampler

S = 1_000_000_000


@pytest.fixture
def watched(monkeypatch):
    """Sample a recorded board ten times a second: a second at 4 W, then 12 W."""
    clock = iter(range(0, 100 * S, S // 10))
    rows = [[_rail(4.0), _total(4.0)]] * 11 + [[_rail(12.0), _total(12.0)]] * 20
    sampling = Sampler([ReplaySensor(rows)])
    monkeypatch.setattr(sampler.time, "monotonic_ns", lambda: next(clock))
    for _ in rows:
        sampling.read_once()
    return Telemetry(sampling)


def _rail(watts):
    return Reading(name="power.VDD_IN_w", value=watts, unit="W")


def _total(watts):
    return Reading(name="power.total_w", value=watts, unit="W", made_of=("power.VDD_IN_w",))


def test_idle_power_is_subtracted_from_what_follows(watched):
    """It is that of a stretch in which nothing of ours ran."""
    watched.idle(0, S)
    found = watched.between(round(1.1 * S), 3 * S, 19)
    assert watched.idle_w == pytest.approx(4.0)
    assert found["energy_j"] == pytest.approx(1.2)
    assert found["energy_net_j"] == pytest.approx(0.8)


def test_the_total_says_which_rail_it_is(watched):
    """The rails of a sum are named one by one."""
    assert watched.total == ("power.VDD_IN_w",)


def test_figures_become_fields_and_the_rest_is_extra():
    """What the measurement had stays."""
    figures = {"power_w": 12.0, "energy_j": 0.6, "energy_net_j": 0.4, "throttled": 1.0}
    before = Measurement(throughput_ips=20.0, clock_mhz=1500.0, extra={"p99.9_ms": 7.0})
    after = telemetry.joined(before, figures)
    assert (after.power_w, after.energy_j, after.throttled) == (12.0, 0.6, True)
    assert (after.throughput_ips, after.clock_mhz) == (20.0, 1500.0)
    assert after.extra == {"p99.9_ms": 7.0, "energy_net_j": 0.4}


def test_throttling_that_was_seen_otherwise_stays():
    """The counters of a processor may know of it where no sensor does."""
    before = Measurement(throttled=True)
    assert telemetry.joined(before, {"throttled": 0.0}).throttled is True


def test_no_figures_change_nothing():
    """A machine without sensors leaves everything unknown."""
    before = Measurement(throughput_ips=20.0)
    assert telemetry.joined(before, {}) == before
