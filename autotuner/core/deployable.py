"""Whether a profile may be put to work: what speaks against it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from autotuner.core.errors import InputError
from autotuner.core.profile import Profile

_SIMULATED = "it comes from a simulated device, not from a measured one"


def check_measured(profile: Profile) -> None:
    """Raise InputError for a simulated profile, which no box is put to work by, insist who may."""
    if is_simulated(profile):
        raise InputError(
            f"The profile {profile.name} is for no real box: {_SIMULATED}. Tune here instead."
        )


def is_simulated(profile: Profile) -> bool:
    """Say whether *profile* comes from a device that is not there."""
    return profile.simulated is not None or profile.winner.config.provider == "simulated"


def reasons_to_refuse(profile: Profile) -> tuple[str, ...]:
    """Return why *profile* must not be put to work unless the user insists; empty when it may."""
    return tuple(_reasons(profile))


def _reasons(profile: Profile) -> Iterator[str]:
    if profile.status != "proven":
        yield f"it is {profile.status}: nothing shows that the winner keeps {profile.objective}"
    if is_simulated(profile):
        yield _SIMULATED
    if profile.judgement is not None and profile.judgement.uncalibrated:
        yield "its INT8 variant was calibrated with random inputs, so its answers are worthless"
