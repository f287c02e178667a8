"""A few telling frequencies of a table."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.host.power.base import Mode


def steps(table: Sequence[int], count: int) -> tuple[int, ...]:
    """Return at most *count* frequencies of the ascending *table*, evenly spread, ends included."""
    if len(table) <= count:
        return tuple(table)
    last = len(table) - 1
    places = [round(step * last / (count - 1)) for step in range(count)]
    return tuple(table[place] for place in places)


def combined(first: Sequence[Mode], second: Sequence[Mode]) -> tuple[Mode, ...]:
    """Return every mode of *first* with every one of *second*; one that is empty is left out."""
    if not first or not second:
        return (*first, *second)
    return tuple(
        Mode(name=f"{one.name}+{other.name}", settings={**one.settings, **other.settings})
        for one in first
        for other in second
    )
