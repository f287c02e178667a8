from __future__ import annotations

import pytest

from autotuner.core.errors import StateError
from autotuner.daemon.record import JobRecord, Submitted, Wishes

REQUEST = Submitted(kind="measure", request={"seconds": 2.0}, priority=3, submitted=12.5)
NOTE = {"event": "note", "text": "hello"}
END = {"event": "job_failed", "message": "no"}


def with_events(folder, *events):
    """Return a new record to which *events* were added."""
    record = JobRecord.create(folder, REQUEST)
    for event in events:
        record.append(record.stamp(event))
    return record


def test_a_record_is_read_as_it_was_made(tmp_path):
    """The request, what was wished, and where the numbers stand."""
    record = with_events(tmp_path, NOTE, NOTE)
    record.wish(Wishes(paused=True))
    assert JobRecord.read(record.folder) == record


def test_a_job_has_ended_when_its_last_event_is_an_ending(tmp_path):
    """That is how the next daemon knows."""
    assert JobRecord.read(with_events(tmp_path, NOTE, END).folder).ended
    assert not JobRecord.read(with_events(tmp_path, END, NOTE).folder).ended


def test_a_torn_event_was_never_told(tmp_path):
    """It is cut off, and its number is given to the next."""
    record = with_events(tmp_path, NOTE)
    with (record.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"job": "x", "n": 1, "t"')
    again = JobRecord.read(record.folder)
    again.append(again.stamp(END))
    assert [event["n"] for event in again.events()] == [0, 1]


def test_damage_in_the_middle_keeps_what_came_before(tmp_path):
    """What follows is kept beside, for whoever wants to look."""
    record = with_events(tmp_path, NOTE, NOTE, NOTE)
    path = record.folder / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0\0\0\n" + lines[2])
    assert [event["n"] for event in JobRecord.read(record.folder).events()] == [0]
    assert (record.folder / "events.damaged").read_bytes() == b"\0\0\0\n" + lines[2]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"kind": 7, "request": {}}', '{"kind": "m", "request": {}, "x": 1}']
)
def test_a_damaged_request_is_said(tmp_path, content):
    """With the folder's name."""
    record = with_events(tmp_path)
    (record.folder / "request.json").write_text(content)
    with pytest.raises(StateError, match=record.id):
        JobRecord.read(record.folder)


def test_the_priority_does_not_make_a_request_another():
    """Nor does its time."""
    assert REQUEST.asks_the_same_as(Submitted(kind="measure", request={"seconds": 2.0}))
    assert not REQUEST.asks_the_same_as(Submitted(kind="measure", request={"seconds": 3.0}))
