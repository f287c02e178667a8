"""Measurements as lines: one for each box, model and setting other than the batch size. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotuner.core.config import BASELINE, Config
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.sweep import Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a figure: measurements by batch size, and where there is none and why."""

    label: str
    model: str
    measured: tuple[tuple[int, Measurement], ...]
    failed: tuple[tuple[int, Failed], ...] = ()

    def values(self, metric: str) -> tuple[list[int], list[float]]:
        """Return the batch sizes at which *metric* is known, and its values."""
        known = [(size, value) for size, m in self.measured if (value := _value(m, metric))]
        return [size for size, _ in known], [value for _, value in known]


def series(sweeps: Sequence[Sweep]) -> tuple[Series, ...]:
    """Return every line of the *sweeps*, in order of their labels."""
    boxes = {sweep.box for sweep in sweeps}
    models = {point.model for sweep in sweeps for point in sweep.points}
    lines: dict[tuple[str, str, Config], list[tuple[int, Measurement | Failed]]] = {}
    for sweep in sweeps:
        for point in sweep.points:
            rest = replace(point.config, batch_size=BASELINE.batch_size)
            key = (sweep.box, point.model, rest)
            lines.setdefault(key, []).append((point.config.batch_size, point.outcome))
    found = []
    for (box, model, rest), outcomes in lines.items():
        words = [model] if len(models) > 1 else []
        words += [box] if len(boxes) > 1 else []
        words.append(str(rest).partition(", ")[2])
        ordered = sorted(outcomes, key=lambda outcome: outcome[0])
        found.append(
            Series(
                label=", ".join(words),
                model=model,
                measured=tuple((n, o) for n, o in ordered if isinstance(o, Measurement)),
                failed=tuple((n, o) for n, o in ordered if isinstance(o, Failed)),
            )
        )
    return tuple(sorted(found, key=lambda line: line.label))


def _value(measurement: Measurement, metric: str) -> float | None:
    found = measurement.extra.get(metric, getattr(measurement, metric, None))
    return float(found) if isinstance(found, int | float) else None
