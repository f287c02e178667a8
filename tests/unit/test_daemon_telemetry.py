from __future__ import annotations

import asyncio
import threading

import pytest

from autotuner.core.errors import InputError
from autotuner.daemon.telemetry import Telemetry
from autotuner.host import sensors
from autotuner.host.sensors import Discovery, Reading

SHOWN = (
    Reading(name="power_w", value=3.5, unit="w"),
    Reading(name="gpu_c", value=None, unit="c", why="there is no GPU"),
)


class Sensor:
    """Shows the same for ever and knows whether it is open."""

    name = "pretended"

    def __init__(self):
        self.closed = threading.Event()

    def read(self):
        """Return what it shows."""
        return SHOWN

    def close(self):
        """Remember that it was closed."""
        self.closed.set()


@pytest.fixture
def opened(monkeypatch):
    """Return the sensors that were opened."""
    found = []

    def discover():
        found.append(Sensor())
        return Discovery(sensors=(found[-1],), missing=())

    monkeypatch.setattr(sensors, "discover", discover)
    return found


def test_readings_are_told_with_the_reason_for_a_gap(opened):
    """As plain data."""

    async def story():
        stream = Telemetry().readings()
        told = await anext(stream)
        await stream.aclose()
        assert told["readings"] == [
            {"name": "power_w", "value": 3.5, "unit": "w", "why": None},
            {"name": "gpu_c", "value": None, "unit": "c", "why": "there is no GPU"},
        ]

    asyncio.run(story())
    assert len(opened) == 1


def test_sensors_are_shared_and_closed_after_the_last_listener(opened):
    """And opened anew for the next one."""

    async def story():
        telemetry = Telemetry()
        streams = [telemetry.readings(), telemetry.readings()]
        await asyncio.gather(*(anext(stream) for stream in streams))
        await streams[0].aclose()
        assert not opened[0].closed.is_set()
        await streams[1].aclose()
        assert await asyncio.to_thread(opened[0].closed.wait, 5)
        assert len(opened) == 1
        assert [reading.value for reading in await telemetry.latest()] == [3.5, None]
        assert len(opened) == 2

    asyncio.run(story())


@pytest.mark.parametrize("interval_s", [0.0, -1.0, 0.1, float("nan")])
def test_too_short_an_interval_is_refused(interval_s):
    """Nobody may keep the box busy with reading."""
    with pytest.raises(InputError, match=r"at least 0\.5"):
        Telemetry().readings(interval_s)
