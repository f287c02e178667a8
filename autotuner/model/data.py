"""Input data from files, checked against the model's inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model.data_files import UNNAMED, Array, first_piece, pieces
from autotuner.model.element_type import dtype, generality
from autotuner.model.info import ModelInfo
from autotuner.model.nearest import nearest
from autotuner.model.preprocess import Preprocess
from autotuner.model.shapes import InputTensor, Shape, sample_axes


def data_shapes(
    path: Path, info: ModelInfo, preprocess: Preprocess | None = None
) -> dict[str, Shape]:
    """Return the shape of one sample of every input, as the data at *path* shows it.

    Axis 0 of an array counts samples, unless the input has no batch axis; the arrays in a folder
    may be single samples without it. Raises ModelError when the data cannot be read, lacks an
    input, or has an array with the wrong number of axes.
    """
    arrays = _named(first_piece(path, preprocess), [tensor.name for tensor in info.inputs], path)
    shapes = {}
    for tensor in info.inputs:
        shape = arrays[tensor.name].shape
        batched = info.batched(tensor)
        axes = sample_axes(info, tensor)
        wanted = None if axes is None else len(axes) + batched
        if path.is_dir() and batched and len(shape) + 1 == wanted:
            shape = (1, *shape)
        if (wanted is None and not shape) or (wanted is not None and len(shape) != wanted):
            raise ModelError(
                f"{tensor.name} in {path} has {len(shape)} axes but the input {tensor} needs "
                f"{wanted or 'at least 1'}{', samples first' if batched else ''}; "
                "reshape the array and save it again."
            )
        shapes[tensor.name] = shape[1:] if batched else shape
    return shapes


def load(
    path: Path, tensors: Iterable[InputTensor], preprocess: Preprocess | None = None
) -> dict[str, Array]:
    """Return the array of every one of *tensors* in the data at *path*, in the right type.

    Images become samples by *preprocess*. Raises ModelError when the data cannot be read, lacks an
    input, holds another shape, holds values that the input's type cannot take, or numbers of
    samples that differ.
    """
    tensors = list(tensors)
    ranks = {tensor.name: len(tensor.sample_shape) + tensor.batched for tensor in tensors}
    batched = {tensor.name for tensor in tensors if tensor.batched}
    arrays = _read(path, ranks, batched, preprocess)
    counts = {}
    for tensor in tensors:
        array = arrays[tensor.name]
        sample_shape = array.shape[1:] if tensor.batched else array.shape
        if sample_shape != tensor.sample_shape or (tensor.batched and not array.ndim):
            raise ModelError(
                f"{tensor.name} in {path} has shape {array.shape}, but one sample of that input "
                f"is {tensor.sample_shape}; bring data of that shape."
            )
        if tensor.batched:
            counts[tensor.name] = len(array)
        arrays[tensor.name] = _cast(array, tensor, path)
    if counts and min(counts.values()) == 0:
        raise ModelError(f"{path} holds no samples; save at least one.")
    if len(set(counts.values())) > 1:
        listing = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ModelError(
            f"The inputs in {path} differ in their number of samples ({listing}); "
            "save the same number for each."
        )
    return arrays


def _read(
    path: Path, ranks: Mapping[str, int], batched: AbstractSet[str], preprocess: Preprocess | None
) -> dict[str, Array]:
    """Return the array of every input in *ranks*, the samples of all files one after the other.

    *ranks* are the numbers of axes with that of the samples, for those that are *batched*: a file
    in a folder may hold a single sample without that axis.
    """
    found: dict[str, list[Array]] = {name: [] for name in ranks}
    for file, piece in pieces(path, preprocess):
        for name, array in _named(piece, list(ranks), file).items():
            arrays = found[name]
            if name not in batched:
                arrays[:] = arrays or [array]
                continue
            if path.is_dir() and array.ndim + 1 == ranks[name]:
                array = array[None]  # noqa: PLW2901 - the same array with one more axis
            if arrays and (not array.ndim or array.shape[1:] != arrays[0].shape[1:]):
                raise ModelError(
                    f"{name} in {file} has samples of shape {array.shape[1:]}, and in the files "
                    f"before it {arrays[0].shape[1:]}; bring samples of one shape."
                )
            arrays.append(array)
    return {
        name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        for name, arrays in found.items()
    }


def _named(arrays: Mapping[str, Array], names: list[str], path: Path) -> dict[str, Array]:
    """Return the arrays called *names*; one without a name feeds a model with one input."""
    if len(names) == 1 and set(arrays) == {UNNAMED}:
        return {names[0]: arrays[UNNAMED]}
    for name in names:
        if name not in arrays:
            raise ModelError(
                f"{path} has no array for the input {name!r}; {nearest(name, arrays)} "
                "Save every input under its name with numpy.savez."
            )
    return {name: arrays[name] for name in names}


def _cast(array: Array, tensor: InputTensor, path: Path) -> Array:
    """Return *array* in the type of *tensor*, refusing a cast that would change its values.

    A float may be rounded to a narrower float as long as it stays finite; nothing else may change.
    """
    wanted = dtype(tensor.element_type)
    if array.dtype == wanted:
        return array
    refusal = ModelError(
        f"{tensor.name} in {path} is {array.dtype} and would change its values as "
        f"{tensor.element_type}, which the model takes; convert it and save it again."
    )
    if tensor.element_type == "string":
        if array.dtype.kind != "U":
            raise refusal
        return array.astype(object)
    source, target = generality(array.dtype), generality(wanted)
    if source is None or target is None or source > target:
        raise refusal
    with np.errstate(all="ignore"):
        cast = array.astype(wanted)
        if source < 2:
            back = cast.astype(array.dtype)
            kept = np.array_equal(back, array) and np.array_equal(cast < 0, array < 0)
        else:
            kept = np.array_equal(np.isfinite(cast), np.isfinite(array))
    if not kept:
        raise refusal
    return cast
