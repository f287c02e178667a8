from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Literal

import pytest
from core_values import (
    configs,
    fingerprints,
    measurements,
    outcomes,
    profiles,
    quickly,
    requests,
)
from hypothesis import given
from hypothesis import strategies as st

from autotuner.core.config import Config
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import InputError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.profile import Profile
from autotuner.core.request import TuneRequest


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A value with every kind of field."""

    size: int
    colour: Literal["red", "blue"] = "red"
    spokes: tuple[str, ...] = ()
    tube: tuple[float, bool] | None = None


@dataclass(frozen=True, kw_only=True)
class Cart:
    """A value that holds values."""

    wheels: tuple[Wheel, ...]
    load: dict[str, Wheel] = field(default_factory=dict)
    spare: Wheel | None = None
    owner: str | None


def through_json(value):
    """Return what arrives when the plain form of *value* is written and read as JSON."""
    return json.loads(json.dumps(encode(value), allow_nan=False))


@quickly
@given(configs)
def test_a_config_survives_the_way_through_json(config):
    """Decoding what was encoded gives an equal value."""
    assert decode(Config, through_json(config)) == config


@quickly
@given(outcomes)
def test_either_kind_of_outcome_survives_the_way_through_json(outcome):
    """The union is told apart by its fields alone, and numbers stay exact."""
    found = decode(Outcome, through_json(outcome))
    assert found == outcome
    assert type(found) is type(outcome)


@quickly
@given(fingerprints)
def test_a_fingerprint_survives_the_way_through_json(fingerprint):
    """Tuples come back as tuples, so that the value and its digest are equal."""
    found = decode(Fingerprint, through_json(fingerprint))
    assert found == fingerprint
    assert found.digest == fingerprint.digest


@quickly
@given(profiles)
def test_a_profile_survives_the_way_through_json(profile):
    """Nested values and an unknown speedup come back as they were."""
    assert decode(Profile, through_json(profile)) == profile


@quickly
@given(requests)
def test_a_request_survives_the_way_through_json(request):
    """The values of a narrowed dimension keep their types."""
    assert decode(type(request), through_json(request)) == request


@quickly
@given(measurements)
def test_what_is_not_known_is_left_out(measurement):
    """Plain data holds no None of an optional field and no empty mapping."""
    data = encode(measurement)
    assert None not in data.values()
    assert {} not in data.values()


def test_a_required_field_is_kept_even_when_it_is_empty_or_none():
    """Otherwise the value could be written and never read again."""
    cart = Cart(wheels=(), owner=None)
    assert encode(cart) == {"wheels": [], "owner": None}
    assert decode(Cart, through_json(cart)) == cart


def test_zero_false_and_empty_text_are_not_taken_for_unknown():
    """Only None and empty collections are left out."""
    data = encode(Measurement(n=0, throttled=False, power_w=0.0, disturbed=""))
    assert data == {"n": 0, "throttled": False, "power_w": 0.0, "disturbed": ""}


def test_a_whole_number_is_a_float_where_a_float_is_wanted():
    """JSON writers may drop the fraction; the decoded type is float nevertheless."""
    found = decode(Measurement, {"p99_ms": 5})
    assert isinstance(found.p99_ms, float)


@pytest.mark.parametrize(
    ("data", "place", "said"),
    [
        ({}, "wheels", "is missing"),
        ({"wheels": [], "owner": None, "horse": 1}, "horse", "not known"),
        ({"wheels": [], "owner": None, 7: 1}, "7", "not known"),
        ({"wheels": {}, "owner": None}, "wheels", "a list"),
        ({"wheels": "round", "owner": None}, "wheels", "a list"),
        ({"wheels": [{}], "owner": None}, "wheels[0].size", "is missing"),
        ({"wheels": [{"size": 1}, {"size": True}], "owner": None}, "wheels[1].size", "int"),
        ({"wheels": [{"size": 1.5}], "owner": None}, "wheels[0].size", "int"),
        ({"wheels": [{"size": "1"}], "owner": None}, "wheels[0].size", "int"),
        ({"wheels": [{"size": None}], "owner": None}, "wheels[0].size", "int"),
        ({"wheels": [], "owner": 3}, "owner", "str"),
        ({"wheels": [3], "owner": None}, "wheels[0]", "a mapping"),
        (
            {"wheels": [{"size": 1, "colour": "green"}], "owner": None},
            "wheels[0].colour",
            "one of red, blue",
        ),
        ({"wheels": [{"size": 1, "colour": []}], "owner": None}, "wheels[0].colour", "one of"),
        ({"wheels": [{"size": 1, "tube": [1.0]}], "owner": None}, "wheels[0].tube", "list of 2"),
        ({"wheels": [{"size": 1, "tube": [1, 1]}], "owner": None}, "wheels[0].tube[1]", "bool"),
        (
            {"wheels": [{"size": 1, "tube": [10**400, True]}], "owner": None},
            "wheels[0].tube[0]",
            "float",
        ),
        ({"wheels": [], "owner": None, "load": []}, "load", "a mapping"),
        ({"wheels": [], "owner": None, "load": {"a": {}}}, "load.a.size", "is missing"),
        ({"wheels": [], "owner": None, "spare": {"size": "x"}}, "spare.size", "int"),
    ],
)
def test_a_refusal_names_the_place(data, place, said):
    """The message leads to the very field that is wrong and says what it should be."""
    with pytest.raises(InputError) as caught:
        decode(Cart, data)
    assert str(caught.value).startswith(f"{place} ")
    assert said in str(caught.value)


def test_a_refusal_names_the_place_below_where_it_was_told_to_start():
    """A caller can say of which file or message the data is a part."""
    with pytest.raises(InputError, match=r"^job\.size should be int"):
        decode(Wheel, {"size": "big"}, where="job")


@pytest.mark.parametrize("data", [None, 3, "text", [], {"p99_ms": 1.0, "reason": "oom"}, {"x": 1}])
def test_what_is_neither_kind_of_outcome_is_refused(data):
    """A mixture of fields fits neither."""
    with pytest.raises(InputError, match="outcome should be Measurement or Failed"):
        decode(Outcome, data, where="outcome")


def test_a_value_that_its_own_class_refuses_is_refused_with_its_place():
    """A failure reason that nobody knows is bad input here, not a fault of the program."""
    with pytest.raises(InputError, match=r"^outcome is not valid: 'bored' is not one of oom"):
        decode(Outcome, {"reason": "bored"}, where="outcome")


def test_a_long_wrong_value_is_cut_short():
    """A message stays readable whatever was sent."""
    with pytest.raises(InputError) as caught:
        decode(int, "x" * 10_000, where="size")
    assert len(str(caught.value)) < 120


@quickly
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["wheels", "owner", "size", "load", "spare", "tube", "p99_ms", "reason"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
))  # fmt: skip
def test_whatever_comes_in_is_decoded_or_refused(data):
    """No data from outside raises anything else than InputError."""
    for kind in (Cart, Outcome, TuneRequest):
        with contextlib.suppress(InputError):
            decode(kind, data)


def test_failed_without_a_detail_is_a_whole_value():
    """The detail has a default and may be missing."""
    assert decode(Outcome, {"reason": "oom"}) == Failed("oom")
