from __future__ import annotations

import machines
import pytest

from autotuner.host import identity


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19", "535.129.03"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  540.3.0  Release", "540.3.0"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65", "580.65"),
        ("nothing that looks like one", None),
        (None, None),
    ],
)
def test_the_driver_of_nvidia_tells_its_version(tmp_path, said, version):
    """It is a part of the fingerprint; the names of processors are none."""
    files = {} if said is None else {"proc/driver/nvidia/version": f"{said}\nGCC version: 12.3\n"}
    assert identity.nvidia_driver(machines.write(tmp_path, files)) == version
