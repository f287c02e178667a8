"""Which measured configuration to recommend, and which deserves another measurement."""

from __future__ import annotations

import numpy as np

from autotuner.search.evidence import Evidence
from autotuner.search.surrogate import Belief

SURE = {1: 0.98, 2: 0.95}
"""The probability of keeping every constraint that a recommendation needs, by measurements."""
SURE_AFTER_MORE = 0.9
DOUBTFUL = 0.3
ENOUGH = 3
"""Measurements after which noise has had its say."""
NEGLIGIBLE_NOISE = 0.004


def recommended(belief: Belief, evidence: Evidence) -> np.ndarray:
    """Return the measured rows that may be recommended, best first."""
    rows = evidence.rows
    counts = evidence.counts
    needed = np.asarray([SURE.get(int(n), SURE_AFTER_MORE) for n in counts])
    if belief.noise < NEGLIGIBLE_NOISE:
        needed[:] = SURE_AFTER_MORE
    sure = rows[belief.feasible[rows] >= needed]
    return sure[np.argsort(-belief.gain[sure], kind="stable")]


def worth_repeating(belief: Belief, evidence: Evidence) -> tuple[int, float] | None:
    """Return the measured row that one more measurement helps most, and by how much it may help.

    That is one that looks better than the recommendation but is not sure enough yet. The help is
    in the units of the gain.
    """
    rows = evidence.rows
    rows = rows[~np.isin(rows, list(evidence.running))]
    counts = {int(row): int(n) for row, n in zip(evidence.rows, evidence.counts, strict=True)}
    best = recommended(belief, evidence)
    known = belief.gain[best[0]] if len(best) else np.min(belief.gain[evidence.rows]) - 0.05
    helps = [
        (float(belief.feasible[row] * (belief.gain[row] - known) / counts[int(row)]), int(row))
        for row in rows
        if belief.feasible[row] >= DOUBTFUL and counts[int(row)] < 2 * ENOUGH
    ]
    if not helps:
        return None
    help_, row = max(helps)
    if len(best) and row == best[0] and counts[row] < ENOUGH and belief.noise >= NEGLIGIBLE_NOISE:
        return row, 0.0
    return (row, help_) if help_ > 0.0 else None
