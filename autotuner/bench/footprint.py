"""How much memory a configuration will need, from those that were measured. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autotuner.core.config import Config
from autotuner.core.outcome import Measurement


def predict_mib(config: Config, measured: Mapping[Config, Measurement]) -> float | None:
    """Return the memory that *config* is likely to need, in MiB; None when nothing resembles it.

    Weights and runtime cost the same for every batch, activations grow with it: a line over the
    batch size for one worker, times the workers. Only the same provider and precision count.
    """
    by_batch: dict[int, float] = {}
    for known, measurement in measured.items():
        alike = (known.provider, known.precision) == (config.provider, config.precision)
        if alike and measurement.memory_mib is not None:
            one_mib = measurement.memory_mib / known.workers
            by_batch[known.batch_size] = max(one_mib, by_batch.get(known.batch_size, 0.0))
    if not by_batch:
        return None
    batches, needs_mib = list(by_batch), list(by_batch.values())
    if len(by_batch) == 1:
        return needs_mib[0] * config.workers
    slope, intercept = np.polyfit(batches, needs_mib, 1)
    return max(float(intercept + slope * config.batch_size), min(needs_mib)) * config.workers
