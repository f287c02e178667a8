import numpy as np
import pytest

from autotuner.backends.simulated.behaviour import DEVIATES
from autotuner.bench.batch_stream import BatchStream
from autotuner.bench.record import BatchRecord

TICK_NS = 50_000_000
QUANTILES_MS = 10.0 * np.exp(0.05 * DEVIATES)


def run(seconds, *, quantiles_ms=QUANTILES_MS, correlation=0.0, workers=1, slowdown=1.0):
    """Return the record of *workers* workers after *seconds*."""
    record = BatchRecord(workers, 0)
    stream = BatchStream(
        quantiles_ms, correlation, workers=workers, began_ns=0, rng=np.random.default_rng(0)
    )
    for moment_ns in range(TICK_NS, int(seconds * 1e9) + 1, TICK_NS):
        for worker, batches in enumerate(stream.until(moment_ns, slowdown)):
            record.add(worker, batches)
    return record


def latencies(record):
    """Return all batch times of *record* in ms."""
    return record.between(0, 2**62).latencies_ms


def test_batches_follow_each_other_without_a_gap():
    """Each worker begins the next one when the last one ends, whatever the ticks."""
    seen = run(3, workers=2).between(0, 2**62)
    assert seen.latencies_ms[:-2].sum() == pytest.approx(seen.cycles_s[:-2].sum() * 1e3, rel=1e-3)
    assert seen.latencies_ms.sum() / 2 == pytest.approx(3000, rel=0.01)


def test_times_have_the_distribution_that_was_asked_for():
    """Median, spread and both ends."""
    seen = latencies(run(60))
    assert np.median(seen) == pytest.approx(10.0, rel=0.01)
    assert np.std(np.log(seen)) == pytest.approx(0.05, rel=0.05)
    assert seen.min() >= QUANTILES_MS[0] * 0.999
    assert seen.max() <= QUANTILES_MS[-1] * 1.001


def test_neighbours_are_alike_when_they_are_correlated():
    """About as much as was asked for within a tick, and not at all without."""
    fast = QUANTILES_MS / 20.0
    for asked, low, high in ((0.0, -0.05, 0.05), (0.5, 0.35, 0.6)):
        seen = latencies(run(20, quantiles_ms=fast, correlation=asked))
        centred = seen - seen.mean()
        lagged = centred[1:] @ centred[:-1] / (centred @ centred)
        assert low < lagged < high


def test_batches_longer_than_a_tick_end_in_a_later_one():
    """They count once, and whole."""
    seen = latencies(run(10, quantiles_ms=QUANTILES_MS * 30.0))
    assert np.median(seen) == pytest.approx(300.0, rel=0.03)
    assert len(seen) == pytest.approx(33, abs=2)


def test_a_slow_device_takes_as_many_times_as_long():
    """Whatever made it slow."""
    assert np.median(latencies(run(20, slowdown=2.0))) == pytest.approx(20.0, rel=0.02)
