"""What is fed to a model: random or real samples, one batch at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model import data, held_out
from autotuner.model.data_files import Array
from autotuner.model.element_type import dtype, generality
from autotuner.model.held_out import Part
from autotuner.model.preprocess import Preprocess
from autotuner.model.shapes import InputTensor, Shape

RANDOM_SAMPLES = 8
"""Enough to differ from one another; a larger batch repeats them."""
_RANDOM_SAMPLES_TO_PART = 40


class Inputs:
    """Samples for every input of a model, handed out in batches."""

    def __init__(self, tensors: tuple[InputTensor, ...], arrays: Mapping[str, Array]) -> None:
        self._tensors = tensors
        self._arrays = arrays

    @property
    def sample_shapes(self) -> dict[str, Shape]:
        """The shape of one sample of every input, without the batch axis."""
        return {tensor.name: tensor.sample_shape for tensor in self._tensors}

    @property
    def arrays(self) -> Mapping[str, Array]:
        """The samples of every input, axis 0 counting those of an input with a batch axis."""
        return self._arrays

    @property
    def count(self) -> int:
        """The number of different samples."""
        counts = (len(self._arrays[t.name]) for t in self._tensors if t.batched)
        return next(counts, 1)

    def part(self, part: Part) -> Inputs:
        """Return the samples that belong to *part*; raises ModelError when they are too few."""
        if part == "all":
            return self
        samples = held_out.samples(self.count, part)
        batched = {tensor.name for tensor in self._tensors if tensor.batched}
        return Inputs(
            self._tensors,
            {
                name: array.take(samples, axis=0) if name in batched else array
                for name, array in self._arrays.items()
            },
        )

    def batch(self, batch_size: int, index: int = 0) -> dict[str, Array]:
        """Return batch number *index*: contiguous arrays by input name, the samples in a cycle."""
        samples = np.arange(index * batch_size, (index + 1) * batch_size) % self.count
        return {
            tensor.name: self._arrays[tensor.name].take(samples, axis=0)
            if tensor.batched
            else np.ascontiguousarray(self._arrays[tensor.name]).reshape(tensor.sample_shape)
            for tensor in self._tensors
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """All that another process needs to make the same inputs; cheap to pickle.

    Without *data_path* the samples are random, the same for the same *seed*. *preprocess* makes
    samples of images. *part* is which of the samples are wanted. *on_device* has one batch stay in
    the memory of the device that computes, so that no copies are made.
    """

    tensors: tuple[InputTensor, ...]
    data_path: Path | None = None
    seed: int = 0
    preprocess: Preprocess | None = None
    part: Part = "all"
    on_device: bool = False

    def load(self) -> Inputs:
        """Make the inputs; raises ModelError when the data does not fit or memory is too small."""
        try:
            if self.data_path is None:
                count = RANDOM_SAMPLES if self.part == "all" else _RANDOM_SAMPLES_TO_PART
                return random_inputs(self.tensors, self.seed, count).part(self.part)
            arrays = data.load(self.data_path, self.tensors, self.preprocess)
            return Inputs(self.tensors, arrays).part(self.part)
        except MemoryError:
            shapes = ", ".join(f"{t.name} {t.sample_shape}" for t in self.tensors)
            raise ModelError(
                f"The inputs ({shapes}) do not fit into memory; give smaller shapes or less data."
            ) from None


def random_inputs(
    tensors: tuple[InputTensor, ...], seed: int = 0, count: int = RANDOM_SAMPLES
) -> Inputs:
    """Make *count* random samples, the same for the same *seed*.

    Floats are drawn from N(0, 1). Integers are 0 or 1, which masks and vocabularies both allow.
    """
    rng = np.random.default_rng(seed)
    arrays = {
        tensor.name: _random(
            rng,
            tensor.element_type,
            (count, *tensor.sample_shape) if tensor.batched else tensor.sample_shape,
        )
        for tensor in tensors
    }
    return Inputs(tensors, arrays)


def _random(rng: np.random.Generator, element_type: str, shape: Shape) -> Array:
    kind = dtype(element_type)
    if element_type == "string":
        words = rng.integers(0, 2, math.prod(shape))
        return np.array([f"text {word}" for word in words], kind).reshape(shape)
    rank = generality(kind)
    if rank in (0, 1):
        return rng.integers(0, 2, shape, np.uint8).astype(kind)
    values = rng.standard_normal(shape, np.float32)
    if rank == 3:
        return (values + 1j * rng.standard_normal(shape, np.float32)).astype(kind)
    return values.astype(kind)
