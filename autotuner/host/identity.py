"""What machine this is: device, processor, memory and operating system, without serial numbers."""

from __future__ import annotations

import contextlib
import platform
import re
from pathlib import Path

from autotuner.host import memory


def device() -> str | None:
    """Return the name of the device: the board's model, else the vendor's product name."""
    for path in ("/proc/device-tree/model", "/sys/devices/virtual/dmi/id/product_name"):
        with contextlib.suppress(OSError):
            if text := Path(path).read_text(errors="replace").strip("\0 \n"):
                return text
    return None


def cpu() -> str:
    """Return the processor's name, at least its architecture."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in {"model name", "Model"} and value.strip():
                return f"{value.strip()} ({platform.machine()})"
    return platform.machine()


def memory_gib() -> int:
    """Return the memory that this process may use, rounded so that equal boxes agree."""
    return max(1, round(memory.total_mib() / 1024))


def operating_system() -> str:
    """Return the distribution with its release, and the kernel's name."""
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
        return release.get("PRETTY_NAME", platform.system())
    return platform.system()


def nvidia_driver(root: Path = Path("/")) -> str | None:
    """Return the version of NVIDIA's driver in the kernel, None where there is none."""
    with contextlib.suppress(OSError):
        text = (root / "proc/driver/nvidia/version").read_text()
        found = re.search(r"^NVRM version:.*?(\d+(\.\d+)+)", text, re.MULTILINE)
        return found[1] if found else None
    return None


def is_virtual(root: Path = Path("/")) -> bool:
    """Say whether the processor tells that a hypervisor runs it; on ARM none does."""
    with contextlib.suppress(OSError):
        flags = re.search(r"^flags\s*:.*$", (root / "proc/cpuinfo").read_text(), re.MULTILINE)
        return flags is not None and "hypervisor" in flags[0].split()
    return False
