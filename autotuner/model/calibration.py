"""What static quantisation learns the ranges of tensors from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model.data_files import files
from autotuner.model.digest import sha256
from autotuner.model.inputs import Inputs, InputSpec

Method = Literal["minmax", "entropy", "percentile"]
"""How a range is taken from what a tensor showed: all of it, or without its rare extremes."""

Ranges = Mapping[str, tuple[float, float]]

_BEYOND = 0.1
"""How far a value may lie outside a calibrated range, as a share of that range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The samples of *inputs*, a fifth held out to judge by, and the method for ranges.

    Random inputs calibrate too, for a variant that shows INT8's speed and nothing of its accuracy.
    """

    inputs: InputSpec
    method: Method = "minmax"

    @property
    def real(self) -> bool:
        """Whether the samples are the user's data."""
        return self.inputs.data_path is not None

    @property
    def source(self) -> str:
        """Where the samples come from, in words."""
        return str(self.inputs.data_path) if self.real else "random inputs"

    def digest(self) -> str:
        """Return the SHA-256 of all that a range depends on: samples, their parting, method."""
        facts = asdict(replace(self.inputs, data_path=None)) | {
            "data": None if self.inputs.data_path is None else sha256(files(self.inputs.data_path)),
            "method": self.method,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def samples(self) -> Inputs:
        """Return the samples to calibrate with.

        Raises ModelError when they are too few, do not fit the model, or hold NaN or infinity.
        """
        return self._part("calibration")

    def held_out(self) -> Inputs:
        """Return the samples to judge by; raises as :meth:`samples` does."""
        return self._part("held-out")

    def _part(self, part: Literal["calibration", "held-out"]) -> Inputs:
        inputs = replace(self.inputs, part=part).load()
        for name, array in inputs.arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ModelError(
                    f"{name} in {self.source} holds NaN or infinity, which has no range; "
                    "remove those samples."
                )
        return inputs


def ranges(inputs: Inputs) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of every numeric input."""
    return {
        name: (float(array.min()), float(array.max()))
        for name, array in inputs.arrays.items()
        if array.dtype.kind in "fiu" and array.size
    }


def outside(calibrated: Ranges, seen: Ranges) -> str | None:
    """Say which input leaves the range it was *calibrated* in, None when none does."""
    for name, (low, high) in seen.items():
        known = calibrated.get(name)
        if known is None:
            continue
        slack = (known[1] - known[0]) * _BEYOND
        if low < known[0] - slack or high > known[1] + slack:
            return (
                f"The input {name} lies within {low:.4g} to {high:.4g}, and was calibrated within "
                f"{known[0]:.4g} to {known[1]:.4g}; prepare both in the same way."
            )
    return None
