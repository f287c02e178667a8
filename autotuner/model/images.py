"""Samples from a folder of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model.preprocess import Preprocess

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_MOST_BYTES = 4 * 2**30

Array = np.ndarray[Any, np.dtype[Any]]


def first(files: Sequence[Path], preprocess: Preprocess) -> Array:
    """Return the first image as a sample; raises as :func:`load` does."""
    return _sample(files[0], preprocess)


def load(files: Sequence[Path], preprocess: Preprocess) -> Array:
    """Return the images in *files* as samples, axis 0 counting them.

    Raises ModelError naming a file that is no image or gives another shape than the first, or when
    they are too many to be kept in memory.
    """
    one = first(files, preprocess)
    if one.nbytes * len(files) > _MOST_BYTES:
        raise ModelError(
            f"{files[0].parent} holds {len(files)} images, which take "
            f"{one.nbytes * len(files) / 2**30:.0f} GiB as input; "
            f"leave at most {_MOST_BYTES // one.nbytes} of them there."
        )
    samples = np.empty((len(files), *one.shape), one.dtype)
    for at, file in enumerate(files):
        sample = one if at == 0 else _sample(file, preprocess)
        if sample.shape != one.shape:
            raise ModelError(
                f"{file} gives an input of shape {sample.shape} and {files[0].name} one of "
                f"{one.shape}; give one size with --preprocess size=HEIGHTxWIDTH."
            )
        samples[at] = sample
    return samples


def _sample(file: Path, preprocess: Preprocess) -> Array:
    from PIL import Image  # noqa: PLC0415 - who has no images need not load it

    try:
        with Image.open(file) as image:
            return preprocess.apply(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ModelError(f"{file} is damaged or no image; remove it or save it again.") from None
