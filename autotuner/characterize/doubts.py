"""Which measurements of a sweep look like a step, or like a chance. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from autotuner.core.config import BASELINE, Config
from autotuner.core.outcome import Measurement
from autotuner.report.words import surely_faster

_FALL = 0.05


def doubtful(measured: Mapping[Config, Measurement]) -> tuple[Config, ...]:
    """Return what is surely slower than the same with the next smaller batch.

    One window cannot tell whether the batch or the moment was to blame.
    """
    lines: dict[Config, list[Config]] = {}
    for config in sorted(measured, key=lambda config: config.batch_size):
        lines.setdefault(replace(config, batch_size=BASELINE.batch_size), []).append(config)
    return tuple(
        larger
        for line in lines.values()
        for smaller, larger in pairwise(line)
        if surely_faster(measured[smaller], measured[larger], _FALL)
    )
