from __future__ import annotations

from autotuner.characterize.doubts import doubtful
from autotuner.core.config import Config
from autotuner.core.outcome import Measurement


def at(batch_size, workers=1):
    """Return a configuration."""
    return Config(batch_size=batch_size, workers=workers)


def rate(ips, margin=0.1):
    """Return a measurement of this throughput, known to *margin* either way."""
    interval = (ips - margin, ips + margin)
    return Measurement(throughput_ips=ips, intervals={"throughput_ips": interval})


def test_what_falls_behind_the_next_smaller_batch_is_in_doubt():
    """Along each line by itself, in the order of the batch sizes."""
    measured = {at(4): rate(12.0), at(1): rate(10.0), at(2): rate(8.0), at(4, 2): rate(5.0)}
    assert doubtful(measured) == (at(2),)


def test_a_small_or_unsure_fall_is_none():
    """It is not worth another window."""
    measured = {at(1): rate(10.0), at(2): rate(9.7), at(3): rate(8.0, margin=2.0)}
    assert doubtful(measured) == ()
