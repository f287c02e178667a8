"""Read what an ONNX file declares, without a runtime and without loading external weights."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from autotuner.core.errors import ModelError
from autotuner.model import element_type
from autotuner.model.digest import sha256
from autotuner.model.file_format import guess
from autotuner.model.info import Axis, ModelInfo, TensorInfo

_PROTOBUF_LIMIT = 2**31


def inspect(path: Path) -> ModelInfo:
    """Return what the ONNX file at *path* declares.

    Raises ModelError, saying what to do, when the file or its external data is missing,
    unreadable, damaged or no ONNX, or when it has no input that can be fed.
    """
    model = _parse(path)
    graph = model.graph
    parts = [path, *_external_files(path, model)]
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {sparse.values.name for sparse in graph.sparse_initializer}
    inputs = tuple(_tensor(value) for value in graph.input if value.name not in constants)
    if not inputs:
        raise ModelError(
            f"{path} has no graph inputs, so nothing can be fed; export it with inputs."
        )
    if not all(isinstance(tensor.name, str) for tensor in inputs):  # bytes: no valid UTF-8
        raise _damaged(path)
    for tensor in inputs:
        if tensor.element_type not in element_type.NAMES.values():
            raise ModelError(
                f"The input {tensor.name} of {path} is a {tensor.element_type}; "
                "only tensors can be fed, so export the model with tensor inputs."
            )
    return ModelInfo(
        name=path.stem,
        path=path,
        size_bytes=sum(part.stat().st_size for part in parts),
        sha256=sha256(parts),
        ir_version=model.ir_version,
        opsets={str(entry.domain or "ai.onnx"): entry.version for entry in model.opset_import},
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        inputs=inputs,
        outputs=tuple(_tensor(value) for value in graph.output),
        operators=dict(Counter(_operator(node) for g in _graphs(graph) for node in g.node)),
        image_size=_image_size(model),
    )


def _parse(path: Path) -> onnx.ModelProto:
    """Return the model in the file at *path*, its external weights left where they are."""
    try:
        if path.stat().st_size >= _PROTOBUF_LIMIT:
            raise ModelError(
                f"{path} is larger than the 2 GB an ONNX file may have; "
                "save it again with its weights as external data."
            )
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"There is no file {path}; check the path.") from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder; give the .onnx file inside it.") from None
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}; check its permissions.") from error
    if not content:
        raise ModelError(f"{path} is empty; copy or export the model again.")
    other = guess(content[:4096])
    if other is not None:
        raise ModelError(f"{path} is no ONNX file but {other.name}; {other.remedy}")
    try:
        model = onnx.ModelProto()
        model.ParseFromString(content)
    except DecodeError:
        raise ModelError(
            f"{path} is truncated or no ONNX file; copy or export the model again."
        ) from None
    if not model.ir_version or not model.opset_import or not model.HasField("graph"):
        raise ModelError(
            f"{path} holds no complete ONNX model (no graph or no opset); "
            "copy or export the model again."
        )
    return model


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path} is damaged; copy or export the model again.")


def _tensor(value: onnx.ValueInfoProto) -> TensorInfo:
    kind = value.type.WhichOneof("value") or "value of unknown type"
    if kind != "tensor_type":
        return TensorInfo(name=value.name, element_type=kind.removesuffix("_type"), shape=None)
    tensor = value.type.tensor_type
    return TensorInfo(
        name=value.name,
        element_type=element_type.NAMES.get(tensor.elem_type, f"type {tensor.elem_type}"),
        shape=tuple(_axis(dim) for dim in tensor.shape.dim) if tensor.HasField("shape") else None,
    )


def _axis(dim: onnx.TensorShapeProto.Dimension) -> Axis:
    """Return the axis; exporters also write a free one as 0, -1 or ``?``."""
    if dim.dim_value > 0:
        return int(dim.dim_value)
    return None if dim.dim_param in {"", "?"} else str(dim.dim_param)


def _operator(node: onnx.NodeProto) -> str:
    if node.domain in {"", "ai.onnx"}:
        return str(node.op_type)
    return f"{node.domain}.{node.op_type}"


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield *graph* and the graphs inside its nodes, such as the branches of an If."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from _graphs(inner)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor that *model* stores."""
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                yield from ([attribute.t] if attribute.HasField("t") else attribute.tensors)


def _external_files(path: Path, model: onnx.ModelProto) -> list[Path]:
    """Return the external data files of the model at *path*, sorted; all there and long enough."""
    needed: dict[Path, int] = {}
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entry = {item.key: item.value for item in tensor.external_data}
        try:
            end = int(entry.get("offset", 0)) + int(entry.get("length", 0))
            part = path.parent / entry["location"]
        except (KeyError, TypeError, ValueError):
            raise _damaged(path) from None
        needed[part] = max(needed.get(part, 0), end)
    for part, size_bytes in needed.items():
        if not part.is_file():
            raise ModelError(
                f"{path} keeps weights in {part.name}, which is missing; "
                f"put that file into {part.parent}."
            )
        if part.stat().st_size < size_bytes:
            raise ModelError(
                f"{part}, which holds weights of {path.name}, is truncated: "
                f"{part.stat().st_size} of {size_bytes} bytes; copy it again."
            )
        if not os.access(part, os.R_OK):
            raise ModelError(f"Cannot read {part}, which holds weights; check its permissions.")
    return sorted(needed)


def _image_size(model: onnx.ModelProto) -> tuple[int, int] | None:
    """Return height and width as Ultralytics notes them: metadata ``imgsz`` = ``[640, 640]``."""
    notes = {entry.key: entry.value for entry in model.metadata_props}
    try:
        size = json.loads(notes.get("imgsz", "null"))
    except ValueError:
        return None
    match [size, size] if isinstance(size, int) else size:
        case [int(height), int(width)] if height > 0 and width > 0:
            return height, width
        case _:
            return None
