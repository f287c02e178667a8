"""Which GPUs and NPUs are built into the machine, whether or not a driver runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_PCI = "sys/bus/pci/devices"
_NVIDIA, _INTEL = 0x10DE, 0x8086
_DISPLAY, _ACCELERATOR = 0x03, 0x12  # PCI base classes
_NVIDIA_SIGNS = ("proc/driver/nvidia/version", "dev/nvidia0", "dev/dxg", "etc/nv_tegra_release")
_INTEL_NPU_SIGN = "dev/accel/accel0"

NVIDIA_PROVIDERS = ("onnxruntime-cuda", "onnxruntime-tensorrt", "tensorrt")
ENGINE_PROVIDERS = ("onnxruntime-tensorrt", "tensorrt")
"""Those that first build an engine of a model, for which small boards need many minutes."""
GPU_PROVIDERS = (*NVIDIA_PROVIDERS, "openvino-gpu")
PROVIDERS = (*GPU_PROVIDERS, "openvino-npu")
"""Those that do not compute on the CPU."""


def nvidia_gpu(root: Path) -> bool:
    """Say whether the machine at *root* has an NVIDIA GPU, also a Jetson's or one lent by WSL."""
    return (_NVIDIA, _DISPLAY) in _devices(root) or any((root / s).exists() for s in _NVIDIA_SIGNS)


def intel_gpu(root: Path) -> bool:
    """Say whether the machine at *root* has an Intel GPU."""
    return (_INTEL, _DISPLAY) in _devices(root)


def intel_npu(root: Path) -> bool:
    """Say whether the machine at *root* has an Intel NPU."""
    return (_INTEL, _ACCELERATOR) in _devices(root) or (root / _INTEL_NPU_SIGN).exists()


def needed(root: Path, provider: str) -> str | None:
    """Return the device that *provider* needs and the machine at *root* lacks, None otherwise."""
    kinds = {
        "NVIDIA GPU": (nvidia_gpu, NVIDIA_PROVIDERS),
        "Intel GPU": (intel_gpu, ("openvino-gpu",)),
        "Intel NPU": (intel_npu, ("openvino-npu",)),
    }
    for device, (present, providers) in kinds.items():
        if provider in providers and not present(root):
            return device
    return None


def _devices(root: Path) -> Iterator[tuple[int, int]]:
    """Yield vendor and base class of each device on the PCI bus."""
    for device in (root / _PCI).glob("*"):
        with contextlib.suppress(OSError, ValueError):
            vendor = int((device / "vendor").read_text(), 16)
            yield vendor, int((device / "class").read_text(), 16) >> 16
