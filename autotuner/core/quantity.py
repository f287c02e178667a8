"""Quantities as people type them: durations and sizes with units, lists and ranges of values."""

from __future__ import annotations

import math
import re

from autotuner.core.errors import InputError

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_MIB = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "MB": 1e6 / 2**20, "GB": 1e9 / 2**20}
_WATTS = {"mW": 1e-3, "W": 1.0, "kW": 1e3}
_PARTS = {"%": 0.01, "part": 1.0}
_NUMBER_AND_UNIT = re.compile(r"\s*([+-]?[0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-zA-Zµ%]*)\s*")
_MOST_VALUES = 4096


def seconds(text: str) -> float:
    """Return a duration such as ``500us``, ``50ms``, ``0.05s`` or ``2m`` in seconds.

    Raises InputError when the number or unit is missing or unknown, or it is not above zero.
    """
    return _quantity(text.replace("µs", "us"), _SECONDS, "duration", "50ms, 0.05s or 2m")


def milliseconds(text: str) -> float:
    """Return a duration in milliseconds; see :func:`seconds`."""
    return seconds(text) * 1e3


def mebibytes(text: str) -> float:
    """Return a size such as ``512MiB`` or ``4GiB`` in MiB; raises InputError like seconds."""
    return _quantity(text, _MIB, "size", "512MiB or 4GiB")


def watts(text: str) -> float:
    """Return a power such as ``7.5W`` or ``800mW`` in W; raises InputError like seconds."""
    return _quantity(text, _WATTS, "power", "15W or 800mW")


def share(text: str) -> float:
    """Return a part of the whole such as ``0.5%`` or ``0.005``; raises InputError like seconds."""
    return _quantity(text if text.endswith("%") else f"{text}part", _PARTS, "share", "0.5%")


def integers(text: str) -> tuple[int, ...]:
    """Return the positive integers that *text* lists: ``8``, ``1,2,4`` or ``1..32``.

    A range has every integer of it. Raises InputError for anything else.
    """
    values: list[int] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()):
            raise InputError(f"{text!r} is no list of numbers; write 8, 1,2,4 or 1..32.")
        low, high = int(first), int(last or first)
        if low < 1 or high < low:
            raise InputError(f"{part.strip()!r} is no range of positive numbers; write 1..32.")
        if high - low >= _MOST_VALUES:
            raise InputError(f"{part.strip()!r} has more than {_MOST_VALUES} values; narrow it.")
        values.extend(range(low, high + 1))
    return tuple(dict.fromkeys(values))


def words(text: str) -> tuple[str, ...]:
    """Return the words that *text* lists, separated by commas; raises InputError for none."""
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found:
        raise InputError(f"{text!r} lists nothing; write one or more names, such as none,compact.")
    return found


def _quantity(text: str, units: dict[str, float], what: str, example: str) -> float:
    match = _NUMBER_AND_UNIT.fullmatch(text)
    try:
        number = float(match[1]) if match else None
    except ValueError:
        number = None
    if match is None or number is None:
        raise InputError(f"{text!r} is no {what}; write it with a unit, such as {example}.")
    if match[2] not in units:
        problem = f"has the unknown unit {match[2]!r}" if match[2] else "has no unit"
        raise InputError(f"The {what} {text!r} {problem}; write it such as {example}.")
    if not 0 < number < math.inf:
        raise InputError(f"The {what} {text!r} must be above zero and finite, such as {example}.")
    return number * units[match[2]]
