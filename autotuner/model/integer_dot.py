"""Whether this CPU multiplies bytes without overflow."""

from __future__ import annotations

import platform
from pathlib import Path

_EXACT = frozenset({"avx512_vnni", "avx_vnni"})


def saturates(cpuinfo: str, machine: str) -> bool:
    """Say whether sums of products of uint8 and int8 may be cut off, by *cpuinfo* of a *machine*.

    x86-64 without VNNI adds pairs of products in 16 bits (VPMADDUBSW); ONNX Runtime's documentation
    advises to keep weights within 7 bits there. ARM adds in 32 bits.
    """
    if machine != "x86_64":
        return False
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    flags = next((value.split() for name, _, value in lines if name.strip() == "flags"), [])
    return _EXACT.isdisjoint(flags)


def saturates_here() -> bool:
    """Say so of this machine."""
    try:
        return saturates(Path("/proc/cpuinfo").read_text(), platform.machine())
    except OSError:
        return False
