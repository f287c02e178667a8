"""When work may be done unattended: hours of the week, in local time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from autotuner.core.errors import InputError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"(?:(?P<days>[a-z,]+) )?(?P<from>\d{1,2}:\d\d)-(?P<to>\d{1,2}:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From *begin* to *end* on *days* (0 is Monday); past midnight when it ends before it begins.

    Both are minutes of the day; a window past midnight belongs to the day on which it begins.
    """

    days: frozenset[int]
    begin: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ``22:00-06:00`` or ``sat,sun 0:00-24:00``; raises InputError."""
        match = _FORM.fullmatch(text.strip().lower())
        if match is None:
            raise InputError(
                f"{text!r} is no window; write 22:00-06:00, or sat,sun 0:00-24:00 for some days."
            )
        names = match["days"].split(",") if match["days"] else _DAYS
        unknown = [name for name in names if name not in _DAYS]
        if unknown:
            raise InputError(f"{unknown[0]!r} in {text!r} is no day; they are {', '.join(_DAYS)}.")
        begin, end = (_minutes(match[side], text) for side in ("from", "to"))
        return cls(days=frozenset(map(_DAYS.index, names)), begin=begin, end=end)

    def contains(self, moment: datetime) -> bool:
        """Say whether *moment*, in local time, lies inside."""
        minute = moment.hour * 60 + moment.minute
        today = moment.weekday() in self.days
        if self.begin < self.end:
            return today and self.begin <= minute < self.end
        yesterday = (moment.weekday() - 1) % 7 in self.days
        return (today and minute >= self.begin) or (yesterday and minute < self.end)


def is_open(windows: Sequence[Window], moment: datetime) -> bool:
    """Say whether *moment* lies in one of *windows*; without any it always does."""
    return not windows or any(window.contains(moment) for window in windows)


def _minutes(text: str, whole: str) -> int:
    if text == "24:00":
        return 24 * 60
    try:
        found = time.fromisoformat(text.zfill(5))
    except ValueError:
        raise InputError(f"{text!r} in {whole!r} is no time of the day.") from None
    return found.hour * 60 + found.minute
