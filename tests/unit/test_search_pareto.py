from __future__ import annotations

import pytest

from autotuner.core import Constraint, Failed, Measurement, Objective
from autotuner.core.errors import SpaceError
from autotuner.search import Trial, front, trade_off

BOTH = {"throughput_ips": "maximize", "p99_ms": "minimize"}
OBJECTIVE = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=6.0)])


def trial(number, throughput_ips, p99_ms, *, config=None, **other):
    """Return a finished trial, by default of a configuration of its own."""
    outcome = Measurement(throughput_ips=throughput_ips, p99_ms=p99_ms, **other)
    return Trial(number=number, config={"n": config or number}, why="", outcome=outcome)


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


def test_a_trade_off_goes_beyond_the_budget():
    """It serves other budgets than that of the search."""
    trials = [trial(0, 10.0, 5.0), trial(1, 20.0, 9.0), trial(2, 9.0, 6.0)]
    assert [t.number for t in trade_off(trials, OBJECTIVE)] == [1, 0]


def test_in_a_trade_off_the_latest_measurement_of_a_configuration_counts():
    """A lucky first measurement does not stand for ever."""
    trials = [trial(0, 30.0, 2.0, config="a"), trial(1, 20.0, 5.0), trial(2, 10.0, 6.0, config="a")]
    assert [t.number for t in trade_off(trials, OBJECTIVE)] == [1]


def test_energy_counts_in_a_trade_off_where_all_have_it():
    """The slowest configuration may be the one that needs least."""
    sparing = [trial(0, 20.0, 5.0, energy_j=3.0), trial(1, 10.0, 6.0, energy_j=1.0)]
    assert len(trade_off(sparing, OBJECTIVE)) == 2
    assert len(trade_off([*sparing, trial(2, 30.0, 4.0)], OBJECTIVE)) == 1
