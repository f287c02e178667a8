"""Turn frozen dataclasses into plain JSON data and back, checking what comes in."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from autotuner.core.errors import InputError


def encode(value: Any) -> Any:
    """Return *value* as plain JSON data; fields that are None or empty by default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        required = _required(type(value))
        return {
            field.name: encode(item)
            for field in dataclasses.fields(value)
            for item in [getattr(value, field.name)]
            # An empty tuple says something else than None where None is the default.
            if field.name in required
            or item not in (None, {}, ())
            or (item is not None and field.default is None)
        }
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(cls: Any, data: Any, *, where: str = "") -> Any:
    """Return *data*, as :func:`encode` made it, as a value of type *cls*.

    Raises InputError naming the place of a field that is unknown, missing or of another type.
    """
    origin = get_origin(cls)
    if cls is Any:
        return data
    if origin in {Union, types.UnionType}:
        return _decode_union(get_args(cls), data, where)
    if origin is Literal:
        if data not in get_args(cls):
            raise _mismatch(where, "one of " + ", ".join(map(str, get_args(cls))), data)
        return data
    if isinstance(cls, type) and dataclasses.is_dataclass(cls):
        return _decode_dataclass(cls, data, where)
    if origin is tuple:
        return _decode_tuple(get_args(cls), data, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise _mismatch(where, "a mapping", data)
        _, item_type = get_args(cls)
        return {
            # The same few names come with every measurement.
            sys.intern(str(key)): decode(item_type, item, where=f"{where}.{key}")
            for key, item in data.items()
        }
    return _decode_scalar(cls, data, where)


def _decode_scalar(cls: Any, data: Any, where: str) -> Any:
    if cls is type(None) and data is None:
        return None
    if cls is float and isinstance(data, int) and not isinstance(data, bool):
        if abs(data) > sys.float_info.max:
            raise _mismatch(where, "a float", data)
        return float(data)
    if isinstance(data, cls) and not (isinstance(data, bool) and cls is not bool):
        return data
    raise _mismatch(where, cls.__name__, data)


def _decode_dataclass(cls: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _mismatch(where, "a mapping", data)
    hints = _hints(cls)
    required = _required(cls)
    for name in data:
        if name not in hints:
            raise InputError(f"{_at(where, name)} is not known here; remove it or check its name.")
    for name in hints:
        if name in required and name not in data:
            raise InputError(f"{_at(where, name)} is missing; add it.")
    values = {k: decode(hints[k], v, where=_at(where, k)) for k, v in data.items()}
    try:
        return cls(**values)
    except ValueError as error:
        raise InputError(f"{where or 'The value'} is not valid: {error}.") from error


def _decode_union(members: Sequence[Any], data: Any, where: str) -> Any:
    if data is None and type(None) in members:
        return None
    choices = [member for member in members if member is not type(None)]
    if isinstance(data, Mapping):
        # A union of dataclasses: the first whose fields these are.
        for choice in choices:
            if not (isinstance(choice, type) and dataclasses.is_dataclass(choice)):
                continue
            if _required(choice) <= set(data) <= set(_hints(choice)):
                return decode(choice, data, where=where)
    if len(choices) == 1:
        return decode(choices[0], data, where=where)
    for choice in choices:
        if isinstance(choice, type) and type(data) is choice:
            return data
    names = " or ".join(getattr(choice, "__name__", str(choice)) for choice in choices)
    raise _mismatch(where, names, data)


def _decode_tuple(members: Sequence[Any], data: Any, where: str) -> Any:
    if not isinstance(data, list | tuple):
        raise _mismatch(where, "a list", data)
    if len(members) == 2 and members[1] is Ellipsis:
        members = [members[0]] * len(data)
    if len(members) != len(data):
        raise _mismatch(where, f"a list of {len(members)}", data)
    return tuple(
        decode(member, item, where=f"{where}[{i}]")
        for i, (member, item) in enumerate(zip(members, data, strict=True))
    )


@cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


@cache
def _required(cls: Any) -> frozenset[str]:
    missing = dataclasses.MISSING
    return frozenset(
        field.name
        for field in dataclasses.fields(cls)
        if field.default is missing and field.default_factory is missing
    )


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _mismatch(where: str, wanted: str, data: Any) -> InputError:
    return InputError(f"{where or 'The value'} should be {wanted}, not {data!r:.60}.")
