"""A hill climb in the manner of Model Analyzer's quick search, to compare with."""

from __future__ import annotations

import numpy as np
from tables import Table

from autotuner.core import Failed, Outcome


class HillClimb:
    """Start at the smallest configuration, go to the best neighbour, start elsewhere when stuck.

    Within the constraints the objective counts, outside how far they are broken. It recommends the
    best that it saw keep them, and never measures twice.
    """

    def __init__(self, table: Table, seed: int) -> None:
        self._table = table
        self._rng = np.random.default_rng(seed)
        values = [d.values for d in table.space.dimensions]
        self._places = [
            tuple(v.index(c) for v, c in zip(values, config.values(), strict=True))
            for config in table.space.configs
        ]
        self._rows = {place: row for row, place in enumerate(self._places)}
        self._height: dict[int, float] = {}
        self._asked = self._centre = 0

    def ask(self) -> int:
        """Return an unmeasured neighbour of the centre, moving it uphill when all are measured."""
        while True:
            if self._centre not in self._height:
                self._asked = self._centre
                break
            around = self._neighbours(self._centre)
            unknown = [row for row in around if row not in self._height]
            if unknown:
                self._asked = int(self._rng.choice(unknown))
                break
            highest = max(around, key=self._height.__getitem__)
            if self._height[highest] > self._height[self._centre]:
                self._centre = highest
                continue
            left = [row for row in range(len(self._places)) if row not in self._height]
            self._centre = int(self._rng.choice(left)) if left else self._centre
            if not left:
                self._asked = self._centre
                break
        return self._asked

    def tell(self, outcome: Outcome) -> None:
        """Record what the row asked for showed."""
        self._height[self._asked] = self._score(outcome)

    def best(self) -> int | None:
        """Return the highest row, if it kept the constraints."""
        row = max(self._height, key=self._height.__getitem__)
        return row if self._height[row] >= 0.0 else None

    def _score(self, outcome: Outcome) -> float:
        if isinstance(outcome, Failed):
            return -np.inf
        objective = self._table.objective
        if not objective.feasible(outcome):
            return -sum(max(c.violation(outcome), 0.0) for c in objective.constraints)
        value = objective.value(outcome)
        return value if objective.direction == "maximize" else 1.0 / value

    def _neighbours(self, row: int) -> list[int]:
        place = self._places[row]
        steps = []
        for axis, dimension in enumerate(self._table.space.dimensions):
            here = place[axis]
            others = (here - 1, here + 1) if dimension.ordered else range(len(dimension.values))
            steps += [(*place[:axis], other, *place[axis + 1 :]) for other in others]
        return [self._rows[step] for step in steps if step in self._rows and step != place]
