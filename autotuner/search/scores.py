"""What a study is told of an outcome: one value and how far each constraint is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotuner.core import Failed, Objective, Outcome

RAN = "ran"
"""The constraint that only a failed trial breaks."""

_NO_SPEED = 0.0
_ENDLESS = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The objective's value, and each constraint's violation by its name (at most 0 when kept)."""

    value: float
    violations: Mapping[str, float]


def scored(objective: Objective, outcome: Outcome, known_values: Sequence[float]) -> Score:
    """Return the score of *outcome*; a failure is as bad as the worst of *known_values*.

    A failure breaks every constraint, for samplers learn nothing from a trial without a value and
    take one without constraints for feasible. Raises SpaceError for a metric that is missing.
    """
    if isinstance(outcome, Failed):
        broken = {str(c): abs(_bound(c.at_most, c.at_least)) or 1.0 for c in objective.constraints}
        if objective.direction == "maximize":
            worst = min(known_values, default=_NO_SPEED)
        else:
            worst = max(known_values, default=_ENDLESS)
        return Score(value=worst, violations={**broken, RAN: 1.0})
    kept = {str(c): c.violation(outcome) for c in objective.constraints}
    return Score(value=objective.value(outcome), violations={**kept, RAN: -1.0})


def _bound(at_most: float | None, at_least: float | None) -> float:
    bound = at_most if at_most is not None else at_least
    assert bound is not None
    return bound
