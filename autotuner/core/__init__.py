"""Values and pure rules: no files, no clock, nothing but the standard library."""

from autotuner.core.errors import AutotunerError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.space import Dimension, SearchSpace, Value

__all__ = [
    "AutotunerError",
    "Constraint",
    "Dimension",
    "Failed",
    "Measurement",
    "Objective",
    "Outcome",
    "SearchSpace",
    "Value",
]
