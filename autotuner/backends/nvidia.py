"""The NVIDIA GPU of this machine as its driver describes it."""

from __future__ import annotations

import ctypes
import functools
import mmap
import re
from dataclasses import dataclass
from pathlib import Path

from autotuner.backends.base import BackendFailure
from autotuner.backends.cuda import Driver
from autotuner.backends.survey import answer, ask

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """The first GPU that this process may use.

    *cuda* is the newest version of CUDA that the driver knows.
    """

    name: str
    compute_capability: tuple[int, int]
    cuda: tuple[int, int]

    @property
    def has_tensor_float(self) -> bool:
        """Whether single precision may be computed in TF32, which runtimes do unless told not."""
        return self.compute_capability >= (8, 0)

    @property
    def has_half(self) -> bool:
        """Whether it has half-precision arithmetic."""
        return self.compute_capability >= (5, 3)

    @property
    def has_int8(self) -> bool:
        """Whether it has 8-bit dot products, which a TX2 has not."""
        return self.compute_capability >= (6, 1) and self.compute_capability != (6, 2)


@functools.cache
def find_gpu() -> Gpu:
    """Return the GPU; raises BackendFailure that says why there is none."""
    Driver()
    found = ask(__name__, otherwise="the NVIDIA driver finds no GPU").value
    return Gpu(
        name=found["name"],
        compute_capability=tuple(found["compute_capability"]),
        cuda=tuple(found["cuda"]),
    )


def outdated(gpu: Gpu, needed: int | None, runtime: str, package: str) -> str | None:
    """Say that the driver is too old for *runtime*, which needs CUDA *needed*; None if it is not.

    *package* is what to install for an older CUDA, whose major version is put behind it.
    """
    if needed is None or gpu.cuda >= (needed, 0):
        return None
    return (
        f"the NVIDIA driver knows CUDA {gpu.cuda[0]}.{gpu.cuda[1]} at most and {runtime} needs "
        f"CUDA {needed}; update the driver or install {package}{gpu.cuda[0]}"
    )


def linked_version(file: Path, library: str) -> int | None:
    """Return the major version of *library* that the shared object *file* is linked to."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as content:
        name = library.encode() + b".so."
        at = content.find(name)
        digits = re.match(rb"\d+", content[at + len(name) :][:3]) if at >= 0 else None
    return int(digits[0]) if digits else None


def _survey() -> dict[str, object]:
    """Ask the driver in this process."""
    call = Driver().call
    version, device, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    major, minor = ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(256)
    call("cuInit", 0)
    call("cuDriverGetVersion", ctypes.byref(version))
    call("cuDeviceGetCount", ctypes.byref(count))
    if count.value == 0:
        raise BackendFailure("unsupported", "it lists none; CUDA_VISIBLE_DEVICES may hide them")
    call("cuDeviceGet", ctypes.byref(device), 0)
    call("cuDeviceGetName", name, len(name), device)
    call("cuDeviceGetAttribute", ctypes.byref(major), _MAJOR, device)
    call("cuDeviceGetAttribute", ctypes.byref(minor), _MINOR, device)
    return {
        "name": name.value.decode(),
        "compute_capability": [major.value, minor.value],
        "cuda": [version.value // 1000, version.value % 1000 // 10],
    }


if __name__ == "__main__":
    answer(_survey)
