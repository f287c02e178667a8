"""The standard normal distribution, on arrays."""

from __future__ import annotations

import numpy as np

from autotuner.search.gaussian_process import Array


def density(z: Array) -> Array:
    """Return the density at *z*."""
    value: Array = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    return value


def cumulative(z: Array) -> Array:
    """Return the probability of at most *z*, to 1e-7 (Abramowitz and Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * np.abs(z))
    tail = t * (
        0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    upper = density(z) * tail
    return np.where(z >= 0.0, 1.0 - upper, upper)


def expected_improvement(mean: Array, sd: Array, incumbent: float) -> Array:
    """Return the mean of a normal variable's excess over *incumbent*, 0 where there is none."""
    z = (mean - incumbent) / sd
    return (mean - incumbent) * cumulative(z) + sd * density(z)
