from __future__ import annotations

import threading
from functools import partial

import pytest

from autotuner.backends import BackendFailure
from autotuner.backends.lane import open_lanes


class Recorded:
    """A session that remembers in which threads it was opened, used and closed."""

    def __init__(self):
        self.threads = [threading.current_thread()]

    def run(self, feeds):
        """Answer with what it was fed."""
        self.threads.append(threading.current_thread())
        return feeds

    def close(self):
        """Remember the thread."""
        self.threads.append(threading.current_thread())


def test_one_that_is_alone_uses_the_callers_thread():
    """Nothing comes between it and whoever calls."""
    (lane,) = open_lanes(Recorded, 1)
    assert lane.do(partial(lane.session.run, 5)) == 5
    lane.begin(partial(lane.session.run, 6))
    lane.close()
    assert lane.session.threads == [threading.current_thread()] * 4


def test_several_have_a_thread_each():
    """The same from the first call to the last, and it ends with the session."""
    lanes = open_lanes(Recorded, 3)
    for lane in lanes:
        assert lane.do(partial(lane.session.run, 5)) == 5
        lane.close()
    threads = [set(lane.session.threads) for lane in lanes]
    assert [len(of_one) for of_one in threads] == [1, 1, 1]
    assert len(set.union(*threads)) == 3
    assert not any(thread.is_alive() for thread in set.union(*threads))


def test_they_work_at_the_same_time():
    """Each waits for the other, in vain unless both were begun; what follows waits for them."""
    meeting = threading.Barrier(2)
    lanes = open_lanes(Recorded, 2)
    met = []
    for lane in lanes:
        lane.begin(lambda: met.append(meeting.wait(30.0)))
    for lane in lanes:
        lane.do(lambda: None)
        lane.close()
    assert sorted(met) == [0, 1]


def test_what_is_raised_comes_to_the_caller():
    """And the lane is still of use."""

    def refuse():
        raise BackendFailure("crashed", "no such kernel")

    for count in (1, 2):
        lanes = open_lanes(Recorded, count)
        for lane in lanes:
            with pytest.raises(BackendFailure, match="no such kernel"):
                lane.do(refuse)
            assert lane.do(partial(lane.session.run, 5)) == 5
            lane.close()


def test_where_one_cannot_be_opened_the_others_are_closed():
    """And no thread is left."""
    opened = []

    def open_session():
        if len(opened) == 2:
            raise BackendFailure("oom", "no memory for a third")
        opened.append(Recorded())
        return opened[-1]

    before = threading.active_count()
    with pytest.raises(BackendFailure, match="third"):
        open_lanes(open_session, 3)
    assert [len(session.threads) for session in opened] == [2, 2]
    assert threading.active_count() == before
