from __future__ import annotations

import json
from typing import get_args

import pytest
from core_values import all_events, quickly
from hypothesis import given

from autotuner.core import events
from autotuner.core.config import Config
from autotuner.core.errors import InputError, ProtocolError
from autotuner.core.events import Event, Note, TrialDone, decode_event, encode_event
from autotuner.core.outcome import Failed


@quickly
@given(all_events)
def test_every_event_survives_the_way_through_json(event):
    """What a client receives equals what the job said."""
    arrived = json.loads(json.dumps(encode_event(event), allow_nan=False))
    assert decode_event(arrived) == event


def test_every_kind_of_event_has_a_name_of_its_own():
    """No event can be defined and then not be sent."""
    kinds = get_args(Event)
    assert set(events._NAMES) == set(kinds)
    assert len(events._BY_NAME) == len(kinds)


def test_every_ending_is_an_event():
    """The last event travels the same way as the others."""
    assert set(get_args(events.Ending)) < set(get_args(Event))


def test_an_event_says_its_name_beside_its_fields():
    """The plain form is one flat mapping."""
    done = TrialDone(phase="search", config=Config(), outcome=Failed("oom"))
    data = encode_event(done)
    assert data["event"] == "trial_done"
    assert data["outcome"] == {"reason": "oom", "detail": ""}


def test_decoding_leaves_what_arrived_untouched():
    """The mapping belongs to the caller."""
    data = {"event": "note", "text": "hello"}
    assert decode_event(data) == Note(text="hello")
    assert data == {"event": "note", "text": "hello"}


@pytest.mark.parametrize("data", [{}, {"event": "party"}, {"event": None}, {"text": "hello"}])
def test_an_unknown_event_is_a_misunderstanding_between_versions(data):
    """The user can do something about it: restart the daemon."""
    with pytest.raises(ProtocolError, match="restart the daemon"):
        decode_event(data)


def test_a_known_event_with_wrong_fields_names_the_field():
    """The name of the event alone is not trusted."""
    with pytest.raises(InputError, match="text is missing"):
        decode_event({"event": "note"})
