from __future__ import annotations

import threading

import pytest

from autotuner.host.sensors import NullSensor, Reading, ReplaySensor, Sampler, sampler


def shows(**values):
    """Return readings in watts by name, None for n/a."""
    return [
        Reading(name=f"power.{n}_w", value=v, unit="W", why=None if v is not None else "it sleeps")
        for n, v in values.items()
    ]


class Broken:
    """A sensor that breaks its contract."""

    name = "broken"

    def read(self):
        """Raise what no sensor should."""
        raise RuntimeError("division by cucumber")

    def close(self):
        """Do nothing."""


def test_the_first_sensor_that_knows_a_name_counts():
    """A second source stands in for one that shows nothing."""
    first, second = ReplaySensor([shows(a=1.0, b=None)]), ReplaySensor([shows(a=9.0, b=2.0)])
    readings = Sampler([first, second]).read_once()
    assert {r.name: r.value for r in readings} == {"power.a_w": 1.0, "power.b_w": 2.0}


def test_a_sample_holds_what_was_known():
    """What is n/a is left out, so nobody takes it for zero."""
    watching = Sampler([ReplaySensor([shows(a=1.0, b=None)])])
    watching.read_once()
    (sample,) = watching.between(0, 1 << 62)
    assert sample.values == {"power.a_w": 1.0}


def test_a_sensor_that_dies_takes_nobody_with_it():
    """It becomes n/a, with what happened to it."""
    watching = Sampler([Broken(), ReplaySensor([shows(a=1.0)])])
    broken, healthy = watching.read_once()
    assert broken.value is None
    assert "division by cucumber" in broken.why
    assert healthy.value == 1.0


def test_a_window_comes_with_its_neighbours(monkeypatch):
    """The sample before and the one after bound what happened at its edges."""
    clock = iter(range(0, 1000, 100))
    watching = Sampler([NullSensor()])
    monkeypatch.setattr(sampler.time, "monotonic_ns", lambda: next(clock))
    for _ in range(6):
        watching.read_once()
    moments = [[s.at_ns for s in watching.between(*w)] for w in [(150, 350), (210, 290), (0, 99)]]
    assert moments == [[100, 200, 300, 400], [200, 300], [0, 100]]


def test_readings_that_are_too_old_are_not_available(monkeypatch):
    """A driver that hangs shows nothing, however good its last figure was."""
    watching = Sampler([ReplaySensor([shows(a=1.0)])])
    watching.read_once()
    (fresh,) = watching.latest()
    monkeypatch.setattr(sampler.time, "monotonic_ns", lambda: 1 << 62)
    (stale,) = watching.latest()
    assert fresh.value == 1.0
    assert stale.value is None
    assert "have not answered" in stale.why


@pytest.mark.parametrize("hz", [0.0, 0.5, 21.0])
def test_the_rate_is_sensible(hz):
    """Faster would disturb what is measured, slower would miss it."""
    with pytest.raises(ValueError, match="1 to 20 times"):
        Sampler([], hz=hz)


def test_the_thread_reads_until_it_is_stopped_and_closes_the_sensors():
    """Its cost is known from the first sample on."""
    twice = threading.Semaphore(0)
    closed = threading.Event()

    class Watched(NullSensor):
        def read(self):
            twice.release()
            return ()

        def close(self):
            closed.set()

    with Sampler([Watched()], hz=20.0) as watching:
        assert watching.cost_percent is None or watching.cost_percent >= 0.0
        assert twice.acquire(timeout=10.0)
        assert twice.acquire(timeout=10.0)
        assert not closed.is_set()
    assert closed.wait(10.0)
    assert watching.cost_percent >= 0.0
