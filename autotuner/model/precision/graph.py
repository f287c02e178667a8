"""A model made ready for conversion: raised, folded, every node with a name of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, version_converter
from onnxruntime.quantization.shape_inference import quant_pre_process

from autotuner.model.precision.unsupported import Unsupported

_LEAST_OPSET = 13
"""Since 13 QuantizeLinear has an axis; below it per-channel weights make an invalid model."""
_LARGE_BYTES = 2**30
"""Half of what a single ONNX file may hold, as conversions keep two copies of some weights."""
WEIGHTED = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
"""The operators that do the work."""
_QUANTIZED = frozenset({"QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul"})


class PreparedGraph:
    """A model on disk that the converters take; a *large* one keeps its weights beside it."""

    def __init__(self, path: Path, *, large: bool) -> None:
        self.path = path
        self.large = large

    def load(self) -> onnx.ModelProto:
        """Return the model with its weights."""
        return onnx.load(self.path)


def prepare(source: Path, folder: Path) -> PreparedGraph:
    """Write the model at *source* to *folder*, ready for conversion.

    Opset 13 or newer, constants folded, batch normalisation merged into convolutions by ONNX
    Runtime's basic optimisations, types inferred. Raises Unsupported for weights that are NaN or
    infinite, for a model that is quantised already, and where an operator cannot be raised.
    """
    model = onnx.load(source)
    if any(node.op_type in _QUANTIZED for node in model.graph.node):
        raise Unsupported(f"{source.name} is quantised already")
    _require_finite(model)
    model = _raised(model)
    large = model.ByteSize() > _LARGE_BYTES
    raised, prepared = folder / "raised.onnx", folder / "prepared.onnx"
    onnx.save(model, raised, save_as_external_data=large)
    _optimize(raised, prepared, large=large)
    optimized = onnx.load(prepared)
    if _domains(optimized) - _domains(model):
        # An operator of ONNX Runtime's own would keep other runtimes from reading the variant.
        _optimize(raised, prepared, large=large, skip=True)
        optimized = onnx.load(prepared)
    _name_nodes(optimized.graph)
    save(optimized, prepared, large=large)
    return PreparedGraph(prepared, large=large)


def save(model: onnx.ModelProto, path: Path, *, large: bool) -> None:
    """Write *model* to *path*, the weights of a *large* one into a file beside it."""
    data = path.with_name(f"{path.name}.data")
    data.unlink(missing_ok=True)  # onnx would append to it
    onnx.save(model, path, save_as_external_data=large, location=data.name)


def infinite_constants(model: onnx.ModelProto) -> frozenset[str]:
    """Return the names of the constants of *model* that hold infinity, as masks do."""
    return frozenset(
        tensor.name
        for tensor in model.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT
        and np.isinf(numpy_helper.to_array(tensor)).any()
    )


def _require_finite(model: onnx.ModelProto) -> None:
    infinite = infinite_constants(model)
    weights = {name for node in model.graph.node if node.op_type in WEIGHTED for name in node.input}
    for tensor in model.graph.initializer:
        broken = tensor.name in infinite & weights or (
            tensor.data_type == onnx.TensorProto.FLOAT
            and np.isnan(numpy_helper.to_array(tensor)).any()
        )
        if broken:
            raise Unsupported(f"the weight {tensor.name} holds NaN or infinity")


def _raised(model: onnx.ModelProto) -> onnx.ModelProto:
    for entry in model.opset_import:
        if entry.domain in {"", "ai.onnx"} and entry.version < _LEAST_OPSET:
            try:
                return version_converter.convert_version(model, _LEAST_OPSET)
            except Exception as error:  # whatever the converter meets
                text = " ".join(str(error).split())
                raise Unsupported(
                    f"opset {entry.version} cannot be raised to {_LEAST_OPSET}: {text[:200]}"
                ) from error
    return model


def _optimize(source: Path, target: Path, *, large: bool, skip: bool = False) -> None:
    # Symbolic shape inference would need SymPy, and the quantiser needs types more than shapes.
    quant_pre_process(
        str(source),
        str(target),
        skip_optimization=skip,
        skip_symbolic_shape=True,
        save_as_external_data=large,
    )


def _domains(model: onnx.ModelProto) -> set[str]:
    return {node.domain for node in model.graph.node} - {"", "ai.onnx"}


def _name_nodes(graph: onnx.GraphProto) -> None:
    """Give every node of *graph* a name that no other has."""
    taken: set[str] = set()
    for node in graph.node:
        stem = node.name or node.op_type
        name, number = stem, 1
        while not node.name or name in taken:
            node.name = name = f"{stem}_{number}"
            number += 1
        node.name = name
        taken.add(name)
