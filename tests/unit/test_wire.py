from __future__ import annotations

import contextlib
import json

import pytest
from core_values import quickly
from hypothesis import given
from hypothesis import strategies as st

from autotuner import wire
from autotuner.core.errors import ProtocolError

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
).filter(lambda value: "Infinity" not in json.dumps(value))
parameters = st.dictionaries(st.text(), plain, max_size=3)


@quickly
@given(st.text(), parameters, st.integers() | st.none())
def test_a_call_arrives_as_it_was_sent(method, params, id_):
    """Whatever its parameters hold; without an id it is a notification."""
    line = wire.call(method, params, id_)
    assert wire.parse(line) == wire.Call(method=method, params=params, id=id_)


@quickly
@given(st.integers() | st.text(), plain)
def test_a_result_arrives_as_it_was_sent(id_, value):
    """Under the id of its request."""
    assert wire.parse(wire.result(id_, value)) == wire.Reply(id=id_, result=value)


@pytest.mark.parametrize("id_", [7, "seven", None])
def test_a_refusal_arrives_with_its_words(id_):
    """Also where the request's id could not be read."""
    line = wire.error(id_, wire.REFUSED, "The disk is full.")
    assert wire.parse(line) == wire.Reply(id=id_, error="The disk is full.")


def test_a_refusal_says_its_code():
    """For clients of other makers, as JSON-RPC 2.0 wants it."""
    message = json.loads(wire.error(1, wire.METHOD_NOT_FOUND, "no such method"))
    assert message["error"] == {"code": -32601, "message": "no such method"}


@quickly
@given(parameters)
def test_a_message_is_one_line(params):
    """The line's end is the message's end, so no text inside may hold one."""
    line = wire.call("m", params, 1)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_what_json_does_not_know_is_never_sent(figure):
    """Other parsers would refuse the whole message."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        wire.call("m", {"figure": figure})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"hello",
        b"{",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"jsonrpc":"1.0","method":"m"}',
        b'{"jsonrpc":"2.0","method":7}',
        b'{"jsonrpc":"2.0","method":"m","params":[1]}',
        b'{"jsonrpc":"2.0","method":"m","params":null}',
        b'{"jsonrpc":"2.0","method":"m","id":true}',
        b'{"jsonrpc":"2.0","method":"m","id":1.5}',
        b'{"jsonrpc":"2.0","method":"m","id":[]}',
        b'{"jsonrpc":"2.0","id":{},"result":1}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"error":"broken"}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":7}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(line):
    """Never misread as an answer, and never any other exception."""
    with pytest.raises(ProtocolError):
        wire.parse(line)


@quickly
@given(st.binary(max_size=40) | plain.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_message_or_refused(line):
    """Nothing that arrives can end the daemon."""
    with contextlib.suppress(ProtocolError):
        assert wire.parse(line)


def test_fields_that_a_later_version_adds_are_passed_over():
    """An extra member does not break an older reader."""
    line = b'{"jsonrpc":"2.0","method":"m","params":{},"id":1,"trace":"abc"}'
    assert wire.parse(line) == wire.Call(method="m", id=1)
