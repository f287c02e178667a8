"""What a sweep says of each model as a whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotuner.core.config import BASELINE, Config
from autotuner.core.outcome import Measurement
from autotuner.core.sweep import ModelSize, Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """A model on one box: its size, its accuracy where a table tells, and how fast it was.

    *config* is the fastest that was measured, *throughput_ips* its throughput. *fp32_ips* is the
    most in FP32, of which the accuracy tells.
    """

    name: str
    box: str
    parameters: int
    flops: int
    accuracy: float | None
    config: Config
    throughput_ips: float
    fp32_ips: float | None


def summaries(sweeps: Sequence[Sweep]) -> tuple[ModelSummary, ...]:
    """Return the summary of every model of *sweeps* of which anything was measured."""
    found = [_summary(sweep, size) for sweep in sweeps for size in sweep.models]
    return tuple(summary for summary in found if summary is not None)


def _summary(sweep: Sweep, size: ModelSize) -> ModelSummary | None:
    rates = [(_rate(m), config) for config, m in sweep.measured(size.model) if m.throughput_ips]
    if not rates:
        return None
    most, config = max(rates, key=lambda pair: pair[0])
    exact = [rate for rate, config in rates if config.precision == BASELINE.precision]
    return ModelSummary(
        name=size.model,
        box=sweep.box,
        parameters=size.parameters,
        flops=size.flops,
        accuracy=size.accuracy,
        config=config,
        throughput_ips=most,
        fp32_ips=max(exact, default=None),
    )


def _rate(measurement: Measurement) -> float:
    return measurement.throughput_ips or 0.0
