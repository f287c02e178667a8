from __future__ import annotations

import pytest

from autotuner.core import Failed, Measurement
from autotuner.core.errors import SpaceError
from autotuner.search import Trial, front

BOTH = {"throughput_ips": "maximize", "p99_ms": "minimize"}


def trial(number, throughput_ips, p99_ms):
    """Return a finished trial."""
    outcome = Measurement(throughput_ips=throughput_ips, p99_ms=p99_ms)
    return Trial(number=number, config={"n": number}, why="", outcome=outcome)


def test_only_what_nothing_beats_is_kept():
    """A trial that is slower and later than another does not belong to the front."""
    trials = [trial(0, 10.0, 5.0), trial(1, 20.0, 9.0), trial(2, 9.0, 6.0), trial(3, 30.0, 30.0)]
    assert [t.number for t in front(trials, BOTH)] == [3, 1, 0]


def test_of_equals_the_first_stays():
    """The same point twice is one point of the front."""
    assert [t.number for t in front([trial(0, 1.0, 1.0), trial(1, 1.0, 1.0)], BOTH)] == [0]


def test_failures_are_no_points():
    """What could not be measured is on no front."""
    failed = Trial(number=0, config={}, why="", outcome=Failed("oom"))
    assert front([failed], BOTH) == ()


def test_a_metric_that_was_not_measured_is_named():
    """A front over energy needs energy."""
    with pytest.raises(SpaceError, match="energy_j"):
        front([trial(0, 1.0, 1.0)], {"energy_j": "minimize"})
