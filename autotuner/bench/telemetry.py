"""What the sensors saw while a configuration was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType

from autotuner.bench import energy
from autotuner.bench.energy import Device
from autotuner.bench.footprint import gpu_figures
from autotuner.host.sensors.sampler import Sampler

_GPU_USE = "gpu.utilisation_percent"


class Telemetry:
    """Samples the machine beside the measurements; a context manager.

    Moments are nanoseconds of the monotonic clock.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self.idle_w: float | None = None
        """The power while nothing of ours ran; None until it was measured or when nothing can."""
        self.idle_gpu_percent: float | None = None
        """How busy the GPU was meanwhile; None likewise."""

    def __enter__(self) -> Telemetry:
        self._sampler.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sampler.__exit__(kind, error, trace)

    @property
    def total(self) -> tuple[str, ...]:
        """The readings that make up the total power, those of a board's total named one by one."""
        latest = self._sampler.latest()
        rails = energy.total_rails(reading.name for reading in latest if reading.value is not None)
        made_of = {reading.name: reading.made_of or (reading.name,) for reading in latest}
        return tuple(part for rail in rails for part in made_of[rail])

    def idle(self, begin_ns: int, end_ns: int) -> None:
        """Take this stretch, in which nothing of ours ran, for how the machine idles."""
        samples = self._sampler.between(begin_ns, end_ns)
        self.idle_w = energy.power_between(samples, begin_ns, end_ns)
        self.idle_gpu_percent = energy.mean_between(samples, _GPU_USE, begin_ns, end_ns)

    def between(
        self, begin_ns: int, end_ns: int, device: Device = "cpu", pids: Iterable[int] = ()
    ) -> Mapping[str, float]:
        """Return the figures of a window, and in ``sampling_percent`` what watching it cost.

        Of a GPU's memory those of the processes *pids*. See :func:`autotuner.bench.energy.figures`
        and :func:`autotuner.bench.footprint.gpu_figures`.
        """
        samples = self._sampler.between(begin_ns, end_ns)
        found = {
            **energy.figures(samples, begin_ns, end_ns, device=device, idle_w=self.idle_w),
            **gpu_figures(samples, pids),
        }
        cost = self._sampler.cost_percent
        return found if cost is None else {**found, "sampling_percent": cost}
