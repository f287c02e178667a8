"""Measurements as lines: one for each box, model and setting other than the batch size. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autotuner.core.config import BASELINE, Config
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.sweep import Protocol, Sweep

_CREW = ("workers", "intra_op_threads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a figure: measurements by batch size, and where there is none and why.

    *parts* are what tells it from the others, the workers first of its settings; *group* is the
    label without the workers, *crew* what there are of them and of their threads.
    """

    parts: tuple[str, ...]
    group: str
    crew: tuple[int, int]
    model: str
    protocol: Protocol
    measured: tuple[tuple[int, Measurement], ...]
    failed: tuple[tuple[int, Failed], ...] = ()

    @property
    def label(self) -> str:
        """Its name in a figure."""
        return ", ".join(self.parts)

    def values(self, metric: str) -> tuple[list[int], list[float]]:
        """Return the batch sizes at which *metric* is known, and its values."""
        known = [(size, found) for size, m in self.measured if (found := value(m, metric))]
        return [size for size, _ in known], [found for _, found in known]

    def latency_ms(self, measurement: Measurement) -> float | None:
        """Return the latency that its protocol states."""
        return value(measurement, "min_ms" if self.protocol == "embench" else "p99_ms")


def value(measurement: Measurement, metric: str) -> float | None:
    """Return a metric by its name, None where it is not known."""
    found = measurement.extra.get(metric, getattr(measurement, metric, None))
    return float(found) if isinstance(found, int | float) else None


def series(sweeps: Sequence[Sweep]) -> tuple[Series, ...]:
    """Return every line of the *sweeps*, in order of their labels.

    A label names the workers and whatever else the lines differ in.
    """
    found: dict[tuple[str, str, Protocol, Config], list[tuple[int, Measurement | Failed]]] = {}
    for sweep in sweeps:
        for point in sweep.points:
            rest = replace(point.config, batch_size=BASELINE.batch_size)
            key = (sweep.box, point.model, sweep.protocol, rest)
            found.setdefault(key, []).append((point.config.batch_size, point.outcome))
    telling = _telling(rest for *_, rest in found)
    threads = any(rest.intra_op_threads is not None for *_, rest in found)
    several = [len({key[place] for key in found}) > 1 for place in range(3)]
    lines = []
    for (box, model, protocol, rest), outcomes in found.items():
        where = (model, box, protocol)
        said = (several[1], several[0], several[2])
        words = [word for word, differs in zip(where, said, strict=True) if differs]
        after = [str(getattr(rest, name)) for name in telling]
        ordered = sorted(outcomes, key=lambda outcome: outcome[0])
        lines.append(
            Series(
                parts=(*words, _crew(rest, threads=threads), *after),
                group=", ".join([*words, *after]),
                crew=(rest.workers, rest.intra_op_threads or 0),
                model=model,
                protocol=protocol,
                measured=tuple((n, o) for n, o in ordered if isinstance(o, Measurement)),
                failed=tuple((n, o) for n, o in ordered if isinstance(o, Failed)),
            )
        )
    return tuple(sorted(lines, key=lambda line: line.label))


def _telling(configs: Iterable[Config]) -> tuple[str, ...]:
    """Return the settings beside batch size and workers in which *configs* differ."""
    settings = [config.to_mapping() for config in configs]
    names = [name for name in BASELINE.to_mapping() if name not in {"batch_size", *_CREW}]
    return tuple(name for name in names if len({config[name] for config in settings}) > 1)


def _crew(config: Config, *, threads: bool) -> str:
    """Return the workers in words, and their *threads*."""
    bare = replace(BASELINE, workers=config.workers, intra_op_threads=config.intra_op_threads)
    words = str(bare).partition(", ")[2]
    return words if threads else words.partition(" x ")[0]
