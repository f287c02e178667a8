"""A driver's management library that is not there: the functions of pynvml that sensors use."""

from __future__ import annotations

from types import SimpleNamespace


class NVMLError(Exception):
    """What pynvml raises."""


class Library:
    """Two GPUs; *refused* are functions that this driver does not support."""

    NVMLError = NVMLError
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    def __init__(self, *, refused=(), reasons=0):
        self.refused = set(refused)
        self.dead = False
        self.calls = []
        processes = [
            SimpleNamespace(pid=7, usedGpuMemory=1 << 30),
            SimpleNamespace(pid=8, usedGpuMemory=None),
        ]
        self._answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetUtilizationRates": lambda gpu: SimpleNamespace(gpu=80 + gpu),
            "nvmlDeviceGetClockInfo": lambda _gpu, kind: {1: 1980, 2: 3201}[kind],
            "nvmlDeviceGetPowerUsage": lambda _gpu: 350_500,
            "nvmlDeviceGetTemperature": lambda _gpu, _sensor: 61,
            "nvmlDeviceGetMemoryInfo": lambda _gpu: SimpleNamespace(used=3 << 30, total=8 << 30),
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda _gpu: reasons,
            "nvmlDeviceGetComputeRunningProcesses": lambda _gpu: processes,
        }

    def __getattr__(self, function):
        """Return a function of the library."""
        if function not in self.__dict__["_answers"]:
            raise AttributeError(function)
        answer = self._answers[function]

        def call(*arguments):
            self.calls.append(function)
            if self.dead:
                raise NVMLError("GPU is lost")
            if function in self.refused:
                raise NVMLError("Not Supported")
            return answer(*arguments)

        return call
