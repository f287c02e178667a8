"""The machine around a measurement: in the right power mode, cool, and watched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Literal

from autotuner.bench.disturbance import Background, disturbance
from autotuner.bench.process import GivenUp
from autotuner.bench.telemetry import Telemetry
from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.host import accelerators, activity
from autotuner.host.activity import Activity
from autotuner.host.power import Cooling, PowerError, Switch, cool_down

_BACKGROUND_S = 0.3
_IDLE_S = 1.0
_COOL_C, _COOLING_S = 80.0, 20.0
_FIELDS = frozenset({"power_w", "clock_mhz", "throttled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of the machine during a window; *disturbed* says what else shaped it."""

    disturbed: str | None = None
    power_w: float | None = None
    clock_mhz: float | None = None
    throttled: bool | None = None
    extra: Mapping[str, float] = field(default_factory=dict)


class Surroundings:
    """Watches the CPUs *cpus* on which the processes that *pids* names work; a context manager.

    *telemetry* samples the sensors and *switch* sets power modes, where there are any; both end
    with this.
    """

    def __init__(
        self,
        cpus: Iterable[int],
        pids: Callable[[], Iterable[int]],
        *,
        telemetry: Telemetry | None = None,
        switch: Switch | None = None,
    ) -> None:
        self._cpus = tuple(cpus)
        self._pids = pids
        self._telemetry = telemetry
        self._switch = switch
        self._usual: Background | None = None
        self._mode: str | None = None
        self._clocks_settled = True
        self._cooling: Cooling | None = None

    def __enter__(self) -> Surroundings:
        if self._telemetry is not None:
            self._telemetry.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._telemetry is not None:
                self._telemetry.__exit__(kind, error, trace)
        finally:
            if self._switch is not None:
                self._switch.__exit__(kind, error, trace)

    @property
    def background(self) -> Background:
        """What is usual on this box; read once, before anything of ours runs."""
        if self._usual is None:
            metered = self._telemetry is not None and bool(self._telemetry.total)
            begin_ns, before = time.monotonic_ns(), self.now()
            time.sleep(_IDLE_S if metered else _BACKGROUND_S)
            self._usual = Background.between(before, self.now())
            if self._telemetry is not None:
                self._telemetry.idle(begin_ns, time.monotonic_ns())
                self._usual = replace(self._usual, gpu_percent=self._telemetry.idle_gpu_percent)
        return self._usual

    def prepare(self, config: Config) -> None:
        """Set the power mode of *config* and wait until the machine is cool enough.

        Raises GivenUp when the mode cannot be set.
        """
        if self._switch is not None:
            try:
                notes = self._switch.use(config.power_mode)
            except PowerError as error:
                self._mode = None
                raise GivenUp(Failed("unsupported", str(error))) from error
            if config.power_mode != self._mode:  # else nothing was set, and so nothing noted
                self._mode, self._clocks_settled = config.power_mode, not notes
        self._cooling = cool_down(_COOL_C, _COOLING_S)

    def now(self) -> Activity:
        """Return the counters as they are."""
        return activity.read(self._cpus, self._pids())

    def since(
        self, before: Activity, begin_ns: int, end_ns: int, config: Config, *, usual: Background
    ) -> Seen:
        """Return what was seen since *before*, in the window between two moments.

        Moments are nanoseconds of CLOCK_MONOTONIC.
        """
        reasons = [disturbance(before, self.now(), usual)]
        if self._switch is not None:
            reasons += self._switch.undone()
        figures: Mapping[str, float] = {}
        if self._telemetry is not None:
            on_gpu = config.provider in accelerators.GPU_PROVIDERS
            device: Literal["cpu", "gpu"] = "gpu" if on_gpu else "cpu"
            figures = self._telemetry.between(begin_ns, end_ns, device, self._pids())
        extra = {n: v for n, v in figures.items() if n not in _FIELDS}
        if self._mode is not None:
            extra["clocks_settled"] = float(self._clocks_settled)
        if self._cooling is not None and self._cooling.temperature_c is not None:
            extra["start_temperature_c"] = self._cooling.temperature_c
            extra["hot_start"] = float(self._cooling.note is not None)
        throttled = figures.get("throttled")
        return Seen(
            disturbed="; ".join(reason for reason in reasons if reason) or None,
            power_w=figures.get("power_w"),
            clock_mhz=figures.get("clock_mhz"),
            throttled=None if throttled is None else bool(throttled),
            extra=extra,
        )
