"""The trials of a job: of every one what lists and plots need, of the newest all that is known."""

from __future__ import annotations

import bisect
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

from autotuner.core.config import Config
from autotuner.core.events import Phase
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed, Outcome
from tui import goal

WHOLE = 200
"""How many outcomes are kept whole; older ones are asked for again when somebody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One measurement of one configuration; *key* is the number of the event that told it first.

    *latency_ms* is the latency that counts, *failed* the reason where nothing was measured, *kept*
    says whether the constraints were, *disturbed* whether something else ran meanwhile.
    """

    key: int
    phase: Phase
    number: int | None
    config: Config
    why: str = ""
    began_t: float | None = None
    ended_t: float | None = None
    throughput_ips: float | None = None
    latency_ms: float | None = None
    p50_ms: float | None = None
    memory_mib: float | None = None
    power_w: float | None = None
    failed: str | None = None
    kept: bool = False
    disturbed: bool = False

    @property
    def running(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self.ended_t is None

    @property
    def measured(self) -> bool:
        """Whether there are figures: it has ended and not failed."""
        return self.ended_t is not None and self.failed is None

    @property
    def name(self) -> str:
        """What people call it: its number in the search, else its round."""
        if self.phase == "search" and self.number is not None:
            return f"{self.number}"
        return {"baseline": "base", "proof": "final", "measure": "one"}.get(self.phase, self.phase)

    def ended(self, t: float, outcome: Outcome, objective: Objective | None) -> Trial:
        """Return it as it ended at the time *t* with *outcome*, judged by *objective*."""
        if isinstance(outcome, Failed):
            return replace(self, ended_t=t, failed=outcome.reason)
        return replace(
            self,
            ended_t=t,
            throughput_ips=outcome.throughput_ips,
            latency_ms=goal.latency(objective, outcome),
            p50_ms=outcome.p50_ms,
            memory_mib=outcome.memory_mib,
            power_w=outcome.power_w,
            kept=goal.feasible(objective, outcome),
            disturbed=outcome.disturbed is not None,
        )


_FIGURES = (
    "began_t",
    "ended_t",
    "throughput_ips",
    "latency_ms",
    "p50_ms",
    "memory_mib",
    "power_w",
)
_COUNTS = ("key", "number")
_OTHERS = ("phase", "config", "why", "failed", "kept", "disturbed")
_COLUMNS = (*_FIGURES, *_COUNTS, *_OTHERS)


class Trials(Sequence[Trial]):
    """All trials of a job in the order of their events.

    They are kept by columns, where a number takes eight bytes; a :class:`Trial` is made when
    somebody looks at it.
    """

    def __init__(self) -> None:
        self._figures = {name: array("d") for name in _FIGURES}
        self._counts = {name: array("q") for name in _COUNTS}
        self._others: dict[str, list[Any]] = {name: [] for name in _OTHERS}
        self._outcomes: dict[int, Outcome] = {}

    def __len__(self) -> int:
        return len(self._counts["key"])

    @overload
    def __getitem__(self, place: int) -> Trial: ...

    @overload
    def __getitem__(self, place: slice) -> list[Trial]: ...

    def __getitem__(self, place: int | slice) -> Trial | list[Trial]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return Trial(**{name: self.value(name, place) for name in _COLUMNS})

    def value(self, name: str, place: int) -> Any:
        """Return the field *name* of the trial at *place*."""
        if name in self._figures:
            figure = self._figures[name][place]
            return None if math.isnan(figure) else figure
        if name in self._counts:
            count = self._counts[name][place]
            return None if count < 0 else count
        return self._others[name][place]

    def place(self, key: int) -> int | None:
        """Return where the trial *key* stands, None when there is none."""
        keys = self._counts["key"]
        place = bisect.bisect_left(keys, key)
        return place if place < len(keys) and keys[place] == key else None

    def put(self, trial: Trial) -> None:
        """Add *trial*, or put it in the place of the newest one when that has its key."""
        if len(self) and self.value("key", -1) == trial.key:
            for columns in (self._figures, self._counts, self._others):
                for column in columns.values():
                    column.pop()
        for name, figures in self._figures.items():
            figure = getattr(trial, name)
            figures.append(math.nan if figure is None else figure)
        for name, counts in self._counts.items():
            count = getattr(trial, name)
            counts.append(-1 if count is None else count)
        for name, others in self._others.items():
            others.append(_shared(getattr(trial, name)))

    def outcome(self, key: int) -> Outcome | None:
        """Return all that is known of the trial *key*, None when that is not kept any more."""
        return self._outcomes.get(key)

    def keep(self, key: int, outcome: Outcome) -> None:
        """Keep *outcome* of the trial *key* whole, and the oldest no longer."""
        self._outcomes[key] = outcome
        if len(self._outcomes) > WHOLE:
            del self._outcomes[next(iter(self._outcomes))]


def _shared(value: Any) -> Any:
    """Return *value* with its texts kept once, as every event brings copies of the same few."""
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, Config):
        return Config.from_mapping({k: _shared(v) for k, v in value.to_mapping().items()})
    return value
