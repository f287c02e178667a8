from __future__ import annotations

import math
from typing import get_args

import pytest

from autotuner.core.errors import InputError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.request import KINDS, MeasureRequest, Request, TuneRequest, latency_metric


@pytest.mark.parametrize(
    ("percentile", "name"), [(99.0, "p99_ms"), (50, "p50_ms"), (99.9, "p99.9_ms")]
)
def test_a_latency_metric_is_named_by_its_percentile(percentile, name):
    """Whole percentiles have no fraction in their name."""
    assert latency_metric(percentile) == name


def test_throughput_is_maximised_within_the_budget():
    """The main job: the percentile asked for keeps the budget asked for."""
    request = TuneRequest(max_latency_ms=50.0, percentile=95.0)
    assert request.objective == Objective.maximize(
        "throughput_ips", [Constraint("p95_ms", at_most=50.0)]
    )


def test_every_bound_that_was_asked_for_is_a_constraint():
    """No bound is lost, and latency may be the goal without a budget."""
    request = TuneRequest(goal="latency", min_throughput_ips=10.0, max_memory_mib=512.0)
    assert request.objective == Objective.minimize(
        "p99_ms",
        [Constraint("throughput_ips", at_least=10.0), Constraint("memory_mib", at_most=512.0)],
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_latency_ms": None}, "--max-latency 50ms"),
        ({"percentile": 0.0}, "between 0 and 100"),
        ({"percentile": 100.0}, "between 0 and 100"),
        ({"percentile": math.nan}, "between 0 and 100"),
        ({"confidence": 0.4}, "at least 0.5"),
        ({"confidence": 1.0}, "below 1"),
        ({"max_trials": 0}, "at least 1"),
        ({"max_seconds": 0.0}, "above zero"),
        ({"max_seconds": math.nan}, "above zero"),
    ],
)
def test_a_tuning_request_that_makes_no_sense_is_refused(settings, said):
    """The message shows a value that would do."""
    with pytest.raises(InputError, match=said):
        TuneRequest(**{"max_latency_ms": 50.0, **settings})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seconds": 0.0}, "above zero"),
        ({"seconds": -1.0}, "above zero"),
        ({"percentile": 100.0}, "between 0 and 100"),
        ({"percentile": -1.0}, "between 0 and 100"),
    ],
)
def test_a_measuring_request_that_makes_no_sense_is_refused(settings, said):
    """It is refused before a worker is started for it."""
    with pytest.raises(InputError, match=said):
        MeasureRequest(**settings)


def test_every_kind_of_request_has_a_name_on_the_wire():
    """No request can be defined and then not be sent."""
    assert set(KINDS.values()) == set(get_args(Request))
