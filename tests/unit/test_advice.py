from __future__ import annotations

import pytest

from autotuner.core.advice import closest, when_infeasible
from autotuner.core.config import Config
from autotuner.core.events import Candidate
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement
from autotuner.core.quantity import milliseconds

BUDGET = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=10.0)])


def candidate(batch_size=1, **figures):
    """Return a candidate that showed *figures*."""
    return Candidate(config=Config(batch_size=batch_size), measurement=Measurement(**figures))


def test_the_closest_breaks_the_budget_least():
    """Whatever its throughput."""
    near = candidate(1, p99_ms=12.0, throughput_ips=1.0)
    far = candidate(8, p99_ms=30.0, throughput_ips=99.0)
    assert closest([far, near], BUDGET) is near


def test_of_those_that_break_nothing_the_best_is_the_closest():
    """Time was too short to prove it; it is what the next run is about."""
    safe = candidate(1, p99_ms=2.0, throughput_ips=1.0)
    fast = candidate(8, p99_ms=9.0, throughput_ips=99.0)
    broken = candidate(9, p99_ms=10.1, throughput_ips=200.0)
    assert closest([safe, fast, broken], BUDGET) is fast
    assert closest([broken, fast, safe], BUDGET) is fast


def test_constraints_of_different_units_are_compared_by_their_bounds():
    """10 % over one bound is nearer than 50 % over another, also where that is fewer units."""
    objective = Objective.maximize(
        "throughput_ips",
        [Constraint("p99_ms", at_most=10.0), Constraint("memory_mib", at_most=1e3)],
    )
    heavy = candidate(1, p99_ms=9.0, memory_mib=1100.0)
    slow = candidate(2, p99_ms=15.0, memory_mib=900.0)
    assert closest([slow, heavy], objective) is heavy


def test_a_lower_bound_counts_too():
    """Being below it is as bad as being above an upper one."""
    objective = Objective.minimize("p99_ms", [Constraint("throughput_ips", at_least=100.0)])
    lame, fair = candidate(1, throughput_ips=10.0), candidate(2, throughput_ips=90.0)
    assert closest([lame, fair], objective) is fair


def test_of_nothing_nothing_is_closest():
    """Every trial may have failed; the advice says so."""
    assert closest([], BUDGET) is None
    assert "No configuration could be measured" in when_infeasible(None, BUDGET, {})


@pytest.mark.parametrize("p99_ms", [10.01, 12.3, 99.96, 1234.5, 0.00987])
def test_the_budget_it_names_would_be_kept(p99_ms):
    """It can be typed as it stands, and leaves a little room above what was measured."""
    objective = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=p99_ms / 2)])
    text = when_infeasible(candidate(p99_ms=p99_ms), objective, {})
    typed = text.partition("--max-latency ")[2].partition(" ")[0]
    assert p99_ms < milliseconds(typed) < 1.2 * p99_ms


def test_an_unusual_percentile_is_understood():
    """The metric of --percentile 99.9 has no field of its own."""
    objective = Objective.maximize("throughput_ips", [Constraint("p99.9_ms", at_most=1.0)])
    text = when_infeasible(candidate(extra={"p99.9_ms": 2.0}), objective, {})
    assert "--max-latency 2.1ms would be kept" in text


@pytest.mark.parametrize(
    ("constraint", "measured", "option"),
    [
        (Constraint("memory_mib", at_most=100.0), {"memory_mib": 200.0}, "--max-memory 210MiB"),
        (
            Constraint("throughput_ips", at_least=100.0),
            {"throughput_ips": 50.0},
            "--min-throughput 47.6 ",
        ),
        (
            Constraint("memory_mib", at_most=100.0),
            {"memory_mib": 12345.0},
            "--max-memory 12962MiB",
        ),
    ],
)
def test_every_broken_constraint_names_its_option(constraint, measured, option):
    """With a value that can be typed as it stands and would be kept."""
    text = when_infeasible(
        candidate(**measured), Objective("p99_ms", "minimize", (constraint,)), {}
    )
    assert option in text


def test_kept_constraints_are_not_mentioned():
    """Advice is about what is broken."""
    objective = Objective.maximize(
        "throughput_ips",
        [Constraint("p99_ms", at_most=10.0), Constraint("memory_mib", at_most=1e3)],
    )
    text = when_infeasible(candidate(p99_ms=20.0, memory_mib=10.0), objective, {})
    assert "--max-latency" in text
    assert "--max-memory" not in text


def test_the_knob_that_was_narrowed_is_named():
    """What the user pinned may be what keeps the budget out of reach."""
    narrowed = {"batch_size": (8,), "workers": (4,)}
    text = when_infeasible(candidate(p99_ms=20.0), BUDGET, narrowed)
    assert "or widen what you narrowed (--batch-size, --workers)" in text


def test_where_nothing_was_narrowed_the_model_is_the_knob():
    """There is always something to do."""
    assert "smaller model or input" in when_infeasible(candidate(p99_ms=20.0), BUDGET, {})


def test_a_budget_that_was_kept_but_not_proven_needs_fewer_batches():
    """No figure is broken, so no other budget is named."""
    text = when_infeasible(candidate(p99_ms=5.0), BUDGET, {})
    assert "time was too short to prove it: ask for a lower --percentile or --confidence" in text
    assert "--max-latency" not in text


@pytest.mark.parametrize(
    ("metric", "option"),
    [("power_w", "--max-power 12.6W"), ("power_w.GPU", "--max-power GPU=12.6W")],
)
def test_a_budget_of_power_is_said_as_it_is_typed(metric, option):
    """With its rail, if it is one's."""
    objective = Objective.maximize("throughput_ips", [Constraint(metric, at_most=10.0)])
    nearest = candidate(power_w=12.0, extra={"power_w.GPU": 12.0})
    assert option in when_infeasible(nearest, objective, {})
