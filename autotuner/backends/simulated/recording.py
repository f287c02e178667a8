"""The recording of a real box: what every configuration of a grid showed there, to be replayed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autotuner.backends.simulated.behaviour import LEVELS, Behaviour, Heat, Quantiles, Rail
from autotuner.core.config import Config
from autotuner.core.encoding import decode
from autotuner.core.errors import InputError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.outcome import Failed
from autotuner.core.request import Workload

SCHEMA = 1

_MIB_PER_GIB = 1024.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What a configuration showed; *batch_ms* are the quantiles of its batch times.

    They stand at the levels of the recording. *correlation* is that of neighbouring batches.
    """

    batch_ms: tuple[float, ...]
    correlation: float
    load_s: float
    first_inference_s: float
    memory_mib: float | None = None
    power_w: float | None = None
    rails_w: Mapping[str, float] = field(default_factory=dict)
    clock_mhz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One configuration of the grid: either its times, or why there are none."""

    config: Config
    times: Times | None = None
    failed: Failed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A grid that was measured on one box with one model.

    *created* is the time in UTC, ISO 8601; *levels* are the quantiles in per cent.
    """

    schema: int = SCHEMA
    tool_version: str
    created: str
    model: str
    workload: Workload
    fingerprint: Fingerprint
    levels: tuple[float, ...] = LEVELS
    entries: tuple[Recorded, ...]


def read(path: Path) -> Recording:
    """Return the recording in the file at *path*; raises InputError when it is damaged."""
    again = "Make it again with `autotune record`."
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"There is no recording {path}; check the path.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}; check its permissions.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"The recording {path} is damaged: it is no JSON. {again}") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if type(schema) is not int or schema < 1:
        raise InputError(f"{path} is no recording: it has no schema number. {again}")
    if schema > SCHEMA:
        raise InputError(
            f"The recording {path} has schema {schema} and this version knows {SCHEMA}; "
            "install a newer edge-autotune."
        )
    try:
        recording: Recording = decode(Recording, data)
        _check(recording)
    except InputError as error:
        raise InputError(f"The recording {path} is damaged: {error} {again}") from error
    return recording


def _check(recording: Recording) -> None:
    if not any(entry.times for entry in recording.entries):
        raise InputError("it holds no configuration that was measured.")
    if recording.levels != LEVELS:
        raise InputError("its quantiles are not those of this version.")
    for entry in recording.entries:
        if entry.times is None:
            if entry.failed is None:
                raise InputError(f"({entry.config}) has neither times nor a reason why.")
            continue
        ms = entry.times.batch_ms
        rising = all(0.0 < a <= b < np.inf for a, b in itertools.pairwise(ms))
        if len(ms) != len(LEVELS) or not rising:
            raise InputError(f"the batch times of ({entry.config}) are no rising quantiles.")
        if not 0.0 <= entry.times.correlation < 1.0:
            raise InputError(f"the correlation of ({entry.config}) is not from 0 to below 1.")


@dataclass(frozen=True, kw_only=True)
class RecordedDevice:
    """The box of a *recording* called *name*; see :class:`Device` for the interface."""

    name: str
    recording: Recording

    @property
    def memory_mib(self) -> float:
        """The memory of the box that was recorded; no limit when that is not known."""
        gib = self.recording.fingerprint.memory_gib
        return np.inf if gib is None else gib * _MIB_PER_GIB

    @property
    def heat(self) -> Heat | None:
        """None: what heat did is in the times."""
        return None

    @property
    def configs(self) -> tuple[Config, ...]:
        """Every configuration that was recorded, failed ones included."""
        return tuple(self._entries)

    @property
    def measures_power(self) -> bool:
        """Say whether all that was measured has its power."""
        timed = [entry.times for entry in self.recording.entries if entry.times]
        return all(times.power_w is not None for times in timed)

    @cached_property
    def _entries(self) -> dict[Config, Recorded]:
        return {entry.config: entry for entry in self.recording.entries}

    def behaviour(self, config: Config) -> Behaviour | Failed:
        """Return how *config* ran when it was recorded, whatever its queue delay."""
        config = replace(config, max_queue_delay_ms=None)
        entry = self._entries.get(config)
        if entry is None:
            return Failed("unsupported", f"({config}) was not recorded")
        if (times := entry.times) is None:
            assert entry.failed is not None, "reading checks that"
            return entry.failed
        return Behaviour(
            load_s=times.load_s,
            first_inference_s=times.first_inference_s,
            quantiles_ms=lambda size: self._quantiles_ms(config, size),
            correlation=times.correlation,
            memory_mib=times.memory_mib,
            clock_mhz=times.clock_mhz,
            rails={name: Rail(idle_w=w, busy_w=w) for name, w in _rails_w(times).items()},
        )

    def _quantiles_ms(self, config: Config, size: int) -> Quantiles:
        """Return those of the smallest batch that was recorded and holds *size* samples."""
        larger = (replace(config, batch_size=b) for b in range(size, config.batch_size + 1))
        known = (self._entries[c].times for c in larger if c in self._entries)
        times = next(times for times in known if times is not None)
        return np.asarray(times.batch_ms)


def _rails_w(times: Times) -> Mapping[str, float]:
    """Return the power by rail; what no rail tells is one of its own."""
    if times.power_w is None:
        return {}
    rest = times.power_w - sum(times.rails_w.values())
    return {**times.rails_w, "SYSTEM": rest} if rest > 0.0 else times.rails_w


def quantiles(latencies_ms: Any) -> tuple[float, ...]:
    """Return the quantiles of *latencies_ms*, shape (n,), at :data:`LEVELS`."""
    return tuple(float(q) for q in np.quantile(latencies_ms, np.array(LEVELS) / 100.0))
