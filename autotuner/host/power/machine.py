"""Find out what may be set on this machine."""

from __future__ import annotations

from pathlib import Path

from autotuner.host.power import cpufreq, devfreq, jetson, nvml
from autotuner.host.power.base import Mode, NullControl, PowerControl
from autotuner.host.power.control import SETTLE_S, KnobControl
from autotuner.host.power.knobs import Knobs

_STEPS = 6


def open_control(
    root: Path = Path("/"),
    *,
    dvfs: bool = False,
    allow_reboot_modes: bool = False,
    settle_s: float = SETTLE_S,
) -> PowerControl:
    """Return the control of this machine, whose files are below *root*.

    *dvfs* adds ladders of pinned frequencies to the platform's modes, *allow_reboot_modes* the
    modes that need a reboot, which are for recommendation and are never set. After a change the
    control waits up to *settle_s* for the clocks. Nothing is written here.
    """
    if jetson.is_jetson(root):
        return jetson.control(
            root, dvfs=dvfs, allow_reboot_modes=allow_reboot_modes, settle_s=settle_s
        )
    cpus = cpufreq.policies(root)
    own_gpus = devfreq.gpus(root)
    # The library asks the driver and not files, so another root has no such GPU.
    servers = nvml.gpus(clocks=dvfs) if root == Path("/") else ()
    knobs: tuple[Knobs, ...] = (*cpus, *own_gpus, *servers)
    if not knobs:
        return NullControl(
            "The kernel offers no clock control here (no cpufreq, no devfreq, no NVIDIA GPU), as "
            "on most virtual machines; power modes can be searched on the real machine only."
        )
    modes: list[Mode] = [*cpufreq.governor_modes(root, cpus)] if cpus else []
    modes += nvml.power_modes(servers)
    if dvfs:
        modes += cpufreq.frequency_modes(root, cpus, _STEPS)
        modes += devfreq.frequency_modes(root, own_gpus, _STEPS)
        modes += nvml.clock_modes(servers, _STEPS)
    return KnobControl(knobs, modes, settle_s=settle_s)
