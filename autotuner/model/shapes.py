"""Input shapes: what the user asks for, the data shows and the model allows, brought together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from autotuner.core.errors import ModelError
from autotuner.model.info import Axis, ModelInfo, TensorInfo
from autotuner.model.nearest import nearest

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputTensor:
    """One input with every axis known.

    *sample_shape* is the shape of one sample, without the batch axis; for an input that is not
    *batched* it is the whole shape, the same for every batch.
    """

    name: str
    element_type: str
    sample_shape: Shape
    batched: bool = True

    @property
    def sample_elements(self) -> int:
        """The number of elements in one sample."""
        return math.prod(self.sample_shape)


def parse(text: str, info: ModelInfo) -> tuple[str, Shape]:
    """Read ``NAME=3x320x320``, or ``3x320x320`` for a model with one input.

    Raises ModelError when the text is no shape or does not say which input it means.
    """
    name, equals, sizes = text.rpartition("=")
    try:
        shape = tuple(int(size) for size in sizes.lower().split("x"))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1 or (equals and not name):
        raise ModelError(
            f"{text!r} is no shape; write it as NAME=3x320x320, sizes at least 1, "
            "without the batch axis."
        )
    if equals:
        return name, shape
    if len(info.inputs) > 1:
        names = ", ".join(tensor.name for tensor in info.inputs)
        raise ModelError(
            f"{info.name} has {len(info.inputs)} inputs ({names}); "
            f"say which one --shape {text} is for, as in --shape {info.inputs[0].name}={text}."
        )
    return info.inputs[0].name, shape


def resolve(
    info: ModelInfo,
    shapes: Mapping[str, Shape] | None = None,
    data_shapes: Mapping[str, Shape] | None = None,
) -> tuple[InputTensor, ...]:
    """Settle the shape of one sample of every input, in the model's order.

    *shapes* is what the user asks for, with or without the batch axis; *data_shapes* what the
    input data shows, without it. A free axis takes its size from them, else from an input whose
    axis has the same symbol, else from the image size that the exporter noted. Raises ModelError
    for an unknown input, for a shape that does not fit and for an axis that stays free.
    """
    known = {tensor.name: tensor for tensor in info.inputs}
    stated: dict[str, Shape] = {}
    for source, given in (("--shape", shapes or {}), ("the data", data_shapes or {})):
        for name, shape in given.items():
            if name not in known:
                raise ModelError(f"{info.name} has no input {name!r}; {nearest(name, known)}")
            sample = _fit(info, known[name], shape, source)
            if stated.setdefault(name, sample) != sample:
                raise ModelError(
                    f"--shape asks for {name}={_text(stated[name])} but the data is "
                    f"{_text(sample)}; leave out --shape or bring data of that shape."
                )
    sizes = _symbols(info, stated)
    settled = {t.name: stated.get(t.name) or _fill(info, t, sizes) for t in info.inputs}
    open_inputs = {name: axes for name, axes in settled.items() if not _closed(axes)}
    if open_inputs:
        options = " ".join(f"--shape {name}={_text(axes)}" for name, axes in open_inputs.items())
        raise ModelError(
            f"{info.name} leaves the size of {', '.join(open_inputs)} open; "
            f"give {options} with a number for each ?."
        )
    return tuple(
        InputTensor(
            name=tensor.name,
            element_type=tensor.element_type,
            sample_shape=tuple(
                axis for axis in settled[tensor.name] or () if isinstance(axis, int)
            ),
            batched=info.batched(tensor),
        )
        for tensor in info.inputs
    )


def sample_axes(info: ModelInfo, tensor: TensorInfo) -> tuple[Axis, ...] | None:
    """Return the axes of one sample of *tensor*, without the batch axis; None if undeclared."""
    if tensor.shape is None:
        return None
    return tensor.shape[1:] if info.batched(tensor) else tensor.shape


def _fit(info: ModelInfo, tensor: TensorInfo, shape: Shape, source: str) -> Shape:
    """Return *shape* without the batch axis, if the model allows it."""
    axes = sample_axes(info, tensor)
    if axes is None:
        return shape
    complaint = f"{_text(shape)} from {source} does not fit the input {tensor} of {info.name}"
    advice = f"one sample is {_text(_wildcards(axes))}, without the batch axis."
    if len(shape) == len(axes) + 1 and info.batched(tensor):
        if shape[0] != (1 if info.batch == "free" else info.batch):
            raise ModelError(f"{complaint}: axis 0 is the batch, which is set separately; {advice}")
        shape = shape[1:]
    if len(shape) != len(axes):
        raise ModelError(f"{complaint}: it has {len(shape)} axes, not {len(axes)}; {advice}")
    for size, axis in zip(shape, axes, strict=True):
        if isinstance(axis, int) and size != axis:
            raise ModelError(f"{complaint}: an axis is fixed at {axis}, not {size}; {advice}")
    return shape


def _symbols(info: ModelInfo, stated: Mapping[str, Shape]) -> dict[str, int]:
    """Return the sizes that the *stated* shapes give to the symbols of free axes."""
    sizes: dict[str, int] = {}
    for tensor in info.inputs:
        for axis, size in zip(
            sample_axes(info, tensor) or (), stated.get(tensor.name, ()), strict=False
        ):
            if isinstance(axis, str) and sizes.setdefault(axis, size) != size:
                raise ModelError(
                    f"The axis {axis} of {info.name} is {sizes[axis]} in one input and {size} in "
                    f"{tensor.name}; give both the same size."
                )
    return sizes


def _fill(info: ModelInfo, tensor: TensorInfo, sizes: Mapping[str, int]) -> tuple[Axis, ...] | None:
    """Return the axes of one sample of *tensor*, those filled in that *sizes* or hints know."""
    axes = sample_axes(info, tensor)
    if axes is None:
        return None
    filled = [sizes.get(axis, axis) if isinstance(axis, str) else axis for axis in axes]
    if info.image_size is not None and len(axes) == 3:
        for at, size in zip((1, 2), info.image_size, strict=True):
            if not isinstance(filled[at], int):
                filled[at] = size
    return _wildcards(filled)


def _wildcards(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    return tuple(axis if isinstance(axis, int) else None for axis in axes)


def _closed(axes: tuple[Axis, ...] | None) -> bool:
    return axes is not None and None not in axes


def _text(axes: tuple[Axis, ...] | None) -> str:
    def words() -> Iterator[str]:
        for axis in axes or ():
            yield "?" if axis is None else str(axis)

    return "?" if axes is None else "x".join(words()) or "a scalar"
