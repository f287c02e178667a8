"""The part of the samples that is kept out of calibration, so that accuracy is judged fairly."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.core.wording import counted

Part = Literal["all", "calibration", "held-out"]

LEAST_SAMPLES = 10
_SHARE = 0.2
_SEED = 0


def samples(count: int, part: Part) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which of *count* samples belong to *part*, in ascending order.

    A fifth is held out, drawn at random, as data is often sorted by class; the same for the same
    *count*. Raises ModelError when there are too few samples to be parted.
    """
    if part == "all":
        return np.arange(count)
    if count < LEAST_SAMPLES:
        raise ModelError(
            f"The data holds {counted(count, 'sample')}, and calibration needs at "
            f"least {LEAST_SAMPLES}, better 100 or more; add samples to it."
        )
    order = np.random.default_rng(_SEED).permutation(count)
    cut = round(count * _SHARE)
    return np.sort(order[:cut] if part == "held-out" else order[cut:])
