"""CUDA's driver, as much of it as running an engine takes: memory, copies, a stream, graphs.

The driver's own API needs no package, whose CUDA would have to fit, and is there with the GPU.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from autotuner.backends.base import BackendFailure

DRIVER = "libcuda.so.1"

_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING
_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL


class Driver:
    """The driver's functions by name; raises BackendFailure where there is no driver."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(DRIVER)
        except OSError:
            raise BackendFailure(
                "unsupported", f"no NVIDIA driver is installed here ({DRIVER} is missing)"
            ) from None

    def call(self, name: str, *arguments: Any) -> None:
        """Call the function *name*; raises BackendFailure with the driver's words."""
        status = getattr(self._library, name)(*arguments)
        if status != 0:
            text = ctypes.c_char_p()
            self._library.cuGetErrorString(status, ctypes.byref(text))
            said = (text.value or b"unknown error").decode()
            reason = "oom" if status == _OUT_OF_MEMORY else "crashed"
            raise BackendFailure(reason, f"{name}: {said} (CUDA error {status})")


class Stream:
    """One stream of the first GPU, with the memory that was taken for it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._device, self._context = ctypes.c_int(), ctypes.c_void_p()
        self._handle = ctypes.c_void_p()
        self._undo: list[Callable[[], None]] = []
        driver.call("cuInit", 0)
        driver.call("cuDeviceGet", ctypes.byref(self._device), 0)
        # The primary context is the one that TensorRT's own calls use.
        driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), self._device)
        self._undo.append(lambda: driver.call("cuDevicePrimaryCtxRelease_v2", self._device))
        driver.call("cuCtxSetCurrent", self._context)
        driver.call("cuStreamCreate", ctypes.byref(self._handle), _NON_BLOCKING)
        self._undo.append(lambda: driver.call("cuStreamDestroy_v2", self._handle))

    @property
    def handle(self) -> int:
        """What other libraries know the stream by."""
        return self._handle.value or 0

    def device_memory(self, size_bytes: int) -> int:
        """Return the address of fresh memory of the GPU."""
        address = ctypes.c_uint64()
        self._driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        self._undo.append(lambda: self._driver.call("cuMemFree_v2", address))
        return address.value

    def host_memory(self, size_bytes: int) -> int:
        """Return the address of fresh pinned memory, from which copies go at full speed."""
        address = ctypes.c_void_p()
        self._driver.call("cuMemHostAlloc", ctypes.byref(address), ctypes.c_size_t(size_bytes), 0)
        self._undo.append(lambda: self._driver.call("cuMemFreeHost", address))
        return address.value or 0

    def copy_in(self, device: int, host: int, size_bytes: int) -> None:
        """Enqueue a copy to the GPU."""
        self._driver.call(
            "cuMemcpyHtoDAsync_v2",
            ctypes.c_uint64(device),
            ctypes.c_void_p(host),
            ctypes.c_size_t(size_bytes),
            self._handle,
        )

    def copy_out(self, host: int, device: int, size_bytes: int) -> None:
        """Enqueue a copy from the GPU."""
        self._driver.call(
            "cuMemcpyDtoHAsync_v2",
            ctypes.c_void_p(host),
            ctypes.c_uint64(device),
            ctypes.c_size_t(size_bytes),
            self._handle,
        )

    def wait(self) -> None:
        """Wait until all that was enqueued is done."""
        self._driver.call("cuStreamSynchronize", self._handle)

    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        """Return what enqueues at one go all that *enqueue* would, from the same addresses."""
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        self._driver.call("cuStreamBeginCapture_v2", self._handle, _THREAD_LOCAL)
        try:
            enqueue()
        finally:
            self._driver.call("cuStreamEndCapture", self._handle, ctypes.byref(graph))
        self._driver.call(
            "cuGraphInstantiateWithFlags", ctypes.byref(executable), graph, ctypes.c_uint64(0)
        )
        self._driver.call("cuGraphDestroy", graph)
        self._undo.append(lambda: self._driver.call("cuGraphExecDestroy", executable))
        return lambda: self._driver.call("cuGraphLaunch", executable, self._handle)

    def close(self) -> None:
        """Give everything back, the last first."""
        while self._undo:
            self._undo.pop()()
