"""What the harness and a worker process say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.model.inputs import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The worker is up and has imported what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Load the model under *config* as session *key*, on the CPUs *cpus* (None: leave them)."""

    key: int
    model: Path
    config: Config
    inputs: InputSpec
    cpus: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The session is ready; its first inference is done."""

    key: int
    load_s: float
    first_inference_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The session could not be loaded, or a batch raised."""

    key: int
    failed: Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run batches of session *key* back to back, on all of its streams, until told to stop."""

    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Batches of one stream: start and end in nanoseconds of CLOCK_MONOTONIC, in turn."""

    times_ns: bytes
    stream: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch:
    """Run one batch of session *key* on *stream*, of *size* samples, at most a full batch."""

    key: int
    stream: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDone:
    """The batch that was asked for on *stream* is done, and its outputs are there."""

    stream: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Infer:
    """Run session *key* once over *inputs*, at most *most_runs* batches, and show the outputs."""

    key: int
    inputs: InputSpec
    most_runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The outputs of one batch, in the model's order."""

    arrays: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferred:
    """All outputs were shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Finish the batch in hand and say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The worker is idle; *peak_memory_mib* is its peak since the session was loaded."""

    peak_memory_mib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unload:
    """Drop session *key* and give its memory back."""

    key: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unloaded:
    """The session is gone and its memory given back."""


ToWorker = Load | Run | RunBatch | Infer | Stop | Unload
FromWorker = (
    Hello | Loaded | Refused | Batches | BatchDone | Outputs | Inferred | Stopped | Unloaded
)
