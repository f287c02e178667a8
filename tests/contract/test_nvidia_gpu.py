"""What is asked of NVIDIA's driver, imitated in the host's memory, and what follows from it."""

from __future__ import annotations

import pytest
from host_gpu import HostDriver

from autotuner.backends import BackendFailure, cuda, nvidia
from autotuner.backends.nvidia import Gpu


def gpu(*compute_capability):
    """Return a GPU of this compute capability."""
    return Gpu(name="x", compute_capability=compute_capability, cuda=(12, 0))


def test_the_driver_tells_name_capability_and_version(monkeypatch):
    """As the driver writes them: 12060 is CUDA 12.6."""
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: HostDriver())
    assert nvidia._survey() == {"name": "Orin", "compute_capability": [8, 7], "cuda": [12, 6]}


def test_a_driver_without_a_gpu_is_explained(monkeypatch):
    """Also where somebody hides the GPU."""
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: HostDriver(devices=0))
    with pytest.raises(BackendFailure, match="CUDA_VISIBLE_DEVICES"):
        nvidia._survey()


def test_a_driver_that_fails_is_quoted(monkeypatch):
    """The function, its words and its number."""
    driver = HostDriver()
    driver.status["cuInit"] = 803
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: driver)
    with pytest.raises(BackendFailure, match="cuInit: error number 803"):
        nvidia._survey()


@pytest.mark.parametrize(
    ("found", "tensor_float", "half", "int8"),
    [
        (gpu(5, 2), False, False, False),  # GTX 980
        (gpu(5, 3), False, True, False),  # Nano
        (gpu(6, 1), False, True, True),  # GTX 1080
        (gpu(6, 2), False, True, False),  # TX2
        (gpu(7, 2), False, True, True),  # Xavier
        (gpu(8, 7), True, True, True),  # Orin
        (gpu(10, 0), True, True, True),  # B200
    ],
)
def test_the_compute_capability_tells_the_arithmetic(found, tensor_float, half, int8):
    """NVIDIA's table of arithmetic instructions by compute capability."""
    assert (found.has_tensor_float, found.has_half, found.has_int8) == (tensor_float, half, int8)


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"\x7fELF\0libcudart.so.12\0libm.so.6\0", 12),
        (b"\x7fELF\0libcudart.so.13", 13),
        (b"\x7fELF\0libcudart.so\0", None),
        (b"\x7fELF\0libm.so.6\0", None),
    ],
)
def test_a_library_tells_what_it_is_linked_to(tmp_path, content, version):
    """Without being loaded."""
    file = tmp_path / "library.so"
    file.write_bytes(content)
    assert nvidia.linked_version(file, "libcudart") == version
