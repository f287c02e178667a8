"""NVIDIA server GPUs, behind a pretended NVML."""

from __future__ import annotations

import pynvml
import pytest

from autotuner.host.power import PowerError, nvml, offered
from autotuner.host.power.control import KnobControl


class NvmlError(Exception):
    """What NVML raises."""


class Library:
    """NVML with one GPU of 200 to 700 W; *dead* after which every call fails."""

    NVMLError = NvmlError

    def __init__(self):
        self.limit_mw, self.locked, self.dead, self.refuse = 700_000, None, False, False

    def __getattr__(self, name):
        """Answer as NVML would."""
        if self.dead:
            raise NvmlError("GPU is lost")
        return self.answers()[name]

    def answers(self):
        """Return what each function does."""
        return {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 1,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetUUID": lambda _: b"GPU-1",
            "nvmlDeviceGetPowerManagementLimitConstraints": lambda _: [400_000, 700_000],
            "nvmlDeviceGetPowerManagementDefaultLimit": lambda _: 700_000,
            "nvmlDeviceGetPowerManagementLimit": lambda _: self.limit_mw,
            "nvmlDeviceGetSupportedMemoryClocks": lambda _: [2619, 1593],
            "nvmlDeviceGetSupportedGraphicsClocks": lambda _, mhz: [1980, 1200, 345][: mhz // 873],
            "nvmlDeviceSetPowerManagementLimit": self._limit,
            "nvmlDeviceSetGpuLockedClocks": lambda _, low, high: self._lock((low, high)),
            "nvmlDeviceResetGpuLockedClocks": lambda _: self._lock(None),
        }

    def _limit(self, _, milliwatts):
        if self.refuse:
            raise NvmlError("Insufficient Permissions")
        self.limit_mw = milliwatts

    def _lock(self, clocks):
        self.locked = clocks


def test_the_real_library_has_what_is_asked_of_it():
    """By the same names."""
    for function in Library().answers():
        assert callable(getattr(pynvml, function))
    assert issubclass(pynvml.NVMLError, Exception)


@pytest.fixture
def library():
    """Return the pretended NVML."""
    return Library()


def opened(library, *, may_write=True):
    """Return the control of its GPU."""
    gpus = nvml.gpus(library, clocks=True, may_write=may_write)
    return KnobControl(gpus, (*nvml.power_modes(gpus), *nvml.clock_modes(gpus, 3)))


def test_modes_are_power_limits_and_clocks(library):
    """From the default down to what the GPU allows; the present limit is the first."""
    assert offered(opened(library)) == (
        "gpu700W",
        "gpu525W",
        "gpu400W",
        "gpu345MHz",
        "gpu1200MHz",
        "gpu1980MHz",
    )


def test_limit_and_clock_are_set_and_put_back(library):
    """Each mode without the other's setting."""
    control = opened(library)
    base = control.current()
    control.apply("gpu525W", base)
    assert (library.limit_mw, library.locked) == (525_000, None)
    control.apply("gpu1200MHz", base)
    assert (library.limit_mw, library.locked) == (700_000, (1200, 1200))
    assert control.restore(base) == ()
    assert (library.limit_mw, library.locked) == (700_000, None)


def test_a_lock_that_a_killed_run_left_is_undone(library):
    """NVML does not tell a locked clock, so it is reset whatever was."""
    base = opened(library).current()
    opened(library).apply("gpu1200MHz", base)
    assert opened(library).restore(base) == ()
    assert library.locked is None


def test_a_lock_of_somebody_else_is_left_alone(library):
    """Unless clocks are to be locked here."""
    library.locked = (900, 900)
    gpus = nvml.gpus(library, clocks=False, may_write=True)
    control = KnobControl(gpus, nvml.power_modes(gpus))
    base = control.current()
    control.apply("gpu525W", base)
    assert control.restore(base) == ()
    assert (library.limit_mw, library.locked) == (700_000, (900, 900))


def test_without_root_nothing_is_offered(library):
    """And a sentence says so."""
    control = opened(library, may_write=False)
    assert offered(control) == ("present",)
    assert control.explain() == ("Setting a GPU's power limit or clock needs root.",)


def test_a_refused_limit_is_named(library):
    """With the library's words."""
    control = opened(library)
    library.refuse = True
    with pytest.raises(PowerError, match="Insufficient Permissions"):
        control.apply("gpu525W", control.current())


def test_a_library_that_dies_is_named(library):
    """What was not put back is told, setting by setting."""
    control = opened(library)
    base = control.current()
    control.apply("gpu525W", base)
    library.dead = True
    assert control.current().values == {}
    (limit,) = control.restore(base)
    assert "power_limit_mw" in limit
    assert "GPU is lost" in limit
    assert nvml.gpus(library, clocks=True, may_write=True) == ()


def test_a_gpu_without_a_power_limit_is_no_server_gpu(library):
    """NVML starts on a Jetson too, and supports nothing there."""
    library.nvmlDeviceGetPowerManagementLimit = lambda _: (_ for _ in ()).throw(
        NvmlError("Not Supported")
    )
    assert nvml.gpus(library, clocks=True, may_write=True) == ()


def test_without_the_library_there_is_none(monkeypatch):
    """It is optional."""
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert nvml.gpus(clocks=False) == ()
