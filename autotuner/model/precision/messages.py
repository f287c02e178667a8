"""What the process that makes a variant is told and answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autotuner.core.accuracy import Accuracy
from autotuner.core.outcome import Failed
from autotuner.model.calibration import Calibration

MODEL_FILE = "model.onnx"
"""The variant's name in its folder; external data lies beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Make *variant* of *model* in *folder*.

    *batch_size* is what the model takes; *min_accuracy* what automatic mixed precision aims at.
    """

    model: Path
    variant: str
    folder: Path
    calibration: Calibration | None
    batch_size: int
    min_accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is being done; *done* of *total* steps of it, if they are counted."""

    step: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The variant lies in the folder and ONNX Runtime loads it.

    *float_nodes* are those that quantisation left in float for the sake of *accuracy*, which is
    that on ONNX Runtime, known where there were samples to calibrate with. *note* is what the user
    should know of the data.
    """

    float_nodes: tuple[str, ...] = ()
    quantized_nodes: int | None = None
    accuracy: Accuracy | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no such variant of this model, for the reason *failed*."""

    failed: Failed


@dataclass(frozen=True, slots=True)
class Rejected:
    """The user's input cannot be used, as *message* says."""

    message: str


Answer = Progress | Built | Refused | Rejected
