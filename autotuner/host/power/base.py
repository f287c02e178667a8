"""The seam between the tuner and whatever sets this machine's clocks and power modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from autotuner.core.errors import MachineError

PRESENT = "present"
"""The mode that leaves the machine as it was found."""


class PowerError(MachineError):
    """A power mode could not be set, or the machine's own state could not be put back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A named way to run the machine: *settings* by the names that a State has for them.

    *present* says that the machine was in this mode when its control was opened. *refusal* is
    why the mode cannot be set and what would allow it, None where nothing is in the way.
    """

    name: str
    settings: Mapping[str, str]
    present: bool = False
    needs_reboot: bool = False
    refusal: str | None = None

    @property
    def usable(self) -> bool:
        """Whether a trial may set the mode."""
        return self.refusal is None and not self.needs_reboot


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Every setting that a control may change, as found at one moment.

    A setting is named by its file in ``/sys``, or by the tool or library that sets it.
    """

    values: Mapping[str, str] = field(default_factory=dict)


class PowerControl(Protocol):
    """Sets clocks and power modes; its modes are those found when it was opened."""

    def modes(self) -> tuple[Mode, ...]:
        """Return the modes that exist here, those that cannot be set with their refusal."""

    def current(self) -> State:
        """Return the state as it is now; a setting that cannot be read is left out."""

    def apply(self, mode: str, base: State) -> tuple[str, ...]:
        """Make the machine what it was in *base*, but for what the mode called *mode* sets.

        Every write is read back. Returns notes, such as clocks that did not settle. Raises
        PowerError when the mode was not reached; what was written until then stays written.
        """

    def restore(self, state: State) -> tuple[str, ...]:
        """Put *state* back as far as possible; return a sentence for each setting that is not."""

    def explain(self) -> tuple[str, ...]:
        """Say in sentences what is missing here for more modes, and what would provide it."""


class NullControl:
    """The control of a machine whose power is not ours to change, for the *reason* given."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def modes(self) -> tuple[Mode, ...]:
        """Return no mode."""
        return ()

    def current(self) -> State:
        """Return the empty state."""
        return State()

    def apply(self, mode: str, base: State) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's
        """Accept the present mode and refuse every other."""
        if mode == PRESENT:
            return ()
        raise PowerError(f"The power mode {mode!r} cannot be set: {self._reason}")

    def restore(self, state: State) -> tuple[str, ...]:
        """Return that nothing of *state* can be put back."""
        return tuple(f"{name} was not set back to {value}." for name, value in state.values.items())

    def explain(self) -> tuple[str, ...]:
        """Return the reason."""
        return (self._reason,)


def offered(control: PowerControl) -> tuple[str, ...]:
    """Return the values of the dimension ``power_mode``, the machine's present mode first.

    The present mode goes by the platform's name for it, or by ``present`` where it has none and
    where nothing may be changed.
    """
    modes = [mode for mode in control.modes() if mode.usable]
    present = next((mode.name for mode in modes if mode.present), PRESENT)
    return (present, *(mode.name for mode in modes if not mode.present))
