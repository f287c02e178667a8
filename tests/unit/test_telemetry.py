from __future__ import annotations

import pytest

from autotuner.bench.telemetry import Telemetry
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


def test_idle_power_is_told_with_what_follows(watched):
    """It is that of a stretch in which nothing of ours ran."""
    watched.idle(0, S)
    found = watched.between(round(1.1 * S), 3 * S)
    assert watched.idle_w == pytest.approx(4.0)
    assert found["power_w"] == pytest.approx(12.0)
    assert found["idle_power_w"] == pytest.approx(4.0)


def test_the_total_says_which_rail_it_is(watched):
    """The rails of a sum are named one by one."""
    assert watched.total == ("power.VDD_IN_w",)
