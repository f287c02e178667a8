"""NVIDIA server GPUs: power limit and locked clocks, through NVML."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from autotuner.host.power import nodes
from autotuner.host.power.base import Mode
from autotuner.host.power.ladder import steps

_LIMIT, _LOCKED = "power_limit_mw", "locked_mhz"
UNLOCKED = "none"
_WATT_SHARES = (1.0, 0.75, 0.5)
_ABSENT = (ImportError, OSError)


class Gpu:
    """One GPU of the NVML library *nvml*, which tells a locked clock to nobody.

    So where *clocks* are to be locked they count as unlocked now, and a lock that somebody else
    made is lost when this one's is undone. Elsewhere a lock is left alone.
    """

    def __init__(self, nvml: Any, index: int, *, clocks: bool, may_write: bool) -> None:
        self._nvml = nvml
        self._clocks = clocks
        self._may_write = may_write
        self._handle = nvml.nvmlDeviceGetHandleByIndex(index)
        prefix = f"nvml:{_text(nvml.nvmlDeviceGetUUID(self._handle))}"
        self.limit, self.lock = f"{prefix}:{_LIMIT}", f"{prefix}:{_LOCKED}"
        self._locked: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """The power limit in mW and the locked clock in MHz."""
        return frozenset({self.limit, self.lock})

    def read(self) -> dict[str, str]:
        """Return the limit, unless NVML has none or has died, and the clock if it may be locked."""
        try:
            limit = self._nvml.nvmlDeviceGetPowerManagementLimit(self._handle)
        except self._nvml.NVMLError:
            return {}
        locked = {self.lock: self._locked or UNLOCKED} if self._clocks else {}
        return {self.limit: str(limit), **locked}

    def write(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Set the limit and the clock; return what NVML refused and what does not read back."""
        said = []
        if (limit := values.get(self.limit)) is not None and self.read().get(self.limit) != limit:
            refused = self._try("nvmlDeviceSetPowerManagementLimit", int(limit))
            found = self.read().get(self.limit)
            if refused or found != limit:
                said.append(nodes.problem(self.limit, limit, found, refused))
        if (lock := values.get(self.lock)) is not None and self._locked != lock:
            if lock == UNLOCKED:
                refused = self._try("nvmlDeviceResetGpuLockedClocks")
            else:
                refused = self._try("nvmlDeviceSetGpuLockedClocks", int(lock), int(lock))
            if refused:
                said.append(nodes.problem(self.lock, lock, self._locked, refused))
            else:
                self._locked = lock
        return tuple(said)

    def settled(self) -> bool:
        """Return true: the driver keeps limits by itself."""
        return True

    def need(self) -> str | None:
        """Say that only root may set limits."""
        return None if self._may_write else "Setting a GPU's power limit or clock needs root."

    def watts(self) -> tuple[int, ...]:
        """Return a few power limits from the default down, in W; empty where there is none."""
        try:
            least, _ = self._nvml.nvmlDeviceGetPowerManagementLimitConstraints(self._handle)
            usual = self._nvml.nvmlDeviceGetPowerManagementDefaultLimit(self._handle)
        except self._nvml.NVMLError:
            return ()
        shares = [max(least, round(usual * share)) // 1000 for share in _WATT_SHARES]
        return tuple(dict.fromkeys(shares))

    def clocks_mhz(self) -> tuple[int, ...]:
        """Return the clocks that may be locked, ascending; empty where there are none."""
        try:
            memory = max(self._nvml.nvmlDeviceGetSupportedMemoryClocks(self._handle))
            found = self._nvml.nvmlDeviceGetSupportedGraphicsClocks(self._handle, memory)
        except (self._nvml.NVMLError, ValueError):
            return ()
        return tuple(sorted(found))

    def _try(self, function: str, *arguments: int) -> str | None:
        try:
            getattr(self._nvml, function)(self._handle, *arguments)
        except self._nvml.NVMLError as error:
            return str(error)
        return None


def gpus(
    nvml: ModuleType | None = None, *, clocks: bool, may_write: bool | None = None
) -> tuple[Gpu, ...]:
    """Return the GPUs that NVML knows; none where it is not installed or does not start."""
    try:
        library: Any = nvml or importlib.import_module("pynvml")
    except _ABSENT:
        return ()
    allowed = os.geteuid() == 0 if may_write is None else may_write
    try:
        library.nvmlInit()
        count = library.nvmlDeviceGetCount()
        found = [Gpu(library, index, clocks=clocks, may_write=allowed) for index in range(count)]
    except library.NVMLError:
        return ()
    return tuple(gpu for gpu in found if gpu.read())


def power_modes(found: Sequence[Gpu]) -> tuple[Mode, ...]:
    """Return modes that limit every GPU to the same power, from the first one's default down."""
    if not found:
        return ()
    return tuple(
        Mode(name=f"gpu{watts}W", settings={gpu.limit: str(watts * 1000) for gpu in found})
        for watts in found[0].watts()
    )


def clock_modes(found: Sequence[Gpu], count: int) -> tuple[Mode, ...]:
    """Return modes that lock every GPU to one of at most *count* clocks of the first one."""
    if not found:
        return ()
    return tuple(
        Mode(name=f"gpu{mhz}MHz", settings={gpu.lock: str(mhz) for gpu in found})
        for mhz in steps(found[0].clocks_mhz(), count)
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
