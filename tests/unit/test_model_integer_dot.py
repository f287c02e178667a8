from __future__ import annotations

import pytest

from autotuner.model.integer_dot import saturates


@pytest.mark.parametrize(
    ("flags", "machine", "cut_off"),
    [
        ("fpu avx2 avx512f", "x86_64", True),
        ("fpu avx2 avx_vnni", "x86_64", False),
        ("avx512f avx512_vnni", "x86_64", False),
        ("fp asimd", "aarch64", False),
    ],
)
def test_bytes_overflow_without_vnni_on_x86_alone(flags, machine, cut_off):
    """The flags of the first CPU tell, exactly as the kernel names them."""
    cpuinfo = f"processor\t: 0\nmodel name\t: avx512_vnni\nflags\t\t: {flags}\n\nprocessor\t: 1\n"
    assert saturates(cpuinfo, machine) is cut_off
