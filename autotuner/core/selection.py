"""Which of several models to use: the most accurate one that keeps the constraints. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autotuner.core.config import Config
from autotuner.core.outcome import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One model with what tuning it showed.

    *status* is that of its tuning run, ``failed`` when there was none to finish; *why* says what
    went wrong. *config* and *measurement* are those of the winner, or of the closest one.
    *accuracy* is what the table says of the model, None without a table.
    """

    model: str
    status: Literal["ok", "infeasible", "interrupted", "failed"]
    accuracy: float | None = None
    config: Config | None = None
    measurement: Measurement | None = None
    profile: str | None = None
    why: str = ""

    @property
    def throughput_ips(self) -> float:
        """The winner's throughput, 0 where none is known."""
        measured = self.measurement
        return measured.throughput_ips or 0.0 if measured is not None else 0.0


def choose(options: Iterable[Option]) -> Option | None:
    """Return the most accurate of *options* that was proven, of equals the fastest.

    None where nothing was proven or no accuracy is known.
    """
    proven = [o for o in options if o.status == "ok" and o.accuracy is not None]
    return max(proven, key=lambda o: (o.accuracy, o.throughput_ips), default=None)


def front(options: Iterable[Option]) -> tuple[Option, ...]:
    """Return the proven *options* that no other beats in accuracy and throughput, fastest first."""
    proven = [o for o in options if o.status == "ok" and o.accuracy is not None]
    proven.sort(key=lambda o: (-o.throughput_ips, -(o.accuracy or 0.0)))
    kept: list[Option] = []
    for option in proven:
        if not kept or (option.accuracy or 0.0) > (kept[-1].accuracy or 0.0):
            kept.append(option)
    return tuple(kept)
