"""The power control that is made of knobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from autotuner.host.power.base import PRESENT, Mode, PowerError, State
from autotuner.host.power.knobs import Knobs

SETTLE_S = 2.0
"""How long clocks may take to follow a new limit."""

_SETTLE_PAUSE_S = 0.02


class KnobControl:
    """Sets *modes* by writing *knobs*, which are written in their order.

    *hints* are sentences about what would offer more; *settle_s* is how long ``apply`` waits for
    the clocks to follow.
    """

    def __init__(
        self,
        knobs: Sequence[Knobs],
        modes: Sequence[Mode],
        *,
        hints: Sequence[str] = (),
        settle_s: float = SETTLE_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._knobs = tuple(knobs)
        self._settle_s = settle_s
        self._pause = pause
        self._hints = tuple(hints)
        found = self.current().values
        self._modes = tuple(self._judged(mode, found) for mode in modes)

    def modes(self) -> tuple[Mode, ...]:
        """Return the modes, those that cannot be set with their refusal."""
        return self._modes

    def current(self) -> State:
        """Read every knob."""
        values: dict[str, str] = {}
        for knobs in self._knobs:
            values |= knobs.read()
        return State(values=values)

    def apply(self, mode: str, base: State) -> tuple[str, ...]:
        """Write what differs from *base* with the settings of *mode* on top; raises PowerError."""
        settings = self._settings(mode)
        unknown = settings.keys() - base.values.keys()
        if unknown:
            raise PowerError(
                f"The power mode {mode!r} is not set, because it could not be undone: "
                f"{', '.join(sorted(unknown))} cannot be read."
            )
        # What is there no more is another mode's doing: the clock of a CPU that is offline.
        wanted = {name: base.values[name] for name in self.current().values if name in base.values}
        wanted |= settings
        for knobs in self._knobs:
            if problems := knobs.write(_part(wanted, knobs)):
                raise PowerError(f"The power mode {mode!r} was not reached: {' '.join(problems)}")
        return self._settle(mode)

    def restore(self, state: State) -> tuple[str, ...]:
        """Write *state*, each knob even when another one failed."""
        problems: list[str] = []
        for knobs in self._knobs:
            problems += knobs.write(_part(state.values, knobs))
        known = frozenset[str]().union(*(knobs.names for knobs in self._knobs))
        problems += [
            f"{name} was not set back to {value!r}: nothing here sets it any more."
            for name, value in state.values.items()
            if name not in known
        ]
        return tuple(problems)

    def explain(self) -> tuple[str, ...]:
        """Return what would be needed, each need once."""
        needs = [mode.refusal for mode in self._modes if mode.refusal is not None]
        return tuple(dict.fromkeys([*needs, *self._hints]))

    def _settings(self, name: str) -> Mapping[str, str]:
        if name == PRESENT:
            return {}
        for mode in self._modes:
            if mode.name == name:
                if mode.refusal is not None:
                    raise PowerError(f"The power mode {name!r} cannot be set: {mode.refusal}")
                if mode.needs_reboot:
                    raise PowerError(
                        f"The power mode {name!r} needs a reboot; set it by hand, reboot, and "
                        "tune again."
                    )
                return mode.settings
        usable = ", ".join(mode.name for mode in self._modes if mode.usable) or "none"
        raise PowerError(f"There is no power mode {name!r} here; those that can be set: {usable}.")

    def _settle(self, mode: str) -> tuple[str, ...]:
        for _ in range(max(1, round(self._settle_s / _SETTLE_PAUSE_S))):
            if all(knobs.settled() for knobs in self._knobs):
                return ()
            self._pause(_SETTLE_PAUSE_S)
        return (f"The clocks did not follow the power mode {mode!r} within {self._settle_s:g} s.",)

    def _judged(self, mode: Mode, found: Mapping[str, str]) -> Mode:
        """Return *mode* with whether the machine is in it, and what it would need to be set."""
        needs = [knobs.need() for knobs in self._knobs if knobs.names & mode.settings.keys()]
        need = next((need for need in needs if need is not None), None)
        present = all(found.get(name) == value for name, value in mode.settings.items())
        return replace(mode, refusal=mode.refusal or need, present=present)


def _part(values: Mapping[str, str], knobs: Knobs) -> dict[str, str]:
    return {name: value for name, value in values.items() if name in knobs.names}
