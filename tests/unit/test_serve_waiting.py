from __future__ import annotations

import threading
from concurrent.futures import Future
from multiprocessing import Pipe

import numpy as np
import pytest

from autotuner.model.shapes import InputTensor
from autotuner.serve.layout import BatchLayout
from autotuner.serve.waiting import WaitingLine, Work

LAYOUT = BatchLayout(
    tensors=(InputTensor(name="x", element_type="float32", sample_shape=()),), batch_size=3
)


def line(*, max_delay_s=0.0, most=100):
    """Return an empty line."""
    return WaitingLine(LAYOUT, max_delay_s=max_delay_s, most=most)


def sample(number):
    """Return one sample."""
    return {"x": np.array([number], np.float32)}


def batch(*numbers):
    """Return a whole batch."""
    arrays = {"x": np.array(numbers, np.float32)}
    return Work(arrays=arrays, count=len(numbers), futures=[Future()])


def taken(waiting):
    """Return the samples of the batch that may go now."""
    work = waiting.take(wait=False)
    return None if work is None else work.arrays["x"].tolist()


def test_samples_that_wait_go_together():
    """In the order of their arrival, at most a full batch; each has a future of its own."""
    waiting = line()
    futures = [waiting.add_sample(sample(n), None) for n in range(4)]
    work = waiting.take(wait=False)
    assert (work.arrays["x"].tolist(), work.futures) == ([0, 1, 2], futures[:3])
    assert taken(waiting) == [3]
    assert taken(waiting) is None


def test_a_batch_may_wait_to_be_filled():
    """A full one goes at once; a closed line waits for nobody."""
    waiting = line(max_delay_s=1000.0)
    waiting.add_sample(sample(0), None)
    assert taken(waiting) is None
    waiting.add_sample(sample(1), None)
    waiting.add_sample(sample(2), None)
    assert taken(waiting) == [0, 1, 2]


def test_what_is_put_back_goes_first():
    """In its former order: its worker died."""
    waiting = line()
    waiting.add_batch(batch(7), None)
    waiting.put_back([batch(1), batch(2)])
    assert [taken(waiting) for _ in range(4)] == [[1], [2], [7], None]


def test_whoever_brings_too_much_waits():
    """Until something was taken; with a limit they are told that there was no room."""
    waiting = line(most=2)
    for n in range(2):
        waiting.add_sample(sample(n), None)
    assert waiting.add_sample(sample(2), 0.0) is None
    assert not waiting.add_batch(batch(2), 0.0)
    late = threading.Thread(target=lambda: waiting.add_batch(batch(3), None))
    late.start()
    assert taken(waiting) == [0, 1]
    late.join(timeout=10)
    assert taken(waiting) == [3]


def test_closing_returns_what_was_left():
    """And nothing is taken in any more; who waits for work is woken."""
    waiting = line()
    got = []
    worker = threading.Thread(target=lambda: got.append(waiting.take(wait=True)))
    worker.start()
    assert waiting.close() == []
    worker.join(timeout=10)
    assert got == [None]
    with pytest.raises(RuntimeError, match="closed"):
        waiting.add_sample(sample(1), None)


def test_what_was_left_can_be_told():
    """Every future of it."""
    waiting = line(max_delay_s=1000.0)
    future = waiting.add_sample(sample(0), None)
    whole = batch(1)
    waiting.add_batch(whole, None)
    assert [work.futures for work in waiting.close()] == [whole.futures, [future]]


def test_whoever_has_something_to_do_waits_for_work_and_answers_alike():
    """Whichever is first; work that came before is taken at once."""
    waiting = line()
    ours, theirs = Pipe()
    with ours, theirs, waiting.bell() as bell:
        waiting.add_batch(batch(1), None)
        assert waiting.take_before(ours, bell).arrays["x"].tolist() == [1]
        theirs.send("an answer")
        assert waiting.take_before(ours, bell) is None
        assert ours.recv() == "an answer"
        later = threading.Thread(target=lambda: waiting.add_batch(batch(2), None))
        later.start()
        assert waiting.take_before(ours, bell).arrays["x"].tolist() == [2]
        later.join()
        waiting.close()
        assert waiting.take_before(ours, bell) is None


def test_a_delay_ends_without_a_sound():
    """A batch that nobody fills goes when it has waited long enough."""
    waiting = line(max_delay_s=0.01)
    ours, theirs = Pipe()
    with ours, theirs, waiting.bell() as bell:
        waiting.add_sample(sample(5), None)
        assert waiting.take_before(ours, bell).arrays["x"].tolist() == [5]
