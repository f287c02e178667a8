"""Best classes of an output of class scores, beside those of FP32. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["one answer per sample", "a sequence", "many answers"]

_LEAST_ANSWERS = 100
"""Fewer say nothing about one per cent."""
_LEAST_DISTINCT = 3
_LARGEST_SHARE = 0.9
"""A class that takes more of the answers may be all that the network knows."""
_LEAST_MARGIN = 0.2
"""Best over second best, as a share of best over mean; 0.1 is usual for mere noise."""
_OPEN_MARGIN = 0.1
"""Below it FP32 itself leaves open which class is best, and any noise turns the answer over."""


class Classes:
    """Gathers the best classes of reference and candidate, run by run."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._classes = 0
        self._runs: list[tuple[Array, Array]] = []
        self._margins: list[Array] = []
        self._among_five: list[Array] = []

    @property
    def one_per_sample(self) -> bool:
        """Whether every sample has one answer, so that labels can be laid beside them."""
        return self._kind == "one answer per sample"

    def add(self, reference: Array, candidate: Array) -> bool:
        """Take in one run of an output; say whether it holds class scores, else pass it over."""
        axis = _class_axis(reference)
        if axis is None:
            return False
        self._classes = reference.shape[axis]
        self._kind = _kind(reference, axis)
        rows = (len(reference), -1, self._classes)  # samples, answers of each, classes
        left = np.moveaxis(reference, axis, -1).reshape(rows)
        right = np.moveaxis(candidate, axis, -1).reshape(rows)
        best = left.argmax(-1)
        self._runs.append((best, right.argmax(-1)))
        second, first = np.moveaxis(np.partition(left, -2, axis=-1)[..., -2:], -1, 0)
        above_mean = first - left.mean(-1)
        margins = (first - second) / np.where(above_mean > 0, above_mean, 1)
        self._margins.append(margins.ravel())
        rank = (right > np.take_along_axis(right, best[..., None], -1)).sum(-1)
        self._among_five.append((rank < 5).ravel())
        return True

    def best(self) -> tuple[Array, Array]:
        """Return the best class of every answer, of reference and candidate."""
        reference, candidate = zip(*self._runs, strict=True)
        return _flat(reference), _flat(candidate)

    def decided(self) -> bool:
        """Say whether the best class is what the output is about, by the reference alone."""
        if not self._runs:
            return False
        reference, _ = self.best()
        _, counts = np.unique(reference, return_counts=True)
        return (
            self._answers() >= _LEAST_ANSWERS
            and len(counts) >= min(_LEAST_DISTINCT, self._classes)
            and counts.max() <= _LARGEST_SHARE * len(reference)
            and float(np.median(np.concatenate(self._margins))) >= _LEAST_MARGIN
        )

    def agreement(self) -> float:
        """Return the share of answers that are the same, of those that count."""
        if self._kind == "a sequence":
            same, longest = np.sum([_common(*texts) for texts in self._texts()], axis=0)
            return float(same / max(longest, 1))
        reference, candidate = self.best()
        return float((reference == candidate)[self._counted()].mean())

    def top5(self) -> float | None:
        """Return the share of answers with the reference's best class among the best five."""
        return float(np.concatenate(self._among_five).mean()) if self._classes >= 10 else None

    def _answers(self) -> int:
        if self._kind == "a sequence":
            return sum(len(text) for text, _ in self._texts())
        return int(self._counted().sum())

    def _counted(self) -> Array:
        """Return which answers count: neither left open by the reference nor background."""
        counted = np.concatenate(self._margins) >= _OPEN_MARGIN
        if not self.one_per_sample:
            reference, candidate = self.best()
            background = self._background()
            counted &= (reference != background) | (candidate != background)
        return counted

    def _background(self) -> int:
        return int(np.bincount(self.best()[0]).argmax())

    def _texts(self) -> list[tuple[list[int], list[int]]]:
        """Return every sequence as reference and candidate read it.

        Repeats merged and the most common class left out, as greedy decoding does for networks
        trained by connectionist temporal classification (Graves et al., 2006).
        """
        blank = self._background()

        def read(sequence: Array) -> list[int]:
            return [int(label) for label, _ in groupby(sequence) if label != blank]

        return [
            (read(left), read(right))
            for reference, candidate in self._runs
            for left, right in zip(reference, candidate, strict=True)
        ]


def _common(reference: list[int], candidate: list[int]) -> tuple[int, int]:
    """Return how many labels both have in the same order, and how many the longer one has.

    The longest common subsequence, row by row (Wagner and Fischer, 1974).
    """
    above = [0] * (len(candidate) + 1)
    for label in reference:
        row = [0]
        for position, other in enumerate(candidate):
            same = above[position] + 1 if label == other else 0
            row.append(max(same, above[position + 1], row[position]))
        above = row
    return above[-1], max(len(reference), len(candidate))


def _flat(runs: tuple[Array, ...]) -> Array:
    return np.concatenate([run.ravel() for run in runs])


def _kind(scores: Array, axis: int) -> Kind:
    if scores.size == len(scores) * scores.shape[axis]:
        return "one answer per sample"
    return "a sequence" if scores.ndim == 3 and axis == 2 else "many answers"


def _class_axis(scores: Array) -> int | None:
    """Return the axis that counts classes, None when *scores* are no class scores."""
    axes = [axis for axis in range(1, scores.ndim) if scores.shape[axis] > 1]
    if scores.ndim < 2 or not axes or not scores.size:
        return None
    if len(axes) == 1 and axes[0] in {1, scores.ndim - 1}:
        return axes[0]
    for axis in (scores.ndim - 1, 1):
        if scores.shape[axis] > 1 and _sums_to_one(scores, axis):
            return axis
    return None


def _sums_to_one(scores: Array, axis: int) -> bool:
    return bool(scores.min() >= 0 and np.allclose(scores.sum(axis), 1, atol=1e-2))
