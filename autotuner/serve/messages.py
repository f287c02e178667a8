"""What the pool and a serving worker say to each other; inputs lie in shared memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.core.config import Config
from autotuner.core.outcome import Failed
from autotuner.serve.layout import BatchLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Load the graph *model* under *config*, once for each of its streams, on the CPUs *cpus*.

    None leaves the CPUs as they are. *slots* batches have room in the shared memory;
    *whole_batches* says that the model takes no smaller batch than a full one.
    """

    model: Path
    config: Config
    cpus: frozenset[int] | None
    layout: BatchLayout
    slots: int
    whole_batches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The sessions are ready; their first inference is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopened:
    """A session could not be opened."""

    failed: Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Run the first *count* samples in *slot*."""

    slot: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the model answered to the feed in *slot*, in the model's order."""

    slot: int
    arrays: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The feed in *slot* could not be run."""

    slot: int
    failed: Failed


ToServer = Open | Feed
FromServer = Opened | Unopened | Outputs | Refused
