from __future__ import annotations

import pytest

from autotuner.bench.footprint import predict_mib
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement


def measured(**by_batch_and_workers):
    """Return measurements of 100 MiB and 10 MiB for each sample, for every worker."""
    return {
        Config(batch_size=batch, workers=workers): Measurement(
            memory_mib=workers * (100.0 + 10.0 * batch)
        )
        for batch, workers in by_batch_and_workers.values()
    }


def test_it_is_a_line_over_the_batch_for_every_worker():
    """Two batch sizes are enough to know a third, and more workers need more."""
    known = measured(a=(1, 1), b=(4, 2))
    assert predict_mib(Config(batch_size=64), known) == pytest.approx(740.0)
    assert predict_mib(Config(batch_size=64, workers=3), known) == pytest.approx(2220.0)


def test_one_batch_size_tells_at_least_the_workers():
    """Without a second one, growth with the batch is not made up."""
    assert predict_mib(Config(batch_size=8, workers=4), measured(a=(1, 1))) == pytest.approx(440.0)


def test_another_runtime_tells_nothing():
    """Memory of one provider or precision is not that of another."""
    assert predict_mib(Config(precision="int8"), measured(a=(1, 1))) is None
    assert predict_mib(Config(), {Config(): Measurement(p99_ms=1.0)}) is None


def test_it_never_falls_below_what_the_smallest_batch_needs():
    """A falling line is noise."""
    known = {
        Config(batch_size=1): Measurement(memory_mib=120.0),
        Config(batch_size=8): Measurement(memory_mib=100.0),
    }
    assert predict_mib(Config(batch_size=64), known) == pytest.approx(100.0)
