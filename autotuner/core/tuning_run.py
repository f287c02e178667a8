"""A tuning run looked back upon: its profile, and everything that was measured on the way."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.core.profile import Profile
from autotuner.core.sweep import Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRun:
    """A profile with what is known of its model on its box; *measured* is in order of measuring.

    What other searches and sweeps found out there is in *measured* too: measurements are facts.
    """

    profile: Profile
    measured: Sweep

    @property
    def model(self) -> str:
        """The model's name."""
        return self.profile.model.name

    @property
    def simulated(self) -> bool:
        """Whether the device was not there."""
        return self.profile.simulated is not None
