"""Which frequencies of a table are tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotuner.host.power.base import Mode
from autotuner.host.power.ladder import combined, steps


@pytest.mark.parametrize(
    ("table", "count", "chosen"),
    [((), 4, ()), ((5,), 4, (5,)), ((1, 2, 3), 3, (1, 2, 3)), (tuple(range(9)), 3, (0, 4, 8))],
)
def test_the_ends_are_always_tried(table, count, chosen):
    """And what lies between them is spread evenly."""
    assert steps(table, count) == chosen


@given(st.lists(st.integers(), unique=True, min_size=2).map(sorted), st.integers(2, 9))
def test_steps_ascend_and_are_of_the_table(table, count):
    """Never more than asked for."""
    chosen = steps(table, count)
    assert list(chosen) == sorted(set(chosen))
    assert len(chosen) == min(count, len(table))
    assert {table[0], table[-1]} <= set(chosen) <= set(table)


def test_ladders_are_combined_each_with_each():
    """A clock that has no ladder is left out."""
    slow, fast = (Mode(name=name, settings={"cpu": name}) for name in ("slow", "fast"))
    gpu = Mode(name="gpu", settings={"gpu": "1"})
    assert [mode.name for mode in combined([slow, fast], [gpu])] == ["slow+gpu", "fast+gpu"]
    assert combined([slow], [gpu])[0].settings == {"cpu": "slow", "gpu": "1"}
    assert combined([], [gpu]) == (gpu,)
    assert combined([slow], []) == (slow,)
