"""Whether something else than the measured work shaped a window. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from autotuner.host.activity import Activity

_OTHERS_CPUS = 0.2
_OTHERS_GPU_PERCENT = 10.0
_STEAL_CPUS = 0.1
_CLOCK_DROP = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What is usual on this box while nothing is measured: it belongs to the conditions.

    The first two in CPUs. Windows are compared with it, so that a box with a steady load can be
    tuned. *gpu_percent* is how busy others keep the GPU, None where that is not known.
    """

    others_cpus: float = 0.0
    steal_cpus: float = 0.0
    gpu_percent: float | None = None

    @classmethod
    def between(cls, before: Activity, after: Activity) -> Background:
        """Return what the time between two readings shows."""
        elapsed_s = max(1e-3, after.at_s - before.at_s)
        own_s = after.own_s - before.own_s
        return cls(
            others_cpus=max(0.0, after.busy_s - before.busy_s - own_s) / elapsed_s,
            steal_cpus=max(0.0, after.steal_s - before.steal_s) / elapsed_s,
        )

    @property
    def note(self) -> str | None:
        """What the user should know about the load of this box, None when it is quiet."""
        used = []
        if self.others_cpus + self.steal_cpus >= _OTHERS_CPUS:
            used.append(f"{self.others_cpus + self.steal_cpus:.1f} CPUs")
        if self.gpu_percent is not None and self.gpu_percent >= _OTHERS_GPU_PERCENT:
            used.append(f"{self.gpu_percent:.0f} % of the GPU")
        if not used:
            return None
        return (
            f"Others use {' and '.join(used)} of this box; "
            "what is measured holds under that load. End them for the box's own figures."
        )


def disturbance(before: Activity, after: Activity, usual: Background) -> str | None:
    """Say in words what disturbed the window between two readings, None when nothing did."""
    seen = Background.between(before, after)
    reasons = []
    if seen.others_cpus > usual.others_cpus + _OTHERS_CPUS:
        reasons.append(f"other processes used {seen.others_cpus:.1f} CPUs")
    if seen.steal_cpus > usual.steal_cpus + _STEAL_CPUS:
        reasons.append(f"the hypervisor took {seen.steal_cpus:.1f} CPUs")
    if before.throttled is not None and (after.throttled or 0) > before.throttled:
        reasons.append("the processor throttled because it was hot")
    if (
        before.clock_mhz
        and after.clock_mhz
        and after.clock_mhz < before.clock_mhz * (1.0 - _CLOCK_DROP)
    ):
        reasons.append(f"the clock fell from {before.clock_mhz:.0f} to {after.clock_mhz:.0f} MHz")
    return "; ".join(reasons) or None
