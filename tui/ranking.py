"""The rows of the table of trials: those with some words, in the order of one column."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Sequence
from typing import Any, overload

from tui.trials import Trial, Trials

SORTS = ("order", "throughput", "latency", "memory", "power", "batch", "workers", "threads")
"""The names of the columns that trials can be sorted by."""

_FIGURES = {"latency": "latency_ms", "memory": "memory_mib", "power": "power_w"}
_SETTINGS = {"batch": "batch_size", "workers": "workers", "threads": "intra_op_threads"}
_MANY = 100
"""So many new rows are sorted at once instead of one by one."""


class Ranking(Sequence[Trial]):
    """The *trials* in which all *words* occur, the best or lowest in the column *sort* first.

    In the column ``order`` the newest is first. Unknown values are last, whatever the order, and
    so is what still runs. :meth:`catch_up` takes in new trials at the cost of a search in the rows.
    """

    def __init__(
        self, trials: Trials, sort: str = "order", words: str = "", *, reverse: bool = False
    ) -> None:
        self._trials = trials
        self._sort = sort
        self._words = words.lower().split()
        self._backwards = reverse != (sort == "order")
        self._known = array("l")
        self._unknown = array("l")
        self._running: int | None = None
        self._settled = 0

    def __len__(self) -> int:
        return len(self._known) + len(self._unknown)

    @overload
    def __getitem__(self, row: int) -> Trial: ...

    @overload
    def __getitem__(self, row: slice) -> list[Trial]: ...

    def __getitem__(self, row: int | slice) -> Trial | list[Trial]:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        known = len(self._known)
        if row >= known:
            return self._trials[self._unknown[row - known]]
        return self._trials[self._known[known - 1 - row if self._backwards else row]]

    def catch_up(self) -> None:
        """Take in the trials that are new, and how the newest one ended."""
        for places in (self._known, self._unknown):
            if places and places[-1] == self._running:
                places.pop()
        count = len(self._trials)
        new = [place for place in range(self._settled, count) if self._has_words(place)]
        self._unknown.extend(place for place in new if self._value(place) is None)
        self._rank_all([place for place in new if self._value(place) is not None])
        runs = count > 0 and self._trials.value("ended_t", -1) is None
        self._settled = count - 1 if runs else count
        self._running = self._settled if runs else None

    def row_of(self, key: int | None) -> int:
        """Return the number of the row of the trial *key*, -1 when it is not among them."""
        place = None if key is None else self._trials.place(key)
        if place is None:
            return -1
        known = len(self._known)
        if self._value(place) is None:
            row = bisect.bisect_left(self._unknown, place)
            found = row < len(self._unknown) and self._unknown[row] == place
            return known + row if found else -1
        row = bisect.bisect_left(self._known, self._rank(place), key=self._rank)
        if row == known or self._known[row] != place:
            return -1
        return known - 1 - row if self._backwards else row

    def _rank_all(self, places: Sequence[int]) -> None:
        if len(places) >= _MANY:
            self._known = array("l", sorted([*self._known, *places], key=self._rank))
        else:
            for place in places:
                bisect.insort(self._known, place, key=self._rank)

    def _rank(self, place: int) -> tuple[Any, int]:
        return self._value(place), place

    def _value(self, place: int) -> Any:
        """Return what the trial at *place* is ranked by, None when that is not known."""
        if self._sort == "order":
            return place
        if self._trials.value("ended_t", place) is None:
            return None
        if self._sort == "throughput":
            throughput = self._trials.value("throughput_ips", place)
            return None if throughput is None else -throughput
        if self._sort in _SETTINGS:
            return getattr(self._trials.value("config", place), _SETTINGS[self._sort])
        return self._trials.value(_FIGURES[self._sort], place)

    def _has_words(self, place: int) -> bool:
        if not self._words:
            return True
        text = _text(self._trials[place])
        return all(word in text for word in self._words)


def _text(trial: Trial) -> str:
    """Return what a filter looks through: configuration, round, reason and outcome."""
    state = "running" if trial.running else trial.failed or "done"
    return f"{trial.name} {trial.phase} {trial.config} {trial.why} {state}".lower()
