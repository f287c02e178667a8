"""NVIDIA GPUs of servers and PCs, through the driver's management library."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotuner.host import accelerators
from autotuner.host.sensors import jetson
from autotuner.host.sensors.base import CLOSED, Missing, Reading, unavailable

_MIB = 1024 * 1024
_W_PER_MILLIWATT = 1e-3
_PROCESSES_EVERY = 10
"""Asking for processes is dear; it is done once in so many readings."""

# nvml.h: HwSlowdown, SwThermalSlowdown, HwThermalSlowdown, HwPowerBrakeSlowdown. A GPU at its
# power limit is not among them: that limit is part of the power mode.
_THROTTLING = 0x08 | 0x20 | 0x40 | 0x80


def _reasons(library: Any, handle: Any) -> int:
    return int(library.nvmlDeviceGetCurrentClocksThrottleReasons(handle))


_FIGURES: Mapping[str, tuple[str, Callable[[Any, Any], float]]] = {
    "{}.utilisation_percent": ("%", lambda n, gpu: n.nvmlDeviceGetUtilizationRates(gpu).gpu),
    "{}.clock_mhz": ("MHz", lambda n, gpu: n.nvmlDeviceGetClockInfo(gpu, n.NVML_CLOCK_SM)),
    "{}.memory_clock_mhz": ("MHz", lambda n, gpu: n.nvmlDeviceGetClockInfo(gpu, n.NVML_CLOCK_MEM)),
    "power.{}_w": ("W", lambda n, gpu: n.nvmlDeviceGetPowerUsage(gpu) * _W_PER_MILLIWATT),
    "temperature.{}_c": (
        "C",
        lambda n, gpu: n.nvmlDeviceGetTemperature(gpu, n.NVML_TEMPERATURE_GPU),
    ),
    "{}.memory_used_mib": ("MiB", lambda n, gpu: n.nvmlDeviceGetMemoryInfo(gpu).used / _MIB),
    "{}.memory_total_mib": ("MiB", lambda n, gpu: n.nvmlDeviceGetMemoryInfo(gpu).total / _MIB),
    "{}.throttle": ("flag", lambda n, gpu: bool(_reasons(n, gpu) & _THROTTLING)),
    "{}.throttle_reasons": ("bits", _reasons),
}
"""Each reading of a GPU: its unit, and how the library is asked for it."""


class NvmlSensor:
    """Shows each GPU: use, clocks, power, temperature, throttling, memory also by process.

    *library* is pynvml, initialised; it is shut down with the sensor.
    """

    name = "nvml"

    def __init__(self, library: Any) -> None:
        self._library = library
        self._handles = [
            library.nvmlDeviceGetHandleByIndex(index)
            for index in range(library.nvmlDeviceGetCount())
        ]
        self._count = 0
        self._processes: list[tuple[Reading, ...]] = [() for _ in self._handles]
        self._closed = False

    def read(self) -> Sequence[Reading]:
        """Return the readings of every GPU; what one does not support is n/a."""
        look = self._count % _PROCESSES_EVERY == 0
        self._count += 1
        found: list[Reading] = []
        for index, handle in enumerate(self._handles):
            gpu = gpu_name(index)
            found += self._figures(gpu, handle)
            if look:
                self._processes[index] = tuple(self._by_process(gpu, handle))
            found += self._processes[index]
        return tuple(found)

    def close(self) -> None:
        """Shut the library down."""
        if not self._closed:
            self._closed = True
            self._processes = [() for _ in self._handles]
            with contextlib.suppress(self._library.NVMLError):
                self._library.nvmlShutdown()

    def _figures(self, gpu: str, handle: Any) -> Iterator[Reading]:
        for pattern, (unit, ask) in _FIGURES.items():
            name = pattern.format(gpu)
            if self._closed:
                yield unavailable(name, unit, CLOSED)
                continue
            try:
                yield Reading(name=name, value=float(ask(self._library, handle)), unit=unit)
            except self._library.NVMLError as error:
                yield unavailable(name, unit, f"the NVIDIA driver says: {error}")

    def _by_process(self, gpu: str, handle: Any) -> Iterator[Reading]:
        if self._closed:
            return
        try:
            processes = self._library.nvmlDeviceGetComputeRunningProcesses(handle)
        except self._library.NVMLError:
            return
        for process in processes:
            if process.usedGpuMemory is not None:
                yield Reading(
                    name=f"{gpu}.process{process.pid}_mib",
                    value=process.usedGpuMemory / _MIB,
                    unit="MiB",
                )


def gpu_name(index: int) -> str:
    """Return how the readings of a GPU begin: the first one's is that of a box with one GPU."""
    return f"gpu{index}" if index else "gpu"


def find(root: Path) -> NvmlSensor | Missing:
    """Return the sensor of this machine; *root* tells whether it has such a GPU at all.

    On a Jetson before Thor the library answers and shows nothing; that counts as missing.
    """
    if not accelerators.nvidia_gpu(root):
        return Missing(name="nvml", why="there is no NVIDIA GPU in this machine")
    found = _of_driver()
    if isinstance(found, Missing) and jetson.is_jetson(root):
        return Missing(name="nvml", why=f"{found.why}; a Jetson's own files show its GPU")
    return found


def _of_driver() -> NvmlSensor | Missing:
    try:
        library = importlib.import_module("pynvml")
    except ImportError:
        return Missing(
            name="nvml",
            why="the Python package nvidia-ml-py is not installed",
            fix=f"{sys.executable} -m pip install nvidia-ml-py",
        )
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        return Missing(
            name="nvml",
            why=f"the NVIDIA driver does not answer: {error}",
            fix="install NVIDIA's driver, then check it: nvidia-smi",
        )
    try:
        library.nvmlDeviceGetUtilizationRates(library.nvmlDeviceGetHandleByIndex(0))
    except library.NVMLError as error:
        with contextlib.suppress(library.NVMLError):
            library.nvmlShutdown()
        return Missing(name="nvml", why=f"the NVIDIA driver shows no use of a GPU: {error}")
    return NvmlSensor(library)
