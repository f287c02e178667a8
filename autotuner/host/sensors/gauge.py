"""A number in a file of the kernel, read again and again."""

from __future__ import annotations

import os
from pathlib import Path

from autotuner.host.sensors.base import CLOSED, Reading, unavailable

_BYTES = 64


class Gauge:
    """Reads the number in the file at *path*, times *scale*, through a descriptor that stays open.

    A file that cannot be opened or read now is tried again at the next reading: devices sleep, go
    and come back.
    """

    def __init__(self, path: Path, name: str, unit: str, scale: float = 1.0) -> None:
        self.name = name
        self.unit = unit
        self._path = path
        self._scale = scale
        self._descriptor: int | None = None
        self._closed = False

    def read(self) -> Reading:
        """Return the number, or why there is none."""
        try:
            return self.reading(self.number() * self._scale)
        except ValueError as error:
            return self.missing(str(error))

    def number(self) -> float:
        """Return the number as it stands in the file; raises ValueError saying why it cannot."""
        if self._closed:
            raise ValueError(CLOSED)
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            text = os.pread(self._descriptor, _BYTES, 0)
        except OSError as error:
            self._release()
            raise ValueError(f"{self._path}: {error.strerror}") from None
        try:
            return float(text)
        except ValueError:
            shown = text.decode(errors="replace").strip()
            said = f"holds {shown!r}, which is no number" if shown else "is empty: it may sleep"
            raise ValueError(f"{self._path} {said}") from None

    def reading(self, value: float) -> Reading:
        """Return *value* under this gauge's name."""
        return Reading(name=self.name, value=value, unit=self.unit)

    def missing(self, why: str) -> Reading:
        """Return that there is no value, and *why*."""
        return unavailable(self.name, self.unit, why)

    def close(self) -> None:
        """Give the descriptor back."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
