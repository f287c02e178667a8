"""Which measured configuration to recommend, and which deserves another measurement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autotuner.search.evidence import Evidence
from autotuner.search.normal import cumulative
from autotuner.search.surrogate import Belief

SURE = 0.8
"""The probability of keeping every constraint that a recommendation needs."""
MORE_AFTER_ONE = 0.12
"""How much more it needs after one measurement; half of that after two, and so on."""
DOUBTFUL = 0.3
ENOUGH = 3
"""Measurements after which noise has had its say."""
MOST = 12
"""Measurements after which a configuration in doubt stays in doubt."""
NO_ANSWER = 0.05
"""How much worse it is to recommend nothing than the worst that was measured."""
NEGLIGIBLE_NOISE = 0.004


def recommended(belief: Belief, evidence: Evidence) -> NDArray[np.intp]:
    """Return the measured rows that may be recommended, best first.

    What was never seen undisturbed is recommended only on a box where nothing ever was.
    """
    rows, disturbed = evidence.rows, evidence.disturbed
    noisy = belief.noise >= NEGLIGIBLE_NOISE
    needed = SURE + (MORE_AFTER_ONE / evidence.counts if noisy else 0.0)
    trusted = ~disturbed | disturbed.all()
    sure = rows[trusted & (belief.feasible[rows] >= needed)]
    ranked: NDArray[np.intp] = sure[np.argsort(-belief.gain[sure], kind="stable")]
    return ranked


def promising(belief: Belief, evidence: Evidence) -> NDArray[np.intp]:
    """Return the measured rows worth proving, best first.

    What can be recommended comes first; margin to the constraints counts, for it is proven sooner.
    """
    rows = evidence.rows
    spread = np.hypot(belief.excess_sd[:, rows], belief.noise)
    proven = np.prod(cumulative(-belief.excess[:, rows] / spread), axis=0) * belief.runs[rows]
    likely = belief.feasible[rows] >= DOUBTFUL
    rows, proven = rows[likely], proven[likely]
    sure = np.isin(rows, recommended(belief, evidence))
    value = belief.gain[rows] + np.log(np.maximum(proven, 1e-12))
    ranked: NDArray[np.intp] = rows[np.lexsort((-value, ~sure))]
    return ranked


def worth_repeating(belief: Belief, evidence: Evidence) -> tuple[int, float] | None:
    """Return the measured row that one more measurement helps most, and by how much it may help.

    That is one that looks better than the recommendation but is not sure enough yet, or the
    recommendation itself until it was measured often enough. The help is in units of the gain.
    """
    best = recommended(belief, evidence)
    known = belief.gain[best[0]] if len(best) else belief.gain[evidence.rows].min() - NO_ANSWER
    helps = [
        (float(belief.feasible[row] * (belief.gain[row] - known) / count), int(row))
        for row, count in zip(evidence.rows, evidence.counts, strict=True)
        if row not in evidence.running
        and belief.gain[row] > known
        and belief.feasible[row] >= DOUBTFUL
        and count < MOST
    ]
    if helps:
        help_, row = max(helps)
        return row, help_
    noisy = belief.noise >= NEGLIGIBLE_NOISE
    if noisy and len(best) and len(evidence.measured[int(best[0])]) < ENOUGH:
        return int(best[0]), 0.0
    return None
