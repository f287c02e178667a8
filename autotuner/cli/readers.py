"""How the words of a command line become numbers and other values."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from autotuner.core import quantity
from autotuner.core.errors import InputError
from autotuner.core.space import Value


def read(reader: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse pass on the message of an InputError instead of its own."""

    def reading(text: str) -> Any:
        try:
            return reader(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None

    return reading


def number(text: str) -> float:
    """Return the number that *text* spells."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def positive(text: str) -> float:
    """Return the finite number above zero that *text* spells."""
    value = number(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be above zero")
    return value


def whole(text: str) -> int:
    """Return the whole number from 1 on that *text* spells."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 on")
    return int(text)


def threads(text: str) -> tuple[Value, ...]:
    """Return the numbers of threads that *text* lists; ``default`` is the runtime's, None."""
    numbers = tuple(part for part in text.split(",") if part.strip() != "default")
    found: tuple[Value, ...] = quantity.integers(",".join(numbers)) if numbers else ()
    return found if len(numbers) == len(text.split(",")) else (*found, None)


def thread_count(text: str) -> Value:
    """Return one number of threads, None for ``default``."""
    values = threads(text)
    if len(values) > 1:
        raise InputError(f"{text!r} must be one number, or `default`.")
    return values[0]


def power(text: str) -> tuple[str, float]:
    """Return the rail, empty for the whole device, and its power in W."""
    rail, _, amount = text.rpartition("=")
    return rail.strip(), quantity.watts(amount)


def switch(text: str) -> bool:
    """Return whether *text* says ``on``; raises InputError when it does not say ``off`` either."""
    if text.strip() not in {"on", "off"}:
        raise InputError(f"{text!r} must be on or off.")
    return text.strip() == "on"


def switches(text: str) -> tuple[Value, ...]:
    """Return what *text* lists of ``on`` and ``off``."""
    return tuple(map(switch, text.split(",")))


def delay(text: str) -> float:
    """Return a delay in milliseconds; 0 needs no unit."""
    return 0.0 if text.strip() in {"0", "0ms"} else quantity.milliseconds(text)


def delays(text: str) -> tuple[Value, ...]:
    """Return the delays that *text* lists, in milliseconds, ascending."""
    return tuple(sorted({delay(part) for part in text.split(",")}))
