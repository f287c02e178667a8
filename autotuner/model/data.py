"""Input data from a .npz or .npy file, checked against the model's inputs."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotuner.core.errors import ModelError
from autotuner.model.element_type import dtype, generality
from autotuner.model.info import ModelInfo
from autotuner.model.nearest import nearest
from autotuner.model.shapes import InputTensor, Shape, sample_axes

Array = np.ndarray[Any, np.dtype[Any]]

_UNNAMED = "arr_0"  # the name numpy.savez gives to an array without one


def data_shapes(path: Path, info: ModelInfo) -> dict[str, Shape]:
    """Return the shape of one sample of every input, as the file at *path* shows it.

    Axis 0 of an array counts samples, unless the input has no batch axis. Raises ModelError when
    the file cannot be read, lacks an input, or has an array with the wrong number of axes.
    """
    arrays = _read(path, [tensor.name for tensor in info.inputs])
    shapes = {}
    for tensor in info.inputs:
        shape = arrays[tensor.name].shape
        batched = info.batched(tensor)
        axes = sample_axes(info, tensor)
        wanted = None if axes is None else len(axes) + batched
        if (wanted is None and not shape) or (wanted is not None and len(shape) != wanted):
            raise ModelError(
                f"{tensor.name} in {path} has {len(shape)} axes but the input {tensor} needs "
                f"{wanted or 'at least 1'}{', samples first' if batched else ''}; "
                "reshape the array and save it again."
            )
        shapes[tensor.name] = shape[1:] if batched else shape
    return shapes


def load(path: Path, tensors: Iterable[InputTensor]) -> dict[str, Array]:
    """Return the array of every one of *tensors* in the file at *path*, in the right type.

    Raises ModelError when the file cannot be read, lacks an input, holds another shape, holds
    values that the input's type cannot take, or numbers of samples that differ.
    """
    tensors = list(tensors)
    arrays = _read(path, [tensor.name for tensor in tensors])
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


def _read(path: Path, names: list[str]) -> dict[str, Array]:
    """Return the arrays called *names*; one without a name feeds a model with one input."""
    arrays = dict(_arrays(path))
    if len(names) == 1 and set(arrays) == {_UNNAMED}:
        return {names[0]: arrays[_UNNAMED]}
    for name in names:
        if name not in arrays:
            raise ModelError(
                f"{path} has no array for the input {name!r}; {nearest(name, arrays)} "
                "Save every input under its name with numpy.savez."
            )
    return {name: arrays[name] for name in names}


def _arrays(path: Path) -> Mapping[str, Array]:
    """Return every array in the file at *path*; nothing in it is ever executed."""
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {_UNNAMED: content}
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise ModelError(f"There is no data file {path}; check the path.") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder; give a .npz or .npy file.") from None
    except OSError as error:
        reason = error.strerror or "it is damaged"
        raise ModelError(f"Cannot read the data file {path}: {reason}; save it again.") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(
            f"{path} is no .npz or .npy file of plain arrays, or it is truncated; "
            "save it again with numpy.savez."
        ) from error


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
