"""What a model is made of, layer by layer, counted in its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One node of the graph and its work for one sample.

    *multiply_adds* are those of convolutions and matrix products; *flops* add every other
    arithmetic operation, a multiply-add still counted once. Both are None for an operator whose
    work is not known. *read_bytes* and *written_bytes* are activations.
    """

    name: str
    operator: str
    output_shape: tuple[int, ...] | None = None
    parameters: int = 0
    weight_bytes: int = 0
    multiply_adds: int | None = None
    flops: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSum:
    """All layers of one operator together."""

    operator: str
    layers: int
    parameters: int
    flops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A model without running it.

    *inputs* and *outputs* are written ``name: type[axes]``. *parameters* are the stored numbers
    less the statistics that normalisation collects. *peak_activation_bytes* is what the tensors of
    one sample need that are alive at a time when the nodes run in the graph's order; None when a
    shape is not known.
    """

    model: str
    opset: int | None = None
    producer: str = ""
    size_bytes: int | None = None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sample_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    layers: tuple[Layer, ...]
    peak_activation_bytes: int | None = None

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """What the parameters take, as they are stored."""
        return sum(layer.weight_bytes for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of one sample, as far as they are known."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def flops(self) -> int:
        """The arithmetic operations of one sample, as far as they are known."""
        return sum(layer.flops or 0 for layer in self.layers)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The operators whose work is not known."""
        return tuple(sorted({layer.operator for layer in self.layers if layer.flops is None}))

    def operators(self) -> tuple[OperatorSum, ...]:
        """Return the layers by operator, the one with the most work first."""
        groups: dict[str, list[Layer]] = {}
        for layer in self.layers:
            groups.setdefault(layer.operator, []).append(layer)
        sums = (
            OperatorSum(
                operator=operator,
                layers=len(layers),
                parameters=sum(layer.parameters for layer in layers),
                flops=sum(layer.flops or 0 for layer in layers),
            )
            for operator, layers in groups.items()
        )
        return tuple(sorted(sums, key=lambda s: (-s.flops, -s.parameters, s.operator)))
