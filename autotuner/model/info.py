"""What is known about a model without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Axis = int | str | None
"""A fixed size, the symbol of a free axis, or None for a free axis without a symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One input or output; *shape* is None when the model does not even declare its rank.

    *element_type* is a name of NumPy or ml_dtypes, ``string``, or for an output that is no tensor
    the name of its kind, such as ``sequence``.
    """

    name: str
    element_type: str
    shape: tuple[Axis, ...] | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.name}: {self.element_type} of unknown rank"
        axes = ", ".join("?" if axis is None else str(axis) for axis in self.shape)
        return f"{self.name}: {self.element_type}[{axes}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """An ONNX model as its file declares it.

    *size_bytes* and *sha256* cover the external data too. *opsets* maps domains to versions, the
    default domain being ``ai.onnx``. *operators* counts the nodes of every graph by type.
    *image_size* is the height and width that the exporter noted as the model's own, if it did.
    """

    name: str
    path: Path
    size_bytes: int
    sha256: str
    ir_version: int
    opsets: Mapping[str, int]
    producer: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    operators: Mapping[str, int]
    image_size: tuple[int, int] | None = None

    @property
    def opset(self) -> int | None:
        """The version of the default operator set; None when the model does not use it."""
        return self.opsets.get("ai.onnx")

    @property
    def batch(self) -> int | Literal["free"]:
        """The size of the batch axis, or ``"free"``.

        The batch axis is axis 0 of the inputs: free when any input leaves it free, otherwise as
        the first input that has an axis fixes it, and 1 when no input has an axis.
        """
        if any(
            i.shape is None or (i.shape and not isinstance(i.shape[0], int)) for i in self.inputs
        ):
            return "free"
        first = (i.shape[0] for i in self.inputs if i.shape)
        return next((axis for axis in first if isinstance(axis, int)), 1)

    def batched(self, tensor: TensorInfo) -> bool:
        """Say whether the input *tensor* has the batch axis; others are constants of a batch."""
        if tensor.shape is None:
            return True
        if not tensor.shape:
            return False
        return tensor.shape[0] == self.batch or not isinstance(tensor.shape[0], int)

    def free_axes(self, tensor: TensorInfo) -> tuple[int, ...]:
        """Return the positions of the free axes of the input *tensor* other than the batch axis."""
        start = 1 if self.batched(tensor) else 0
        axes = enumerate(tensor.shape or ())
        return tuple(at for at, axis in axes if at >= start and not isinstance(axis, int))

    @property
    def batch_note(self) -> str | None:
        """Why the batch size is pinned and how to free it; None when the batch axis is free."""
        if self.batch == "free":
            return None
        return (
            f"{self.path.name} fixes its batch axis at {self.batch}, so batch_size is "
            f"{self.batch}; export it with a dynamic axis 0 "
            '(torch.onnx.export: dynamic_axes={"input": {0: "N"}}; Ultralytics: dynamic=True) '
            "to tune the batch size."
        )
