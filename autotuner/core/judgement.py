"""What was found out about a precision before it may be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autotuner.core.accuracy import DEFAULT_MIN_ACCURACY, Accuracy
from autotuner.core.errors import InputError
from autotuner.core.outcome import Failed
from autotuner.core.wording import counted

CalibrationMethod = Literal["minmax", "entropy", "percentile"]
"""How the range of a tensor is taken from what it showed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRules:
    """What a precision has to show, and what INT8 is made with.

    *min_accuracy* is the share of FP32's accuracy that has to be kept. *labels* is a file with the
    true class of every sample of the data, *metric* a function of the user's, written
    ``module:function``, in *metric_folder* or installed. *allow_uncalibrated* has INT8 made from
    random inputs where there is no data, which shows its speed and nothing of its accuracy.
    """

    min_accuracy: float = DEFAULT_MIN_ACCURACY
    labels: str | None = None
    metric: str | None = None
    metric_folder: str | None = None
    calibration: CalibrationMethod = "minmax"
    allow_uncalibrated: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_accuracy <= 1.0:
            raise InputError("The least accuracy is a share of FP32's, such as 0.99.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether *provider* may run the model in *precision*.

    *accuracy* is that beside FP32 on ONNX Runtime; *failed* says why the precision may not be used,
    None when it may. *float_nodes* stay in float for the sake of accuracy; *calibrated_on* says
    what INT8's ranges were learnt from. *uncalibrated* marks INT8 that nobody has judged: its
    ranges come from random inputs.
    """

    provider: str
    precision: str
    accuracy: Accuracy | None = None
    failed: Failed | None = None
    float_nodes: tuple[str, ...] = ()
    calibrated_on: str | None = None
    uncalibrated: bool = False

    def __str__(self) -> str:
        name = f"{self.precision} on {self.provider}"
        if self.failed is not None:
            return f"{name} is left out, {self.failed.reason}: {self.failed.detail}"
        if self.uncalibrated:
            return f"{name} was not calibrated with real data: its speed counts, its answers do not"
        words = [f"{name} keeps {self.accuracy}"]
        if self.float_nodes:
            number = len(self.float_nodes)
            words.append(f"{counted(number, 'node')} {'stays' if number == 1 else 'stay'} in float")
        return "; ".join(words)
