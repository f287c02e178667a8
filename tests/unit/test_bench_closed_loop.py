import numpy as np
import pytest

from autotuner.bench import closed_loop
from autotuner.bench.record import BatchRecord, Slice
from autotuner.bench.window import Window

TICK_NS = 50_000_000


class Course:
    """Batches of one worker: the time of each follows from when it begins, both in ms."""

    def __init__(self, time_ms):
        self._time_ms = time_ms
        self._free_ns = 0
        self.now_ns = 0
        self.record = BatchRecord(1, 0)

    def tick(self):
        """Let a tick go by and return the time."""
        self.now_ns += TICK_NS
        done = []
        while (end := self._free_ns + int(self._time_ms(self._free_ns / 1e6) * 1e6)) <= self.now_ns:
            done += [self._free_ns, end]
            self._free_ns = end
        self.record.add(0, np.array(done, dtype=np.int64).tobytes())
        return self.now_ns


def warmed(time_ms, *, budget_ms=None, most_s=1.5):
    """Return what warming up says, and the course."""
    course = Course(time_ms)
    window = Window(min_s=1.0, max_s=2.0, budget_ms=budget_ms)
    return closed_loop.warm_up(course.record, window, course.tick, most_s=most_s), course


def test_steady_batches_are_warm_soon():
    """Eight equal ones are enough."""
    settled, course = warmed(lambda _: 10.0)
    assert settled is True
    assert course.now_ns <= 150_000_000


def test_batches_that_get_faster_are_waited_for():
    """Until they do so no more."""
    settled, course = warmed(lambda at_ms: 10.0 + 20.0 * max(0.0, 1.0 - at_ms / 600.0))
    assert settled is True
    assert 600 <= course.now_ns / 1e6 <= 1500


def test_waiting_ends_some_time():
    """And it is said that they had not settled."""
    settled, course = warmed(lambda at_ms: 10.0 + at_ms / 20.0)
    assert settled is False
    assert course.now_ns == pytest.approx(1.5e9, abs=TICK_NS)


def test_hopeless_batches_are_not_waited_for():
    """Three of them show that the budget is far out of reach."""
    settled, course = warmed(lambda at_ms: 100.0 + at_ms, budget_ms=20.0)
    assert settled is None
    assert course.now_ns < 1e9


def test_one_batch_at_least_is_waited_for():
    """However long it takes."""
    settled, course = warmed(lambda _: 4000.0)
    assert settled is False
    assert course.record.counts == [1]


def test_a_stated_number_of_runs_is_waited_for():
    """As long as it takes, and no longer: steady or not."""
    course = Course(lambda _: 400.0)
    window = Window(min_s=0.0, max_s=1.0, warm_up_runs=10)
    assert closed_loop.warm_up(course.record, window, course.tick, most_s=1.5) is True
    assert course.record.counts == [10]


def ended(window, *, earlier=None, begin_ms=0):
    """Return when *window* over batches of about 10 ms ends, in ms, and the course."""
    rng = np.random.default_rng(0)
    course = Course(lambda _: 10.0 * rng.uniform(0.9, 1.1))
    times = 10.0 * rng.uniform(0.9, 1.1, earlier or 0)
    seen = None if earlier is None else Slice(times, times / 1e3)
    end_ns = closed_loop.wait_for_end(course.record, window, int(begin_ms * 1e6), seen, course.tick)
    return end_ns / 1e6, course


def test_a_window_ends_as_soon_as_it_may():
    """Not before its shortest time."""
    assert ended(Window(min_s=0.5, max_s=5.0))[0] == pytest.approx(500, abs=51)


def test_a_window_that_knows_too_little_goes_on_to_its_end():
    """A proof of p99 needs some 300 batches."""
    end_ms, _ = ended(Window(min_s=0.5, max_s=2.0, budget_ms=20.0, prove=True))
    assert end_ms == pytest.approx(2000, abs=51)


def test_what_was_seen_earlier_counts():
    """With it the proof is there at once."""
    window = Window(min_s=0.5, max_s=2.0, budget_ms=20.0, prove=True)
    assert ended(window, earlier=400)[0] == pytest.approx(500, abs=51)


def test_a_window_begins_where_it_is_said_to():
    """What ran before is not in it."""
    assert ended(Window(min_s=0.5, max_s=5.0), begin_ms=1000)[0] == pytest.approx(1500, abs=51)
