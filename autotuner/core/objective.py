"""What is wanted: a metric to maximise or minimise, within constraints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autotuner.core.errors import SpaceError
from autotuner.core.outcome import Measurement, Outcome

_LATENCY_PERCENTILE = re.compile(r"p([0-9.]+)_ms")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on one metric: exactly one of *at_most* and *at_least*, in the metric's unit."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise SpaceError(
                f"The constraint on {self.metric!r} needs either at_most or at_least, not both."
            )

    @property
    def bound(self) -> float:
        """The value that must not be passed, in the metric's unit."""
        bound = self.at_least if self.at_most is None else self.at_most
        assert bound is not None
        return bound

    def violation(self, measurement: Measurement) -> float:
        """Return by how much the bound is broken, in the metric's unit; at most 0 when kept."""
        value = measurement.metric(self.metric)
        return self.bound - value if self.at_most is None else value - self.bound

    def kept(self, measurement: Measurement) -> bool:
        """Say whether *measurement* keeps the bound."""
        return self.violation(measurement) <= 0.0

    def __str__(self) -> str:
        return f"{self.metric} {'>=' if self.at_most is None else '<='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric to optimise, its direction, and the constraints that must hold."""

    metric: str
    direction: Literal["maximize", "minimize"]
    constraints: tuple[Constraint, ...] = ()

    @classmethod
    def maximize(cls, metric: str, constraints: Iterable[Constraint] = ()) -> Objective:
        """Want *metric* as high as the constraints allow."""
        return cls(metric, "maximize", tuple(constraints))

    @classmethod
    def minimize(cls, metric: str, constraints: Iterable[Constraint] = ()) -> Objective:
        """Want *metric* as low as the constraints allow."""
        return cls(metric, "minimize", tuple(constraints))

    @property
    def latency_bound(self) -> tuple[float, float] | None:
        """The percentile that a constraint bounds, and its bound in ms; None without one."""
        for constraint in self.constraints:
            percentile = _percentile(constraint.metric)
            if percentile is not None and constraint.at_most is not None:
                return percentile, constraint.at_most
        return None

    @property
    def percentile(self) -> float:
        """The percentile that a constraint or the metric names, 99 when none does."""
        names = (*(constraint.metric for constraint in self.constraints), self.metric)
        return next((q for q in map(_percentile, names) if q is not None), 99.0)

    def value(self, measurement: Measurement) -> float:
        """Return the metric that is optimised."""
        return measurement.metric(self.metric)

    def feasible(self, outcome: Outcome) -> bool:
        """Say whether *outcome* was measured and keeps every constraint."""
        return isinstance(outcome, Measurement) and all(c.kept(outcome) for c in self.constraints)

    def better(self, left: Measurement, right: Measurement) -> bool:
        """Say whether *left* has the better value, whatever the constraints."""
        if self.direction == "maximize":
            return self.value(left) > self.value(right)
        return self.value(left) < self.value(right)

    def __str__(self) -> str:
        bounds = " and ".join(str(c) for c in self.constraints)
        return f"{self.direction} {self.metric}" + (f" with {bounds}" if bounds else "")


def _percentile(metric: str) -> float | None:
    found = _LATENCY_PERCENTILE.fullmatch(metric)
    return float(found[1]) if found else None
