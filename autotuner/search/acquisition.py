"""How much an unmeasured configuration promises."""

from __future__ import annotations

from autotuner.search.evidence import Evidence
from autotuner.search.gaussian_process import Array
from autotuner.search.normal import expected_improvement
from autotuner.search.surrogate import Belief

WORTHWHILE = 0.008
"""Less expected improvement than this share is worth less than certainty about the best."""
BELOW_NOISE = 0.0005
"""Less expected improvement than this share is not worth any trial."""


def improvement(belief: Belief, evidence: Evidence, *, doubt: float = 1.0) -> Array:
    """Return the expected improvement times the probability of keeping every constraint.

    It is in units of the gain, over the best measured configuration that is likely feasible, and
    zero for what was tried already. *doubt* is a factor on what the belief takes for its own error.
    """
    rows = evidence.rows
    likely = rows[belief.feasible[rows] >= 0.5]
    incumbent = belief.gain[likely].max() if len(likely) else belief.gain[rows].min()
    spread = doubt * belief.gain_sd
    promise: Array = expected_improvement(belief.gain, spread, float(incumbent)) * belief.feasible
    promise[list(evidence.seen)] = 0.0
    return promise
