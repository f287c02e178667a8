"""What client and daemon write to each other: JSON-RPC 2.0, one message a line. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotuner.core.errors import ProtocolError

PROTOCOL = 1
"""Raised when a message changes its meaning; client and daemon must agree on it."""

MAX_MESSAGE_BYTES = 1 << 20

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32000
"""The request was understood and cannot be carried out; the message says why."""
FORBIDDEN = -32001
"""Whoever asked may not do that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, or a notification when *id* is None."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    id: int | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to a request: a result or an error."""

    id: int | str | None
    result: Any = None
    error: str | None = None


def call(method: str, params: Mapping[str, Any], id_: int | None = None) -> bytes:
    """Return a request as a line; a notification without *id_*."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return _line(message if id_ is None else {**message, "id": id_})


def result(id_: int | str, value: Any) -> bytes:
    """Return the line that answers request *id_*."""
    return _line({"jsonrpc": "2.0", "id": id_, "result": value})


def error(id_: int | str | None, code: int, message: str) -> bytes:
    """Return the line that refuses request *id_*, None when that could not be read."""
    return _line({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}})


def parse(line: bytes) -> Call | Reply:
    """Return the message in *line*; raises ProtocolError for anything else."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise ProtocolError("The message is no JSON; send one JSON-RPC 2.0 object a line.") from (
            problem
        )
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise ProtocolError("The message is no JSON-RPC 2.0 object.")
    id_ = message.get("id")
    if id_ is not None and (isinstance(id_, bool) or not isinstance(id_, int | str)):
        raise ProtocolError("The id of a message is a number or a string.")
    if "method" in message:
        method, params = message["method"], message.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            raise ProtocolError("A request has a method's name and its parameters by name.")
        return Call(method=method, params=params, id=id_)
    if "result" in message:
        return Reply(id=id_, result=message["result"])
    refusal = message.get("error")
    text = refusal.get("message") if isinstance(refusal, dict) else None
    if not isinstance(text, str):
        raise ProtocolError("An answer has a result, or an error with its message.")
    return Reply(id=id_, error=text)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"
