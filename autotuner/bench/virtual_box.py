"""A box that is not there: its virtual clock, what is loaded, what it draws, how warm it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autotuner.backends.simulated import Behaviour, Device
from autotuner.bench.meter import Meter
from autotuner.bench.pool import Cancelled
from autotuner.bench.temperature import Body
from autotuner.core.config import Config
from autotuner.core.outcome import Failed

_START_S = 0.3
_HOT = "the simulated device lowered its clocks because it was hot"


class VirtualBox:
    """Stands for *device* while time goes by on it; *cancelled* is asked whenever it does.

    *now_ns* is the virtual time, *setup_s* how much of it went into starting and loading.
    """

    def __init__(self, device: Device, cancelled: Callable[[], bool]) -> None:
        self._device = device
        self._cancelled = cancelled
        self._body = Body(device.heat)
        self._meter = Meter(self._body.clock)
        self._loaded: dict[Config, Behaviour] = {}
        self.now_ns = 0
        self.setup_s = 0.0

    @property
    def name(self) -> str:
        """What the device is called."""
        return self._device.name

    @property
    def free_mib(self) -> float:
        """What the device has, less what is loaded."""
        used = sum(loaded.memory_mib or 0.0 for loaded in self._loaded.values())
        return self._device.memory_mib - used

    @property
    def clock(self) -> float:
        """The share of its nominal clock that it runs at."""
        return self._body.clock

    def load(self, config: Config) -> Behaviour | Failed:
        """Return how the device runs *config*, which is loaded then, or why it cannot."""
        if config in self._loaded:
            return self._loaded[config]
        ready = self._device.behaviour(config)
        if isinstance(ready, Failed):
            return ready
        need_mib, free_mib = ready.memory_mib or 0.0, self.free_mib
        if need_mib > free_mib:
            return Failed("oom", f"it needs {need_mib:.0f} MiB and {free_mib:.0f} are free")
        seconds = _START_S + ready.load_s + ready.first_inference_s
        self.spend(ready, seconds, share=0.0)
        self.setup_s += seconds
        self._loaded[config] = ready
        return ready

    def unload(self, config: Config) -> None:
        """Forget *config* if it is loaded."""
        self._loaded.pop(config, None)

    def begin_window(self) -> None:
        """Begin to sum up anew what is drawn."""
        self._meter = Meter(self._body.clock)

    def spend(self, ready: Behaviour, seconds: float, *, share: float) -> None:
        """Let *seconds* go by while workers are busy for *share* of them; raises Cancelled."""
        if self._cancelled():
            raise Cancelled
        clock = self._body.clock
        # Dynamic power follows voltage and clock; near the limit about the square of the clock.
        power_w = ready.power_w(share * clock**2) or 0.0
        self._body.spend(power_w, seconds)
        self._meter.add(power_w, clock, seconds)
        self.now_ns += int(seconds * 1e9)

    def circumstances(self, config: Config, ready: Behaviour, *, settled: bool) -> dict[str, Any]:
        """Return what every kind of run tells besides its times, since the window began."""
        meter = self._meter
        idle_w, busy_w = ready.power_w(0.0), ready.power_w(1.0)
        share = 1.0
        if idle_w is not None and busy_w is not None and busy_w > idle_w:
            share = (meter.power_w - idle_w) / (busy_w - idle_w)
        return {
            "config": config,
            "setup_s": ready.load_s + ready.first_inference_s,
            "memory_mib": ready.memory_mib,
            "power_w": None if busy_w is None else meter.power_w,
            "clock_mhz": None if ready.clock_mhz is None else ready.clock_mhz * meter.clock,
            "throttled": meter.throttled if self._device.heat else None,
            "disturbed": _HOT if meter.clock_fell else None,
            "extra": {
                "load_s": ready.load_s,
                "first_inference_s": ready.first_inference_s,
                "warm_up_settled": float(settled),
                **{f"power_w.{name}": rail.at(share) for name, rail in ready.rails.items()},
            },
        }
