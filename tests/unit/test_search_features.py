from __future__ import annotations

import numpy as np

from autotuner.core import Dimension, SearchSpace
from autotuner.search.features import coordinates, in_flight, memory_axes, service_trend, top_power

DEVICE = SearchSpace(
    [
        Dimension("batch_size", (1, 4, 16), ordered=True),
        Dimension("workers", (1, 2), ordered=True),
        Dimension("power_mode", ("MAXN", "15W", "30W")),
    ]
)


def rows(space, **settings):
    """Return the rows whose configurations have *settings*."""
    return [i for i, c in enumerate(space.configs) if settings.items() <= c.items()]


def test_samples_in_flight_are_batch_times_workers():
    """A closed loop keeps one batch under way for each worker."""
    row = rows(DEVICE, batch_size=4, workers=2)[0]
    assert in_flight(DEVICE)[row] == 8.0


def test_streams_multiply_what_workers_have_under_way():
    """Each worker runs a batch on each of its streams."""
    streams = Dimension("streams", (1, 3), ordered=True)
    space = SearchSpace([*DEVICE.dimensions, streams])
    row = rows(space, batch_size=4, workers=2, streams=3)[0]
    assert in_flight(space)[row] == 24.0
    assert "streams" in memory_axes(space)


def test_concurrency_says_itself_what_is_in_flight():
    """Where clients limit what is under way, instances and batch do not count."""
    space = SearchSpace(
        [
            Dimension("instances", (1, 2), ordered=True),
            Dimension("concurrency", (1, 8), ordered=True),
        ]
    )
    assert list(in_flight(space)) == [1.0, 8.0, 1.0, 8.0]


def test_unknown_axes_say_nothing_of_what_is_in_flight():
    """No guess is made about a space of other names."""
    assert in_flight(SearchSpace([Dimension("tile", (1, 2), ordered=True)])) is None


def test_power_modes_are_ranked_by_their_name_plate():
    """The order in which a preset lists its power modes does not matter."""
    assert set(np.flatnonzero(top_power(DEVICE))) == set(rows(DEVICE, power_mode="MAXN"))
    trend = service_trend(DEVICE)
    slow, fast = (rows(DEVICE, batch_size=1, workers=1, power_mode=m)[0] for m in ("15W", "30W"))
    assert trend[slow] > trend[fast]


def test_neighbours_on_a_ladder_are_nearer_than_its_ends():
    """Distance follows the ladder, not the list of categories."""
    points = coordinates(SearchSpace([Dimension("n", (1, 2, 64), ordered=True)])).points[:, 0]
    assert points[0] < points[1] < points[2]
    assert points[1] - points[0] < points[2] - points[1]


def test_the_batch_that_a_concurrency_fills_is_a_coordinate():
    """Up to the largest batch, eight clients of two instances are like four of one."""
    space = SearchSpace(
        [
            Dimension("instances", (1, 2), ordered=True),
            Dimension("max_batch", (1, 8), ordered=True),
            Dimension("concurrency", (4, 8), ordered=True),
        ]
    )
    filled = coordinates(space).points[:, -1]
    eight_of_two = rows(space, instances=2, max_batch=8, concurrency=8)[0]
    four_of_one = rows(space, instances=1, max_batch=8, concurrency=4)[0]
    assert filled[eight_of_two] == filled[four_of_one]
    assert np.ptp(filled[rows(space, max_batch=1)]) == 0.0


def test_categories_are_equally_far_apart():
    """No category is nearer to another than a third."""
    points = coordinates(SearchSpace([Dimension("kind", ("a", "b", "c"))])).points
    distances = {
        round(float(np.linalg.norm(points[i] - points[j])), 9) for i, j in ((0, 1), (0, 2), (1, 2))
    }
    assert distances == {1.0}


def test_memory_grows_with_batch_and_workers_only():
    """Out of memory at one batch rules out larger ones, not other power modes."""
    assert memory_axes(DEVICE) == ("batch_size", "workers")


def test_a_space_of_one_configuration_has_coordinates():
    """Nothing to choose from is no special case for the caller."""
    assert coordinates(SearchSpace([Dimension("only", ("one",))])).points.shape == (1, 1)
