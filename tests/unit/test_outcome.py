from __future__ import annotations

import pytest

from autotuner.core.errors import SpaceError
from autotuner.core.outcome import FAILURE_REASONS, Failed, Measurement


def test_nothing_is_known_of_an_empty_measurement():
    """Unknown is None, never zero."""
    assert Measurement().p99_ms is None
    assert Measurement().power_w is None


def test_a_metric_is_a_field_or_an_extra():
    """Both are asked for by name, and integers are numbers too."""
    measurement = Measurement(p99_ms=5.0, n=7, extra={"p99.9_ms": 6.0})
    assert measurement.metric("p99_ms") == 5.0
    assert measurement.metric("p99.9_ms") == 6.0
    assert measurement.metric("n") == 7.0


def test_zero_is_a_measured_value():
    """A metric that is zero is known."""
    assert Measurement(power_w=0.0).metric("power_w") == 0.0


@pytest.mark.parametrize(
    "name", ["power_w", "speed", "throttled", "disturbed", "intervals", "metric", "__class__", ""]
)
def test_what_is_no_known_number_is_an_error_naming_it(name):
    """Unknown names, unmeasured metrics and fields that are no numbers are refused alike."""
    measurement = Measurement(p99_ms=5.0, throttled=True, disturbed="by a build")
    with pytest.raises(SpaceError, match=repr(name)):
        measurement.metric(name)


@pytest.mark.parametrize("reason", FAILURE_REASONS)
def test_every_reason_can_be_given(reason):
    """The detail may be left out."""
    assert Failed(reason).detail == ""


def test_an_unknown_reason_is_a_mistake_of_the_program():
    """The list of reasons is closed."""
    with pytest.raises(ValueError, match="'bored' is not one of oom, timeout"):
        Failed("bored")
