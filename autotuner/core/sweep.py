"""What a sweep over whole grids of configurations found, on one box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotuner.core.config import Config
from autotuner.core.outcome import Failed, Measurement, Outcome

SCHEMA = 1

Protocol = Literal["steady", "embench"]
"""How each configuration is measured: over a steady window, or by EmBench's rule."""

ACCURACY_KEPT = "accuracy_kept"
"""The metric for the share of FP32's accuracy that a provider was found to keep in a precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One configuration of one model and what it showed."""

    model: str
    config: Config
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """How large a model is; *flops* are those of one sample, a multiply-add counted once.

    *accuracy* is what a table says of the model, None without one.
    """

    model: str
    parameters: int
    flops: int
    accuracy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything that was measured on one *box*; *simulated* when the box is not there."""

    schema: int = SCHEMA
    tool_version: str
    created: str
    box: str
    protocol: Protocol = "steady"
    simulated: bool = False
    models: tuple[ModelSize, ...]
    points: tuple[Point, ...]

    def measured(self, model: str) -> tuple[tuple[Config, Measurement], ...]:
        """Return what was measured of *model*, failures left out."""
        return tuple(
            (point.config, point.outcome)
            for point in self.points
            if point.model == model and isinstance(point.outcome, Measurement)
        )

    def failed(self) -> tuple[Point, ...]:
        """Return the points that could not be measured."""
        return tuple(point for point in self.points if isinstance(point.outcome, Failed))
