from __future__ import annotations

import math
from typing import get_args

import pytest

from autotuner.core.errors import InputError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.request import (
    KINDS,
    MeasureRequest,
    RecordRequest,
    Request,
    TuneRequest,
    Workload,
    latency_metric,
)


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


def test_energy_is_minimised_within_bounds_of_power():
    """Those of rails have names of their own."""
    asked = TuneRequest(goal="energy", max_latency_ms=50.0, max_power_w={"": 15.0, "GPU": 6.0})
    assert str(asked.objective) == (
        "minimize energy_j with p99_ms <= 50 and power_w <= 15 and power_w.GPU <= 6"
    )


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({"goal": "energy"}, True),
        ({"max_latency_ms": 5.0, "max_power_w": {"": 15.0}}, True),
        ({"max_latency_ms": 5.0}, False),
    ],
)
def test_a_request_knows_whether_it_needs_power(settings, needed):
    """Boxes without a meter refuse it then."""
    assert TuneRequest(**settings).needs_power == needed


def test_a_device_is_simulated_or_replayed():
    """Nothing else is known."""
    assert Workload(device="sim:titan-v").device == "sim:titan-v"
    with pytest.raises(InputError, match="sim:NAME"):
        Workload(device="titan-v")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"device": "sim:titan-v"}, "not there"),
        ({"scenario": "server"}, "by way of the host"),
    ],
)
def test_inputs_lie_on_the_device_only_where_that_can_be(settings, said):
    """In the memory of a real one, and not for what comes over a network."""
    assert Workload(io="device").io == "device"
    with pytest.raises(InputError, match=said):
        Workload(io="device", **settings)


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        (Workload(device="sim:titan-v"), "real box"),
        (Workload(scenario="server", rate_ips=1.0), "back to back"),
    ],
)
def test_only_batches_of_a_real_box_are_recorded(workload, said):
    """The rest follows from them."""
    with pytest.raises(InputError, match=said):
        RecordRequest(workload=workload, out="x.json")


def test_a_recording_takes_some_time():
    """A window without length shows nothing."""
    with pytest.raises(InputError, match="above zero"):
        RecordRequest(out="x.json", seconds=0.0)
