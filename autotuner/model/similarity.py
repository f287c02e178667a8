"""Signal, noise and cosine of an output beside FP32's. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_LIMIT_DB = 150.0
_APART = 1000.0
"""Channels whose powers differ by more, with none between them, hold different quantities."""


@dataclass(frozen=True, slots=True)
class _Powers:
    """The power of the reference, of the difference and of the candidate, and their product."""

    signal: Array
    noise: Array
    candidate: Array
    product: Array

    def __add__(self, other: _Powers) -> _Powers:
        return _Powers(
            self.signal + other.signal,
            self.noise + other.noise,
            self.candidate + other.candidate,
            self.product + other.product,
        )


class Similarity:
    """Gathers the powers of reference, candidate and their difference, run by run."""

    def __init__(self) -> None:
        self._total = _Powers(*(np.zeros(()) for _ in range(4)))
        self._channels: dict[int, _Powers] | None = None

    def add(self, reference: Array, candidate: Array, channel_axes: tuple[int, ...] = ()) -> None:
        """Take in one run of an output, in double precision; *channel_axes* may count channels."""
        self._total += _powers(reference, candidate, None)
        channels = {axis: _powers(reference, candidate, axis) for axis in channel_axes}
        if self._channels is None:
            self._channels = channels
            return
        # An axis whose length depends on the data counts no channels.
        self._channels = {
            axis: before + channels[axis]
            for axis, before in self._channels.items()
            if axis in channels and before.signal.shape == channels[axis].signal.shape
        }

    def cosine(self) -> float:
        """Return the cosine similarity of all runs together."""
        length = math.sqrt(float(self._total.signal) * float(self._total.candidate))
        if length == 0:
            return 1.0 if float(self._total.noise) == 0 else 0.0
        return float(self._total.product) / length

    def snr_db(self) -> float:
        """Return the lowest signal-to-noise ratio of all groups of channels."""
        return min(_decibels(signal, noise) for signal, noise in self._groups())

    def score(self) -> float:
        """Return ``1 - noise / (2 signal)`` of the worst group of channels, at least 0."""
        return min(_share_kept(signal, noise) for signal, noise in self._groups())

    def _groups(self) -> list[tuple[float, float]]:
        """Return signal and noise of the whole, and of groups of channels that lie far apart."""
        groups = [(float(self._total.signal), float(self._total.noise))]
        for powers in (self._channels or {}).values():
            order = np.argsort(powers.signal)[::-1]
            signal, noise = powers.signal[order], powers.noise[order]
            with np.errstate(divide="ignore", invalid="ignore"):
                drops = signal[:-1] / signal[1:]
            drops[~np.isfinite(drops)] = 0  # a channel that is always 0 makes no group
            if drops.size and drops.max() > _APART:
                cut = int(drops.argmax()) + 1
                groups.append((float(signal[:cut].sum()), float(noise[:cut].sum())))
                groups.append((float(signal[cut:].sum()), float(noise[cut:].sum())))
        return groups


def _powers(reference: Array, candidate: Array, axis: int | None) -> _Powers:
    axes = tuple(at for at in range(reference.ndim) if at != axis)
    return _Powers(
        np.square(reference).sum(axes),
        np.square(reference - candidate).sum(axes),
        np.square(candidate).sum(axes),
        (reference * candidate).sum(axes),
    )


def _share_kept(signal: float, noise: float) -> float:
    if noise == 0:
        return 1.0
    return max(0.0, 1 - noise / (2 * signal)) if signal else 0.0


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return _LIMIT_DB
    if signal == 0:
        return -_LIMIT_DB
    return min(_LIMIT_DB, max(-_LIMIT_DB, 10 * math.log10(signal / noise)))
