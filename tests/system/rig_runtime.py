"""Runtimes for the rigs: they compute nothing, and their speed follows the rig's clocks.

They take the place of ONNX Runtime inside of a rig. On the pretended Jetson a runtime also says
what load its work is, so that clocks, power and temperature follow it as they follow a GPU's.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
from faults import Scheduled
from jetson_rig.files import DEVFREQ, LOAD

FIXED_MS = 3.0
SAMPLE_MS_AT_1_GHZ = 4.0
CPU_SHARE, GPU_SHARE = 0.0, 1.0
JETSON_GPU = (f"{DEVFREQ}/cur_freq", 1e9)
VM_CPU = ("/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", 1e6)
"""A clock: its file, and how many of the file's units 1 GHz is."""
_IDLE_AFTER_S = 0.1
_POLL_S = 0.02

REGISTER = f"""
import sys
sys.path += {[str(Path(__file__).parent), str(Path(__file__).parents[1])]}
try:
    from autotuner import backends
except ImportError:  # an interpreter that is not ours
    pass
else:
    backends.BACKENDS.clear()
    backends.BACKENDS["onnxruntime"] = "rig_runtime:RigRuntime"
"""
"""What Python does when it starts in the rig, so that the unchanged program finds this runtime."""


def batch_ms(size, clock):
    """Return how long a batch of *size* takes at the rate that *clock* has now."""
    file, units = clock
    return FIXED_MS + SAMPLE_MS_AT_1_GHZ * size * units / int(Path(file).read_text())


class Load:
    """What this process says to the rig; after a moment without work it says that it does none."""

    def __init__(self):
        self._file = Path(LOAD, str(os.getpid()))
        self._worked_s = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def work(self):
        """Say that there is work now."""
        self._worked_s = time.monotonic()

    def _watch(self):
        told = None
        while True:
            busy = time.monotonic() - self._worked_s < _IDLE_AFTER_S
            if busy != told:
                self._file.write_text(f"{CPU_SHARE * busy} {GPU_SHARE * busy}")
                told = busy
            time.sleep(_POLL_S)


class _Session:
    def __init__(self, clock, work):
        self._clock = clock
        self._work = work

    def run(self, feeds):
        """Take the time of this batch and answer with zeros."""
        self._work()
        size = len(feeds["x"])
        time.sleep(batch_ms(size, self._clock) / 1e3)
        self._work()
        return [np.zeros((size, 10), np.float32)]

    def close(self):
        """Hold nothing."""


class VmRuntime(Scheduled):
    """It follows the clock that the kernel sets; its one provider runs FP32."""

    def precisions(self, _provider):
        """Compute in FP32 alone."""
        return {"fp32": "fp32"}

    def open(self, *_):
        """Need no model."""
        return _Session(VM_CPU, lambda: None)


class RigRuntime(VmRuntime):
    """It follows the GPU's clock and loads the GPU."""

    def __init__(self):
        self._load = None

    def start(self):
        """Begin to tell the load."""
        self._load = Load()

    def open(self, *_):
        """Need no model."""
        return _Session(JETSON_GPU, self._load.work)
