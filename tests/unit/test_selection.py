from __future__ import annotations

import pytest

from autotuner.core.outcome import Measurement
from autotuner.core.selection import Option, choose, front


def option(model, accuracy, ips, status="ok"):
    """Return a tuned model."""
    measured = Measurement(throughput_ips=ips)
    return Option(model=model, status=status, accuracy=accuracy, measurement=measured)


SMALL, MIDDLE, LARGE = option("s", 0.6, 900), option("m", 0.7, 400), option("l", 0.8, 90)


def test_the_most_accurate_proven_model_is_chosen():
    """However much faster another one is."""
    assert choose([SMALL, LARGE, MIDDLE]) is LARGE


@pytest.mark.parametrize("status", ["infeasible", "interrupted", "failed"])
def test_what_was_not_proven_is_not_chosen(status):
    """The next best takes its place."""
    assert choose([SMALL, option("l", 0.8, 90, status), MIDDLE]) is MIDDLE


def test_of_equally_accurate_models_the_fastest_is_chosen():
    """It leaves room."""
    twin = option("t", 0.7, 500)
    assert choose([MIDDLE, twin]) is twin


def test_without_accuracies_there_is_no_answer():
    """Speed does not tell which model is right more often."""
    assert choose([option("s", None, 900)]) is None
    assert front([option("s", None, 900)]) == ()


def test_the_front_leaves_out_what_another_beats_in_both():
    """The fastest first."""
    slow_and_wrong, refuted = option("w", 0.65, 300), option("x", 0.9, 9999, "infeasible")
    assert front([LARGE, slow_and_wrong, MIDDLE, refuted, SMALL]) == (SMALL, MIDDLE, LARGE)
