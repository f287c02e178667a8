from __future__ import annotations

import pytest

from autotuner.core.errors import SpaceError
from autotuner.core.space import Dimension, SearchSpace

BATCH = Dimension("batch_size", (1, 2, 4), ordered=True)
WORKERS = Dimension("workers", [1, 2])


def at_most_four_in_flight(config):
    """At most four samples are in flight."""
    return config["batch_size"] * config["workers"] <= 4


def test_a_dimension_keeps_its_values_as_a_tuple():
    """A list given by the caller cannot change it later."""
    values = [1, 2]
    dimension = Dimension("workers", values)
    values.append(3)
    assert dimension.values == (1, 2)


def test_none_is_a_value_like_any_other():
    """The runtime's default is one of the choices."""
    space = SearchSpace([Dimension("threads", (None, 1))])
    assert {"threads": None} in space


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("", (1,), "needs a name"),
        ("workers", (), "'workers' has no values"),
        ("workers", (1, 2, 1), "'workers' lists a value twice"),
    ],
)
def test_a_dimension_that_makes_no_sense_is_refused(name, values, said):
    """The message names the dimension."""
    with pytest.raises(SpaceError, match=said):
        Dimension(name, values)


def test_the_space_is_the_product_of_its_dimensions():
    """The last dimension varies fastest and every configuration has every name."""
    assert [tuple(config.values()) for config in SearchSpace([BATCH, WORKERS])] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (4, 1),
        (4, 2),
    ]


def test_restrictions_leave_configurations_out():
    """No way of looking at the space shows an illegal one."""
    space = SearchSpace([BATCH, WORKERS], [at_most_four_in_flight])
    illegal = {"batch_size": 4, "workers": 2}
    assert len(space) == 5
    assert illegal not in space
    assert illegal not in list(space)
    assert not space.allows(illegal)


def test_every_restriction_must_agree():
    """A configuration that one of several restrictions forbids is illegal."""
    space = SearchSpace([BATCH, WORKERS], [lambda _: True, lambda c: c["batch_size"] != 2])
    assert {c["batch_size"] for c in space} == {1, 4}


@pytest.mark.parametrize(
    "thing",
    [
        {"batch_size": 3, "workers": 1},
        {"batch_size": 1},
        {"batch_size": 1, "workers": 1, "more": 1},
        "batch_size",
        None,
    ],
)
def test_what_is_no_configuration_of_the_space_is_not_in_it(thing):
    """Membership asks for exactly the names and one of the values of each."""
    assert thing not in SearchSpace([BATCH, WORKERS])


def test_a_dimension_is_found_by_its_name():
    """An unknown name is a KeyError."""
    space = SearchSpace([BATCH, WORKERS])
    assert space["workers"] is WORKERS
    assert space.names == ("batch_size", "workers")
    with pytest.raises(KeyError, match="depth"):
        space["depth"]


@pytest.mark.parametrize(
    ("dimensions", "restrictions", "said"),
    [
        ([], [], "at least one dimension"),
        ([BATCH, BATCH], [], "share a name"),
        ([BATCH], [lambda _: False], "leave no configuration"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(dimensions, restrictions, said):
    """The message says what to change."""
    with pytest.raises(SpaceError, match=said):
        SearchSpace(dimensions, restrictions)
