"""Where the inputs of a batch lie in memory that two processes share. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotuner.core.errors import InputError
from autotuner.model.element_type import dtype
from autotuner.model.shapes import InputTensor

_ALIGN_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLayout:
    """The inputs of one batch of at most *batch_size* samples, one after the other in a slot."""

    tensors: tuple[InputTensor, ...]
    batch_size: int

    def __post_init__(self) -> None:
        for tensor in self.tensors:
            if tensor.element_type == "string":
                raise InputError(
                    f"The input {tensor.name} holds strings, which cannot be shared with workers; "
                    "export the model with the strings encoded."
                )

    @property
    def slot_bytes(self) -> int:
        """The size of one slot."""
        return sum(_aligned(self._bytes(tensor)) for tensor in self.tensors)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs of a full batch, by name."""
        return {tensor.name: self._shape(tensor) for tensor in self.tensors}

    def views(self, memory: memoryview, slot: int) -> dict[str, NDArray[np.generic]]:
        """Return the inputs of the full batch in *slot* of *memory* as arrays without copying."""
        offset = slot * self.slot_bytes
        found = {}
        for tensor in self.tensors:
            shape = self._shape(tensor)
            kind = dtype(tensor.element_type)
            flat = np.frombuffer(memory, kind, count=math.prod(shape), offset=offset)
            found[tensor.name] = flat.reshape(shape)
            offset += _aligned(self._bytes(tensor))
        return found

    def samples(self, feeds: Mapping[str, object]) -> tuple[dict[str, NDArray[np.generic]], int]:
        """Return *feeds* as arrays of the right types, and how many samples they hold.

        Raises InputError for what does not fit the model.
        """
        names = [tensor.name for tensor in self.tensors]
        if set(feeds) != set(names):
            raise InputError(f"The inputs are {', '.join(names)}, not {', '.join(feeds)}.")
        arrays, counts = {}, set()
        for tensor in self.tensors:
            array = np.asarray(feeds[tensor.name], dtype(tensor.element_type))
            inner = array.shape[1:] if tensor.batched else array.shape
            if inner != tensor.sample_shape or (tensor.batched and not len(array)):
                wanted = ("N", *tensor.sample_shape) if tensor.batched else tensor.sample_shape
                raise InputError(f"{tensor.name} should be {wanted}, not {array.shape}.")
            if tensor.batched:
                counts.add(len(array))
            arrays[tensor.name] = array
        if len(counts) > 1:
            raise InputError("The inputs hold different numbers of samples.")
        return arrays, next(iter(counts), 1)

    def part(
        self, arrays: Mapping[str, NDArray[np.generic]], first: int, count: int
    ) -> dict[str, NDArray[np.generic]]:
        """Return *count* samples of *arrays* from *first* on, without copying."""
        return {
            tensor.name: arrays[tensor.name][first : first + count]
            if tensor.batched
            else arrays[tensor.name]
            for tensor in self.tensors
        }

    def _shape(self, tensor: InputTensor) -> tuple[int, ...]:
        return (self.batch_size, *tensor.sample_shape) if tensor.batched else tensor.sample_shape

    def _bytes(self, tensor: InputTensor) -> int:
        return math.prod(self._shape(tensor)) * dtype(tensor.element_type).itemsize


def concatenated(
    parts: Sequence[Mapping[str, NDArray[np.generic]]], tensors: Sequence[InputTensor]
) -> dict[str, NDArray[np.generic]]:
    """Return samples that came one by one as one batch."""
    return {
        tensor.name: np.concatenate([part[tensor.name] for part in parts])
        if tensor.batched
        else parts[0][tensor.name]
        for tensor in tensors
    }


def _aligned(size: int) -> int:
    return -(-size // _ALIGN_BYTES) * _ALIGN_BYTES
