"""Judge the outputs of a variant beside those of FP32. Pure.

Without labels every output is scored by what it is:

- *Class scores* by the share of answers with the same best class (top-1 agreement). Class scores
  are an output [N, C], or one whose last axis or axis 1 sums to 1, with enough answers, enough
  distinct best classes, no class that takes nearly all of them, and a clear margin between best and
  second best. An embedding has no margin, and a network with random weights often knows one class
  only; both are judged as numbers. Answers that FP32 itself leaves open do not count, nor pixels
  where both see the most common class, the background. Sequences, such as texts, are compared as
  they are read: repeats merged and the most common class, the blank, left out.
- *Numbers* by ``1 - noise / (2 signal)``, in powers: the cosine similarity where both have the same
  length, which falls with an error in scale as well. 0.99 is a signal-to-noise ratio of 17 dB.
  Where the channels of an output (axis 1 or the last) fall into two groups of very different
  magnitude, as the boxes and class scores of a detector do, each group is judged for itself.
- *Integers, booleans and text* by the share of equal elements.

The score of the whole is that of the worst output. With labels it is the ratio of the two top-1
accuracies, with a function of the user's what that returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotuner.core.accuracy import Accuracy, JudgedOn, OutputAccuracy
from autotuner.core.errors import ModelError
from autotuner.model.classes import Classes
from autotuner.model.metric import Metric
from autotuner.model.similarity import Similarity

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = Sequence[Array]


def judge(
    reference: Iterable[Outputs],
    candidate: Iterable[Outputs],
    *,
    output_names: Sequence[str],
    judged_on: JudgedOn,
    samples: int,
    labels: Array | None = None,
    metric: Metric | None = None,
) -> Accuracy:
    """Return how close *candidate* comes to *reference*, both the outputs of each run in turn.

    *samples* is the number of different samples in all runs; *labels* holds the true class of each,
    in the same order; a *metric* decides the score where there is one. Raises ModelError when the
    labels fit no output, InputError when the metric fails.
    """
    if metric is not None:
        reference, candidate = list(reference), list(candidate)
    judges = [_Output(name) for name in output_names]
    for expected, got in zip(reference, candidate, strict=True):
        for one, left, right in zip(judges, expected, got, strict=True):
            one.add(_array(left), _array(right))
    outputs = tuple(one.verdict() for one in judges)
    worst = min(outputs, key=lambda output: output.score)
    accuracy = Accuracy(
        score=worst.score,
        judged_by=_measure_of(worst),
        judged_on=judged_on,
        samples=samples,
        outputs=outputs,
    )
    if labels is not None:
        reference_top1, top1 = _by_labels(judges, labels)
        accuracy = replace(
            accuracy,
            score=top1 / reference_top1,
            judged_by="labels",
            top1=top1,
            reference_top1=reference_top1,
        )
    if metric is not None:
        score = metric(_named(reference, output_names), _named(candidate, output_names))
        accuracy = replace(accuracy, score=score, judged_by=metric.name)
    return accuracy


def _named(runs: Iterable[Outputs], names: Sequence[str]) -> list[dict[str, Array]]:
    return [dict(zip(names, outputs, strict=True)) for outputs in runs]


class _Output:
    """Gathers what both sides said at one output, run by run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._fault: str | None = None
        self._equal: list[float] = []
        self._similarity = Similarity()
        self.classes = Classes()

    def add(self, reference: Array, candidate: Array) -> None:
        """Take in one run."""
        if reference.shape != candidate.shape:
            self._fault = f"has shape {candidate.shape} where FP32's is {reference.shape}"
        elif reference.dtype.kind in "biuOSU":
            same = np.asarray(reference == candidate.astype(reference.dtype))
            self._equal.append(float(same.mean()) if same.size else 1.0)
        else:
            self._add_floats(_floats(reference), _floats(candidate))

    def _add_floats(self, reference: Array, candidate: Array) -> None:
        known = np.isfinite(reference)
        if not np.isfinite(candidate[known]).all():
            self._fault = "holds NaN or infinity where FP32's does not"
        elif not known.any() and known.size:
            self._fault = "is NaN or infinite throughout, in FP32 too"
        else:
            # What FP32 leaves undefined, such as the logarithm of a negative, says nothing.
            reference = np.where(known, reference, 0)
            candidate = np.where(known, candidate, 0)
            is_classes = self.classes.add(reference, candidate)
            rank = reference.ndim
            channel_axes = () if is_classes or rank < 3 else tuple({1, rank - 1})
            self._similarity.add(reference, candidate, channel_axes)

    def verdict(self) -> OutputAccuracy:
        """Return the figures of all runs."""
        if self._fault:
            return OutputAccuracy(name=self._name, score=0.0, fault=self._fault)
        if self._equal:
            share = float(np.mean(self._equal))
            return OutputAccuracy(name=self._name, score=share, equal=share)
        decided = self.classes.decided()
        return OutputAccuracy(
            name=self._name,
            score=self.classes.agreement() if decided else self._similarity.score(),
            cosine=self._similarity.cosine(),
            snr_db=self._similarity.snr_db(),
            top1=self.classes.agreement() if decided else None,
            top5=self.classes.top5() if decided else None,
        )


def _array(output: Any) -> Array:
    """Return *output* as one array; a sequence of tensors of any shapes becomes a flat one."""
    if isinstance(output, list) and output and all(isinstance(item, np.ndarray) for item in output):
        return np.concatenate([item.ravel() for item in output])
    return np.asarray(output)


def _floats(array: Array) -> Array:
    # Narrow floats and complex numbers too have a double that loses nothing.
    if array.dtype.kind == "c":
        return np.stack([array.real, array.imag], axis=-1).astype(np.float64)
    return array.astype(np.float64)


def _measure_of(output: OutputAccuracy) -> str:
    if output.top1 is not None:
        return "top-1 agreement"
    return "equal elements" if output.equal is not None else "signal to noise"


def _by_labels(judges: Sequence[_Output], labels: Array) -> tuple[float, float]:
    """Return the top-1 accuracies of reference and candidate at the first output that has one."""
    for one in judges:
        if not one.classes.one_per_sample:
            continue
        reference, candidate = one.classes.best()
        if len(reference) < len(labels):
            raise ModelError(
                f"There are {len(labels)} labels for {len(reference)} answers; "
                "give one label for each sample."
            )
        # The last batch of a model with a fixed batch repeats the first samples.
        reference, candidate = reference[: len(labels)], candidate[: len(labels)]
        reference_top1 = float((reference == labels).mean())
        if reference_top1 == 0:
            raise ModelError(
                "No answer of the model fits its label; check that the labels have the order of "
                "the samples and count classes as the model does, from 0."
            )
        return reference_top1, float((candidate == labels).mean())
    raise ModelError(
        "Labels need an output with one score per class, shaped samples x classes, and this model "
        "has none; judge it with a function of your own."
    )
