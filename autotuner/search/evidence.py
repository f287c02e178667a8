"""All that a study has shown so far, by configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from autotuner.core import Failed, Measurement, Outcome
from autotuner.search.gaussian_process import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Outcomes by the configuration's row in the space's grid, and the rows that run now."""

    measured: Mapping[int, tuple[Measurement, ...]] = field(default_factory=dict)
    failed: Mapping[int, Failed] = field(default_factory=dict)
    running: frozenset[int] = frozenset()

    @classmethod
    def gathered(
        cls, outcomes: Iterable[tuple[int, Outcome]], running: Iterable[int] = ()
    ) -> Evidence:
        """Return the evidence of *outcomes* by row.

        A row that failed once counts as failed. A measurement that something else disturbed counts
        only for a row that has no other.
        """
        measured: dict[int, list[Measurement]] = {}
        failed: dict[int, Failed] = {}
        for row, outcome in outcomes:
            if isinstance(outcome, Failed):
                failed[row] = outcome
            else:
                measured.setdefault(row, []).append(outcome)
        return cls(
            measured={row: _calm(m) for row, m in measured.items() if row not in failed},
            failed=failed,
            running=frozenset(running),
        )

    @property
    def rows(self) -> NDArray[np.intp]:
        """The measured rows, in the order in which they were first measured."""
        return np.fromiter(self.measured, dtype=np.intp)

    @property
    def counts(self) -> Array:
        """How often each of the measured rows was measured."""
        return np.asarray([len(several) for several in self.measured.values()], dtype=float)

    @property
    def disturbed(self) -> NDArray[np.bool_]:
        """Which of the measured rows nobody saw undisturbed."""
        return np.asarray([several[0].disturbed is not None for several in self.measured.values()])

    @property
    def seen(self) -> frozenset[int]:
        """The rows that were measured, failed or run now."""
        return frozenset(self.measured) | frozenset(self.failed) | self.running

    def values(self, metric: str) -> list[Array]:
        """Return the values of *metric*, by measured row."""
        return [
            np.asarray([m.metric(metric) for m in several]) for several in self.measured.values()
        ]

    def is_positive(self, metric: str) -> bool:
        """Say whether every measurement has *metric*, and above zero."""
        return all(
            (m.extra.get(metric) or getattr(m, metric, None) or 0.0) > 0.0
            for several in self.measured.values()
            for m in several
        )


def _calm(several: list[Measurement]) -> tuple[Measurement, ...]:
    undisturbed = tuple(m for m in several if m.disturbed is None)
    return undisturbed or tuple(several)
