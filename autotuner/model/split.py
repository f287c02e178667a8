"""Cut an ONNX model in two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import shape_inference, utils

from autotuner.core.errors import ModelError


def split(model: Path, tensors: Sequence[str], folder: Path) -> tuple[Path, Path]:
    """Write the part of *model* that makes *tensors* and the part that takes them; return both.

    The weights come along. Raises ModelError when the graph cannot be cut there.
    """
    whole = shape_inference.infer_shapes(onnx.load(model), data_prop=True)
    first, second = folder / f"{model.stem}-device.onnx", folder / f"{model.stem}-server.onnx"
    constants = {tensor.name for tensor in whole.graph.initializer}
    inputs = [value.name for value in whole.graph.input if value.name not in constants]
    outputs = [value.name for value in whole.graph.output]
    made = [name for name in tensors if name not in inputs]
    try:
        extractor = utils.Extractor(whole)
        onnx.save(extractor.extract_model(inputs, made), first)
        onnx.save(extractor.extract_model(list(tensors), outputs), second)
    except (ValueError, KeyError) as error:
        raise ModelError(
            f"{model} cannot be cut at {', '.join(tensors)}: {error}; choose another cut."
        ) from error
    return first, second
