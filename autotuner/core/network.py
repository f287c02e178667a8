"""A network between a device and a server, as people type it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autotuner.core import quantity
from autotuner.core.errors import InputError

_MBIT = {"kbit": 1e-3, "mbit": 1.0, "gbit": 1e3}
_RATE = re.compile(r"([0-9.]+)\s*([a-z]+)", re.IGNORECASE)
_EXAMPLE = "wifi, lte, 3g or up=20mbit,rtt=10ms,tx=1.2W"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a transfer takes: *up* from the device to the server, *tx_w* what sending draws.

    *down_mbit_s* None is as fast as *up*.
    """

    up_mbit_s: float
    rtt_ms: float = 0.0
    down_mbit_s: float | None = None
    tx_w: float | None = None

    def up_ms(self, size_bytes: float) -> float:
        """Return how long the device sends, the way there and back not counted."""
        return 8e-3 * size_bytes / self.up_mbit_s

    def down_ms(self, size_bytes: float) -> float:
        """Return how long the device receives."""
        return 8e-3 * size_bytes / (self.down_mbit_s or self.up_mbit_s)


# Rates: Hu et al., "Dynamic Adaptive DNN Surgery" (2019), table I. Power: Huang et al., "A Close
# Examination of Performance and Power Characteristics of 4G LTE Networks" (2012), table 4.
NETWORKS: Mapping[str, Network] = {
    "wifi": Network(up_mbit_s=18.88, down_mbit_s=54.97, rtt_ms=5.0, tx_w=5.48),
    "lte": Network(up_mbit_s=5.85, down_mbit_s=13.76, rtt_ms=70.0, tx_w=3.85),
    "3g": Network(up_mbit_s=1.1, down_mbit_s=2.0, rtt_ms=150.0, tx_w=1.77),
}
"""Usual networks by name; the times there and back are typical ones."""


def read(text: str) -> Network:
    """Return the network that *text* names or describes; raises InputError saying what is wrong."""
    if text.lower() in NETWORKS:
        return NETWORKS[text.lower()]
    settings: dict[str, float] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in _READERS:
            raise InputError(f"{part.strip()!r} says nothing about a network; write {_EXAMPLE}.")
        name, reader = _READERS[key]
        settings[name] = reader(value)
    if "up_mbit_s" not in settings:
        raise InputError(f"The network {text!r} has no rate to send at; write {_EXAMPLE}.")
    return Network(**settings)


def _rate(text: str) -> float:
    match = _RATE.fullmatch(text)
    if match is None or match[2].lower() not in _MBIT:
        raise InputError(f"{text!r} is no rate; write it with a unit, such as 20mbit or 800kbit.")
    rate = float(match[1]) * _MBIT[match[2].lower()]
    if not 0.0 < rate < math.inf:
        raise InputError(f"The rate {text!r} must be above zero, such as 20mbit.")
    return rate


def _delay(text: str) -> float:
    return 0.0 if text in {"0", "0ms"} else quantity.milliseconds(text)


_READERS = {
    "up": ("up_mbit_s", _rate),
    "down": ("down_mbit_s", _rate),
    "rtt": ("rtt_ms", _delay),
    "tx": ("tx_w", quantity.watts),
}
