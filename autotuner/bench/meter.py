"""What a device that is not there drew, and how its clock ran, during a window."""

from __future__ import annotations

from dataclasses import dataclass

_DROP = 0.1


@dataclass(slots=True)
class Meter:
    """Sums up a window that began at *first_clock*, a share of the nominal clock."""

    first_clock: float
    seconds: float = 0.0
    joule: float = 0.0
    clock_seconds: float = 0.0
    lowest_clock: float = 1.0

    def add(self, power_w: float, clock: float, seconds: float) -> None:
        """Add *seconds* at *power_w* and *clock*."""
        self.seconds += seconds
        self.joule += power_w * seconds
        self.clock_seconds += clock * seconds
        self.lowest_clock = min(self.lowest_clock, clock)

    @property
    def power_w(self) -> float:
        """The mean power; 0 before any time went by."""
        return self.joule / self.seconds if self.seconds else 0.0

    @property
    def clock(self) -> float:
        """The mean clock."""
        return self.clock_seconds / self.seconds if self.seconds else self.first_clock

    @property
    def throttled(self) -> bool:
        """Whether the clock was ever below the nominal one."""
        return self.lowest_clock < 1.0

    @property
    def clock_fell(self) -> bool:
        """Whether the clock fell so far that the window's begin and end are not alike."""
        return self.lowest_clock < self.first_clock - _DROP
