from __future__ import annotations

from datetime import datetime

import pytest

from autotuner.core.errors import InputError
from autotuner.core.window import Window, is_open


def at(day, clock):
    """Return a moment in a week that begins on Monday, the first."""
    hour, minute = clock.split(":")
    return datetime(2024, 1, day, int(hour), int(minute))  # noqa: DTZ001 - local time is meant


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("9:00-17:00", [(1, "9:00"), (7, "16:59")], [(1, "8:59"), (1, "17:00")]),
        ("22:00-06:00", [(1, "22:00"), (2, "5:59")], [(1, "6:00"), (1, "21:59")]),
        ("sat,sun 0:00-24:00", [(6, "0:00"), (7, "23:59")], [(5, "23:59"), (8, "0:00")]),
        ("fri 22:00-06:00", [(5, "23:00"), (6, "5:00")], [(5, "5:00"), (6, "23:00")]),
        ("sun 22:00-06:00", [(8, "1:00")], [(7, "1:00")]),
        ("Mon 0:00-0:00", [(1, "12:00")], [(2, "0:00")]),
    ],
)
def test_a_window_is_open_within_its_hours(text, inside, outside):
    """Past midnight it belongs to the day on which it began."""
    window = Window.parse(text)
    assert all(window.contains(at(*moment)) for moment in inside)
    assert not any(window.contains(at(*moment)) for moment in outside)


@pytest.mark.parametrize("text", ["", "9-17", "25:00-26:00", "9:00-17:99", "day 9:00-17:00"])
def test_what_is_no_window_is_refused(text):
    """In the user's words."""
    with pytest.raises(InputError, match=r"is no (window|day|time)"):
        Window.parse(text)


def test_without_windows_it_is_always_open():
    """Otherwise in any of them."""
    morning, evening = Window.parse("6:00-8:00"), Window.parse("18:00-20:00")
    assert is_open((), at(1, "3:00"))
    assert is_open((morning, evening), at(1, "19:00"))
    assert not is_open((morning, evening), at(1, "12:00"))
