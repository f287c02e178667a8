"""Where an exported file comes from, said at its head."""

from __future__ import annotations

from autotuner.core.deployable import is_simulated
from autotuner.core.errors import InputError
from autotuner.core.profile import Profile
from autotuner.core.request import latency_metric

_SHOWN = {False: "Measured", True: "Simulated, nothing was measured"}


def heading(profile: Profile, mark: str = "#") -> str:
    """Return comment lines, each begun by *mark*, with the configuration and what it showed."""
    measured = profile.winner.measurement
    latency = latency_metric(profile.objective.percentile)
    figures = [f"{name} {value:.6g}" for name, value in _figures(profile, latency)]
    lines = [
        f"Made by edge-autotune {profile.tool_version} from the profile {profile.name}.",
        f"Model: {profile.model.name}, sha256 {profile.model.sha256}",
        f"Configuration: {profile.winner.config}",
        f"{_SHOWN[is_simulated(profile)]} ({profile.status}): {', '.join(figures) or 'nothing'}",
    ]
    if measured.disturbed:
        lines.append(f"The measurement was disturbed: {measured.disturbed}")
    return "".join(f"{mark} {_one_line(line)}\n" for line in lines)


def label(profile: Profile) -> dict[str, str]:
    """Return what a file that holds no comments says of a simulated profile."""
    return {"simulated": profile.simulated} if profile.simulated is not None else {}


def _figures(profile: Profile, latency: str) -> list[tuple[str, float]]:
    measured = profile.winner.measurement
    found = {"throughput_ips": measured.throughput_ips, "memory_mib": measured.memory_mib}
    found[latency] = measured.extra.get(latency, getattr(measured, latency, None))
    return [(name, value) for name, value in found.items() if value is not None]


def device_of(profile: Profile, *, providers: tuple[str, ...], target: str) -> tuple[str, str]:
    """Return the runtime and the device that the profile's provider names.

    Raises InputError when it is none of *providers*, those that *target* has.
    """
    provider = profile.winner.config.provider
    if provider not in providers:
        raise InputError(
            f"The profile {profile.name} was tuned for {provider}, which {target} cannot run; "
            f"tune with --providers {','.join(providers)}, or export --to env."
        )
    runtime, _, device = provider.partition("-")
    return runtime, device


def _one_line(text: str) -> str:
    return " ".join(text.split())
