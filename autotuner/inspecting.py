"""The job that looks into a model without running it; a generator of events."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx

from autotuner.core.errors import ModelError
from autotuner.core.events import Event, InspectDone
from autotuner.core.inspection import Inspection
from autotuner.core.request import InspectRequest
from autotuner.model import cost, recipe, reference, shapes
from autotuner.model.inspect import inspect
from autotuner.model.nearest import nearest


def look_into(request: InspectRequest) -> Iterator[Event]:
    """Inspect the model of *request* and end with InspectDone; raises ModelError."""
    workload = request.workload
    yield InspectDone(inspection=inspection(workload.model, workload.shapes))


def inspection(model: str | None, asked: tuple[str, ...] = ()) -> Inspection:
    """Return what *model*, a path or a reference model's name, is made of.

    *asked* are shapes as typed. A reference model is not made for it. Raises ModelError.
    """
    name = reference.DEFAULT if model is None else model
    if name not in reference.NAMES:
        return _of_file(Path(_absolute(name)), asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        path.write_bytes(recipe.skeleton(name).SerializeToString())
        found = _of_file(path, asked)
    return replace(found, size_bytes=None)


def _of_file(path: Path, asked: tuple[str, ...]) -> Inspection:
    info = inspect(path)
    tensors = shapes.resolve(info, dict(shapes.parse(text, info) for text in asked))
    samples = {tensor.name: tensor.sample_shape for tensor in tensors}
    counted = cost.count(onnx.load(path, load_external_data=False), samples)
    return Inspection(
        model=info.name,
        opset=info.opset,
        producer=info.producer,
        size_bytes=info.size_bytes,
        inputs=tuple(map(str, info.inputs)),
        outputs=tuple(map(str, info.outputs)),
        sample_shapes=samples,
        layers=counted.layers,
        peak_activation_bytes=counted.peak_activation_bytes,
    )


def _absolute(name: str) -> str:
    if Path(name).is_absolute():
        return name
    raise ModelError(
        f"{name!r} is neither a file nor a reference model; {nearest(name, reference.NAMES)}"
    )
