"""One clock with a lower and an upper limit: a cpufreq policy or a devfreq device."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.knobs import missing_right

_UNSUPPORTED = "<unsupported>"  # the kernel's word where the governor has no such setting
_TOLERANCE = 1.05  # a clock that is measured is never exact


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDomain:
    """The limits and the governor of one clock, in the unit of its own files.

    *extras* are files that are set right after the governor, because it decides whether they may
    be. *table* holds the frequencies that the hardware has, ascending; empty when not told.
    """

    root: Path
    what: str
    minimum: str
    maximum: str
    frequency: str
    governor: str | None = None
    extras: tuple[str, ...] = ()
    table: tuple[int, ...] = ()
    unit_hz: int

    @property
    def names(self) -> frozenset[str]:
        """The files that may be written."""
        return frozenset(self._files())

    def read(self) -> dict[str, str]:
        """Return the files' values; an extra that the governor does not support is left out."""
        found = {name: nodes.read(self.root, name) for name in self._files()}
        return {n: value for n, value in found.items() if value not in (None, _UNSUPPORTED)}

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Set the governor, the extras, then the limits in the order that the kernel accepts."""
        refused: dict[str, str] = {}
        for name in (*self._before_limits(), *self._limits_in_order(values)):
            if nodes.read(self.root, name) in (values.get(name), _UNSUPPORTED):
                continue
            why = nodes.write(self.root, name, values[name]) if name in values else None
            if why is not None:
                refused[name] = why
        said = []
        for name in self._files():
            if name not in values:
                continue
            holds = partial(self._holds, name, values[name])
            if name in refused:
                found = nodes.read(self.root, name)
            else:
                found = nodes.read_back(self.root, name, holds)
            if found is None or not holds(found):
                why = "it has vanished" if found is None else refused.get(name)
                said.append(nodes.problem(name, values[name], found, why))
        return tuple(said)

    def settled(self) -> bool:
        """Say whether the clock runs within its limits, or cannot be read.

        Where there is no table the hardware clocks itself, and an idle clock means nothing. One of
        0 belongs to a device that is switched off while it is idle.
        """
        now = nodes.read_int(self.root, self.frequency)
        low, high = (nodes.read_int(self.root, name) for name in (self.minimum, self.maximum))
        if not now or low is None or high is None:
            return True
        if not self.table:
            return now <= high * _TOLERANCE
        return self.rounded(self.minimum, low) <= now <= self.rounded(self.maximum, high)

    def need(self) -> str | None:
        """Say that root's right to write is missing, if it is."""
        return missing_right(self.root, self.what, self._files())

    def agrees(self, name: str, wanted: str, found: str | None) -> bool:
        """Say whether *found* is *wanted*, or what the kernel may round it to.

        Limits are rounded to the table: the upper one down, the lower one up
        (cpufreq_frequency_table_verify; devfreq keeps what was written).
        """
        if found == wanted:
            return True
        if name not in (self.minimum, self.maximum) or not self.table or found is None:
            return False
        numbers = (wanted, found)
        if not all(number.isdecimal() for number in numbers):
            return False
        return self.rounded(name, int(wanted)) == self.rounded(name, int(found))

    def _holds(self, name: str, wanted: str, found: str) -> bool:
        """Say whether all is well; what another governor had set is no part of this one's mode."""
        return found == _UNSUPPORTED or self.agrees(name, wanted, found)

    def mhz(self, frequency: int) -> int:
        """Return a frequency of this domain in MHz."""
        return frequency * self.unit_hz // 1_000_000

    def pinned(self, frequency: int) -> dict[str, str]:
        """Return the settings that hold the clock at *frequency*."""
        return {self.minimum: str(frequency), self.maximum: str(frequency)}

    def rounded(self, name: str, limit: int) -> int:
        """Return *limit* as the kernel keeps it in the file *name*."""
        if not self.table:
            return limit
        if name == self.maximum:
            return self.table[max(0, bisect.bisect_right(self.table, limit) - 1)]
        return self.table[min(len(self.table) - 1, bisect.bisect_left(self.table, limit))]

    def _files(self) -> tuple[str, ...]:
        return (*self._before_limits(), self.minimum, self.maximum)

    def _before_limits(self) -> tuple[str, ...]:
        return (*(() if self.governor is None else (self.governor,)), *self.extras)

    def _limits_in_order(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return the limits so ordered that the lower one never passes the upper one."""
        present_max = nodes.read_int(self.root, self.maximum)
        wanted_min = values.get(self.minimum, "")
        rises = present_max is not None and wanted_min.isdecimal() and int(wanted_min) > present_max
        return (self.maximum, self.minimum) if rises else (self.minimum, self.maximum)
