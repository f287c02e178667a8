"""What a sweep says of each model as a whole. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autotuner.core.config import BASELINE, Config
from autotuner.core.sweep import ACCURACY_KEPT, ModelSize, Sweep
from autotuner.report.series import value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """A model in one precision on one box: its size, its accuracy, and how fast it was.

    *config* is the fastest that was measured in this precision, *throughput_ips* its throughput.
    *accuracy* is that of the table, times what the precision was found to keep of it; None where
    either is not known.
    """

    name: str
    box: str
    parameters: int
    flops: int
    accuracy: float | None
    config: Config
    throughput_ips: float


def summaries(sweeps: Sequence[Sweep]) -> tuple[ModelSummary, ...]:
    """Return the summary of every model and precision of *sweeps* of which anything is known."""
    return tuple(
        summary for sweep in sweeps for size in sweep.models for summary in _summaries(sweep, size)
    )


def fastest(models: Sequence[ModelSummary]) -> tuple[ModelSummary, ...]:
    """Return each model of *models* in its fastest precision alone."""
    found: dict[tuple[str, str], ModelSummary] = {}
    for model in models:
        best = found.setdefault((model.name, model.box), model)
        if model.throughput_ips > best.throughput_ips:
            found[model.name, model.box] = model
    return tuple(found.values())


def _summaries(sweep: Sweep, size: ModelSize) -> Iterator[ModelSummary]:
    measured = sweep.measured(size.model)
    kept = {_way(config): share for config, m in measured if (share := value(m, ACCURACY_KEPT))}
    best: dict[str, tuple[float, Config]] = {}
    for config, measurement in measured:
        rate = measurement.throughput_ips or 0.0
        if rate > best.get(config.precision, (0.0,))[0]:
            best[config.precision] = (rate, config)
    for precision, (rate, config) in best.items():
        exact = 1.0 if precision == BASELINE.precision else None
        share = kept.get(_way(config), exact)
        accuracy = None
        if size.accuracy is not None and share is not None:
            accuracy = size.accuracy * share
        yield ModelSummary(
            name=size.model,
            box=sweep.box,
            parameters=size.parameters,
            flops=size.flops,
            accuracy=accuracy,
            config=config,
            throughput_ips=rate,
        )


def _way(config: Config) -> tuple[str, str]:
    """Return what decides on the answers."""
    return config.provider, config.precision
