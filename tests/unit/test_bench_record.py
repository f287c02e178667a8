from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.record import BatchRecord, Slice

MS = 1_000_000


def times(*batches_ms):
    """Return the bytes that a worker sends for batches given as (start, end) in ms."""
    return (np.array(batches_ms, dtype=np.int64) * MS).tobytes()


def test_a_fresh_record_shows_nothing():
    """Before the first batch the last end is the beginning."""
    record = BatchRecord(2, 5 * MS)
    assert record.counts == [0, 0]
    assert record.last_end_ns == [5 * MS, 5 * MS]
    assert record.between(0, 10 * MS).empty


def test_counts_and_last_ends_are_kept_by_worker():
    """A worker that has gone silent can be told from one that works."""
    record = BatchRecord(2, 0)
    record.add(0, times((0, 10), (10, 25)))
    record.add(1, b"")
    assert record.counts == [2, 0]
    assert record.last_end_ns == [25 * MS, 0]


def test_latencies_are_in_milliseconds_and_cycles_in_seconds():
    """A cycle reaches to the same worker's next start, for the last batch to its end."""
    record = BatchRecord(1, 0)
    record.add(0, times((0, 10), (12, 22)))
    record.add(0, times((30, 35)))
    found = record.between(0, 100 * MS)
    assert found.latencies_ms.tolist() == [10.0, 10.0, 5.0]
    assert found.cycles_s.tolist() == pytest.approx([0.012, 0.018, 0.005])


def test_a_batch_belongs_to_the_window_in_which_it_started():
    """A slow batch that outlives the window counts; one that began before it does not."""
    record = BatchRecord(1, 0)
    record.add(0, times((0, 10), (10, 20), (20, 90)))
    found = record.between(10 * MS, 21 * MS)
    assert found.latencies_ms.tolist() == [10.0, 70.0]


def test_windows_that_touch_share_no_batch():
    """The beginning belongs to a window, its end does not."""
    record = BatchRecord(1, 0)
    record.add(0, times((0, 10), (10, 20)))
    assert record.between(0, 10 * MS).latencies_ms.tolist() == [10.0]
    assert record.between(10 * MS, 20 * MS).latencies_ms.tolist() == [10.0]


def test_the_batches_of_all_workers_come_in_the_order_in_which_they_started():
    """Serial correlation is judged over what happened side by side."""
    record = BatchRecord(2, 0)
    record.add(1, times((1, 4), (5, 9)))
    record.add(0, times((0, 2), (3, 10)))
    assert record.between(0, 100 * MS).latencies_ms.tolist() == [2.0, 3.0, 7.0, 4.0]


def test_a_later_slice_follows_an_earlier_one():
    """Joining keeps the order of both."""
    first, second = Slice(np.array([1.0]), np.array([0.1])), Slice(np.array([2.0]), np.array([0.2]))
    joined = first.followed_by(second)
    assert joined.latencies_ms.tolist() == [1.0, 2.0]
    assert joined.cycles_s.tolist() == [0.1, 0.2]
    assert not joined.empty
