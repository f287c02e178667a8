"""The seam between whoever watches the machine and whatever shows something of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One figure at one moment, or *why* there is none: then *value* is None, never zero.

    *name* is a stable id that ends with the *unit*; docs/sensors.md lists them. *made_of* names
    the readings that a total sums up.
    """

    name: str
    value: float | None
    unit: str
    why: str | None = None
    made_of: tuple[str, ...] = ()


def unavailable(name: str, unit: str, why: str) -> Reading:
    """Return that *name* has no value now, and *why*."""
    return Reading(name=name, value=None, unit=unit, why=why)


CLOSED = "the sensor is closed"
"""Why a sensor that was closed shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A sensor that is not to be had here: *why*, and the command or step that would *fix* it.

    *fix* is None where nothing does, because the machine has no such thing.
    """

    name: str
    why: str
    fix: str | None = None


class Sensor(Protocol):
    """Reads some part of the machine and changes nothing; used by one thread at a time."""

    @property
    def name(self) -> str:
        """What the sensor is, in a word."""

    def read(self) -> Sequence[Reading]:
        """Return what is shown now, each name once; never raises and never waits for long."""

    def close(self) -> None:
        """Give back what is held; readings are n/a from then on. Closing twice does no harm."""


class NullSensor:
    """Shows nothing."""

    name = "null"

    def read(self) -> Sequence[Reading]:
        """Return no readings."""
        return ()

    def close(self) -> None:
        """Do nothing."""


class ReplaySensor:
    """Shows what was recorded, one group of readings after the other, over and over."""

    name = "replay"

    def __init__(self, recorded: Iterable[Sequence[Reading]]) -> None:
        self._recorded = tuple(tuple(readings) for readings in recorded)
        self._turns = itertools.cycle(self._recorded or ((),))
        self._closed = False

    def read(self) -> Sequence[Reading]:
        """Return the next group of readings."""
        readings = next(self._turns)
        if self._closed:
            return tuple(unavailable(r.name, r.unit, CLOSED) for r in readings)
        return readings

    def close(self) -> None:
        """Show nothing more."""
        self._closed = True
