from __future__ import annotations

import pytest

from autotuner.core.errors import SpaceError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed, Measurement

BUDGET = Constraint("p99_ms", at_most=50.0)
FLOOR = Constraint("throughput_ips", at_least=100.0)


@pytest.mark.parametrize(
    ("p99_ms", "violation", "kept"), [(49, -1, True), (50, 0, True), (51, 1, False)]
)
def test_an_upper_bound_is_broken_above_it(p99_ms, violation, kept):
    """The bound itself still keeps it."""
    measurement = Measurement(p99_ms=p99_ms)
    assert BUDGET.violation(measurement) == violation
    assert BUDGET.kept(measurement) is kept


@pytest.mark.parametrize(
    ("ips", "violation", "kept"), [(101, -1, True), (100, 0, True), (99, 1, False)]
)
def test_a_lower_bound_is_broken_below_it(ips, violation, kept):
    """The bound itself still keeps it."""
    measurement = Measurement(throughput_ips=ips)
    assert FLOOR.violation(measurement) == violation
    assert FLOOR.kept(measurement) is kept


def test_a_bound_of_zero_is_a_bound():
    """Zero is not taken for a missing side."""
    assert Constraint("cv", at_most=0.0).violation(Measurement(cv=0.5)) == 0.5
    assert Constraint("cv", at_least=0.0).violation(Measurement(cv=0.5)) == -0.5


@pytest.mark.parametrize("sides", [{}, {"at_most": 1.0, "at_least": 0.0}])
def test_a_constraint_has_exactly_one_side(sides):
    """The message names the metric."""
    with pytest.raises(SpaceError, match="'p99_ms' needs either"):
        Constraint("p99_ms", **sides)


def test_a_metric_that_was_not_measured_is_an_error_naming_it():
    """An unknown power is not a power within the bound."""
    with pytest.raises(SpaceError, match="power_w"):
        Constraint("power_w", at_most=15.0).kept(Measurement(p99_ms=1.0))


def test_a_failed_configuration_is_never_feasible():
    """Not even without constraints."""
    assert not Objective.maximize("throughput_ips").feasible(Failed("oom"))


def test_feasible_means_that_every_constraint_is_kept():
    """One broken bound suffices to be out."""
    objective = Objective.maximize("throughput_ips", [BUDGET, FLOOR])
    assert objective.feasible(Measurement(p99_ms=50.0, throughput_ips=100.0))
    assert not objective.feasible(Measurement(p99_ms=50.1, throughput_ips=100.0))
    assert not objective.feasible(Measurement(p99_ms=50.0, throughput_ips=99.9))


def test_better_follows_the_direction():
    """An equal value is not better either way."""
    low, high = Measurement(p50_ms=1.0), Measurement(p50_ms=2.0)
    assert Objective.minimize("p50_ms").better(low, high)
    assert not Objective.minimize("p50_ms").better(high, low)
    assert Objective.maximize("p50_ms").better(high, low)
    assert not Objective.maximize("p50_ms").better(low, low)
    assert not Objective.minimize("p50_ms").better(low, low)


def test_an_objective_reads_as_a_phrase():
    """The words go into profiles, reports and study names."""
    assert str(Objective.minimize("p50_ms")) == "minimize p50_ms"
    assert (
        str(Objective.maximize("throughput_ips", [BUDGET, FLOOR]))
        == "maximize throughput_ips with p99_ms <= 50 and throughput_ips >= 100"
    )
