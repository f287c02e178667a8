"""The clocks of GPUs as the kernel's devfreq offers them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.base import Mode
from autotuner.host.power.clocks import ClockDomain
from autotuner.host.power.ladder import steps

FOLDER = "/sys/class/devfreq"
_GPU_NAMES = ("gpu", "gp10b", "gv11b", "ga10b", "gpu-gpc-0", "mali")
_HZ = 1


def gpus(root: Path) -> tuple[ClockDomain, ...]:
    """Return the clocks of the GPUs, found by their name in the device tree or their own."""
    folders = sorted(nodes.below(root, FOLDER).glob("*"))
    names = [nodes.canonical(root, f"{FOLDER}/{f.name}") for f in folders if _is_gpu(root, f.name)]
    return tuple(_device(root, name) for name in names)


def frequency_modes(root: Path, domains: Sequence[ClockDomain], count: int) -> tuple[Mode, ...]:
    """Return modes that pin the GPU to one of at most *count* frequencies of those it may have."""
    if len(domains) != 1:
        return ()
    (gpu,) = domains
    top = nodes.read_int(root, gpu.maximum)
    table = [frequency for frequency in gpu.table if top is not None and frequency <= top]
    return tuple(
        Mode(name=f"gpu{gpu.mhz(frequency)}MHz", settings=gpu.pinned(frequency))
        for frequency in steps(table, count)
    )


def _device(root: Path, folder: str) -> ClockDomain:
    listed = nodes.read(root, f"{folder}/available_frequencies") or ""
    return ClockDomain(
        root=root,
        what=f"the clock of the GPU {Path(folder).name}",
        minimum=f"{folder}/min_freq",
        maximum=f"{folder}/max_freq",
        frequency=f"{folder}/cur_freq",
        governor=f"{folder}/governor",
        table=tuple(sorted(int(word) for word in listed.split() if word.isdecimal())),
        unit_hz=_HZ,
    )


def _is_gpu(root: Path, device: str) -> bool:
    in_tree = nodes.read(root, f"{FOLDER}/{device}/device/of_node/name")
    own = device.rpartition(".")[2]
    return in_tree in _GPU_NAMES or own in _GPU_NAMES
