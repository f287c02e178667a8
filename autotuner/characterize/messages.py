"""What is said between the one who asks for layer times and the process that times them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autotuner.backends.layers import ProfiledRun
from autotuner.core.config import Config
from autotuner.core.layer_profile import Ceilings, Counters
from autotuner.core.outcome import Failed
from autotuner.model.inputs import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Time the layers of *model* under *config* on the CPUs *cpus* (None: leave them)."""

    model: Path
    config: Config
    inputs: InputSpec
    cpus: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the machine can do at most, and what its processor counted, or why it did not."""

    ceilings: Ceilings | None
    counted: Counters | str


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """One more round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Batches without timed layers, then batches with."""

    plain_s: tuple[float, ...]
    runs: tuple[ProfiledRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOrder:
    """Run the model *whole* and its parts *first* and *second*, each under its configuration."""

    whole: Path
    first: Path
    second: Path
    first_config: Config
    second_config: Config
    inputs: InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTurn:
    """Median batches, one after the other: the whole model as on either side, and both parts."""

    whole_s: tuple[float, float]
    parts_s: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRun:
    """Whole and parts in turn, and how far the parts' outputs are from the whole model's.

    *largest_difference* is relative to the largest output.
    """

    turns: tuple[SplitTurn, ...]
    largest_difference: float


Answer = Machine | Round | SplitRun | Failed
"""To an Order the machine comes first, then a round for every More; Failed is the last word."""
