"""How much memory a configuration takes, and will need, from those that were measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from autotuner.core.config import Config
from autotuner.core.outcome import Measurement
from autotuner.host.sensors.sampler import Sample

_HOST, _GPU, _GPU_FREE = "memory_mib", "gpu_memory_mib", "gpu_memory_free_mib"


def gpu_figures(samples: Sequence[Sample], pids: Iterable[int]) -> dict[str, float]:
    """Return what the processes *pids* took of the first GPU's memory at most, and could have had.

    In MiB, as ``gpu_memory_mib`` and ``gpu_memory_free_mib``; empty where the driver does not say.
    """
    names = [f"gpu.process{pid}_mib" for pid in pids]
    seen = [s.values for s in samples if any(name in s.values for name in names)]
    if not seen:
        return {}
    taken = [sum(values.get(name, 0.0) for name in names) for values in seen]
    found = {_GPU: max(taken)}
    total, used = (seen[-1].get(f"gpu.memory_{what}_mib") for what in ("total", "used"))
    if total is not None and used is not None:
        found[_GPU_FREE] = total - used + taken[-1]
    return found


def shortage(config: Config, measured: Mapping[Config, Measurement], free_mib: float) -> str | None:
    """Return why there is too little memory for *config*, None where there is enough or none knows.

    *free_mib* is what the host has; what the GPU has is in the last measurement that tells it.
    """
    known = [m.extra[_GPU_FREE] for m in measured.values() if _GPU_FREE in m.extra]
    for metric, free, whose in (
        (_HOST, free_mib, ""),
        (_GPU, known[-1] if known else None, " of the GPU's memory"),
    ):
        need_mib = predict_mib(config, measured, metric)
        if need_mib is not None and free is not None and need_mib > free:
            return f"it needs about {need_mib:.0f} MiB{whose} and {free:.0f} are free"
    return None


def predict_mib(
    config: Config, measured: Mapping[Config, Measurement], metric: str = _HOST
) -> float | None:
    """Return the memory that *config* is likely to need, in MiB; None when nothing resembles it.

    Weights and runtime cost the same for every batch, activations grow with it and with the
    streams: a line over the samples that one worker has under way, times the workers. Only the same
    provider and precision count.
    """
    by_samples: dict[int, float] = {}
    for known, measurement in measured.items():
        alike = (known.provider, known.precision) == (config.provider, config.precision)
        taken_mib = measurement.extra.get(metric, getattr(measurement, metric, None))
        if alike and taken_mib is not None:
            one_mib = taken_mib / known.workers
            samples = _under_way(known)
            by_samples[samples] = max(one_mib, by_samples.get(samples, 0.0))
    if not by_samples:
        return None
    counts, needs_mib = list(by_samples), list(by_samples.values())
    if len(by_samples) == 1:
        return needs_mib[0] * config.workers
    slope, intercept = np.polyfit(counts, needs_mib, 1)
    return max(float(intercept + slope * _under_way(config)), min(needs_mib)) * config.workers


def _under_way(config: Config) -> int:
    """Return how many samples one worker has under way at once."""
    return config.batch_size * config.streams
