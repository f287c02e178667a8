from __future__ import annotations

import pytest

from autotuner.core.accuracy import Accuracy, OutputAccuracy
from autotuner.core.encoding import decode, encode


def accuracy(score=1.0, fault=None, **fields):
    """Return a verdict with one output."""
    output = OutputAccuracy(name="y", score=score, snr_db=20.0, fault=fault)
    fields.setdefault("judged_by", "signal to noise")
    return Accuracy(score=score, judged_on="data", samples=8, outputs=(output,), **fields)


@pytest.mark.parametrize(("score", "passed"), [(0.99, True), (0.98999, False), (1.02, True)])
def test_the_bound_itself_passes(score, passed):
    """By default a variant keeps at least 0.99 of FP32's accuracy."""
    assert accuracy(score).passed() is passed
    assert accuracy(score).passed(0.5)


def test_a_broken_output_never_passes():
    """Whatever the score says, NaN is not let through."""
    broken = accuracy(fault="holds NaN")
    assert not broken.passed(0.0)
    assert broken.faults == ("y holds NaN",)
    assert str(broken) == "y holds NaN (on 8 samples of data)"


def test_the_words_hold_the_figures():
    """One line says the score, by what and on what it was judged."""
    text = str(accuracy(0.995, judged_by="labels", top1=0.955, reference_top1=0.96))
    assert text == (
        "0.9950 of FP32 by labels, top-1 0.9550, FP32's 0.9600, signal to noise 20.0 dB, "
        "on 8 data samples"
    )


def test_a_verdict_survives_encoding():
    """Profiles and variants keep it as plain data."""
    verdict = accuracy(0.5, fault="has shape (1,) where FP32's is (2,)")
    assert decode(Accuracy, encode(verdict)) == verdict
