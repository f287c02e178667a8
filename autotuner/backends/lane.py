"""Sessions side by side in one process, each in a thread of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from autotuner.backends.base import Session

_Result = TypeVar("_Result")


class Lane:
    """A session, and the thread in which it is opened, used and closed: CUDA's state is a thread's.

    One that is *alone* does without a thread of its own: whoever calls does the work.
    """

    def __init__(self, open_session: Callable[[], Session], *, alone: bool) -> None:
        self._thread = None if alone else ThreadPoolExecutor(max_workers=1)
        try:
            self.session = self.do(open_session)
        except BaseException:
            self._end()
            raise

    def do(self, act: Callable[[], _Result]) -> _Result:
        """Return what *act* returns, when all that was begun before is done."""
        return act() if self._thread is None else self._thread.submit(act).result()

    def begin(self, act: Callable[[], object]) -> None:
        """Have *act* done, which must not raise, and go on meanwhile where there is a thread."""
        if self._thread is None:
            act()
        else:
            self._thread.submit(act)

    def close(self) -> None:
        """Close the session and end the thread."""
        self.do(self.session.close)
        self._end()

    def _end(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()


def open_lanes(open_session: Callable[[], Session], count: int) -> list[Lane]:
    """Open *count* sessions, one after the other; raises what *open_session* raises."""
    lanes: list[Lane] = []
    with contextlib.ExitStack() as opened:
        for _ in range(count):
            lane = Lane(open_session, alone=count == 1)
            opened.callback(lane.close)
            lanes.append(lane)
        opened.pop_all()
    return lanes
