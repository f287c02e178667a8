"""How a device that is not there runs one configuration: the values that a virtual bench needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autotuner.core.config import Config
from autotuner.core.outcome import Failed

Quantiles = NDArray[np.float64]
"""Batch times in ms at :data:`LEVELS`."""

LEVELS = (0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9)
"""The quantiles, in per cent, by which batch times are told."""

DEVIATES = np.array([NormalDist().inv_cdf(level / 100.0) for level in LEVELS])
"""The same levels of the standard normal distribution: what is normal is turned into times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """What one supply rail carries in W: without work, and with every worker busy."""

    idle_w: float
    busy_w: float

    def at(self, share: float) -> float:
        """Return the power when workers are busy for *share* of the time."""
        return self.idle_w + share * (self.busy_w - self.idle_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """How warm a device gets, as a body of one heat capacity, and what it does against it.

    It warms towards *ambient_c* + *kelvin_per_w* times its power with the time constant *tau_s*.
    From *throttle_c* on it lowers its clocks, to *floor* of the nominal ones at most.
    """

    ambient_c: float = 25.0
    kelvin_per_w: float
    tau_s: float
    throttle_c: float
    floor: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How a device runs one configuration.

    *quantiles_ms* tells the times of a batch of the given size with every worker busy, noise
    included; *correlation* is that of neighbouring batches. *rails* are those of the device; none
    where it measures no power.
    """

    load_s: float
    first_inference_s: float
    quantiles_ms: Callable[[int], Quantiles]
    correlation: float = 0.0
    memory_mib: float | None = None
    clock_mhz: float | None = None
    rails: Mapping[str, Rail] = field(default_factory=dict)

    def power_w(self, share: float) -> float | None:
        """Return the power of the device when workers are busy for *share* of the time."""
        return sum(rail.at(share) for rail in self.rails.values()) if self.rails else None


class Device(Protocol):
    """A device that is not there: a model of one, or the recording of one."""

    @property
    def name(self) -> str:
        """What it is called, such as ``jetson-tx2``."""

    @property
    def memory_mib(self) -> float:
        """How much memory workers may take together."""

    @property
    def heat(self) -> Heat | None:
        """How it gets warm, None when that is not known."""

    def behaviour(self, config: Config) -> Behaviour | Failed:
        """Return how it runs *config*, or why it cannot."""
