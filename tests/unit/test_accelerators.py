from __future__ import annotations

import machines
import pytest

from autotuner.host import accelerators


def card(vendor, kind):
    """Return a device on the PCI bus."""
    folder = "sys/bus/pci/devices/0000:03:00.0"
    return {f"{folder}/vendor": vendor, f"{folder}/class": kind}


@pytest.mark.parametrize(
    ("files", "nvidia", "intel", "npu"),
    [
        ({}, False, False, False),
        (card("0x10de", "0x030200"), True, False, False),
        (card("0x10de", "0x040300"), False, False, False),
        (card("0x8086", "0x030000"), False, True, False),
        (card("0x8086", "0x020000"), False, False, False),
        (card("0x8086", "0x120000"), False, False, True),
        ({"etc/nv_tegra_release": "# R36"}, True, False, False),
        ({"dev/accel/accel0": ""}, False, False, True),
    ],
)
def test_devices_are_known_by_vendor_and_kind(tmp_path, files, nvidia, intel, npu):
    """A sound or network chip of the same vendor is none; a Jetson's GPU is on no bus."""
    root = machines.write(tmp_path, files)
    assert accelerators.nvidia_gpu(root) == nvidia
    assert accelerators.intel_gpu(root) == intel
    assert accelerators.intel_npu(root) == npu


def test_a_provider_may_need_a_device(tmp_path):
    """What runs on the CPU needs none."""
    assert accelerators.needed(tmp_path, "onnxruntime-cuda") == "NVIDIA GPU"
    assert accelerators.needed(tmp_path, "openvino-npu") == "Intel NPU"
    assert accelerators.needed(tmp_path, "openvino-cpu") is None
    root = machines.write(tmp_path, card("0x10de", "0x030000"))
    assert accelerators.needed(root, "onnxruntime-cuda") is None
