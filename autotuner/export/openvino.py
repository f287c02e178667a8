"""Compile properties of OpenVINO, as JSON and as Python code that applies them."""

from __future__ import annotations

import json
from typing import Any

from autotuner.core.profile import Profile
from autotuner.export.origin import device_of, heading, label

_PROVIDERS = ("openvino-cpu", "openvino-gpu", "openvino-npu")
# What is not quantised in an INT8 graph is computed in FP32.
_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}
_CODE = '''\
"""Compiles the tuned model; start WORKERS processes of it and feed BATCH_SIZE samples at a time."""

import openvino

MODEL = {model!r}
DEVICE = {device!r}
BATCH_SIZE = {batch_size!r}
WORKERS = {workers!r}
SHAPES = {sample_shapes!r}  # of one sample
PROPERTIES = {properties!r}


def compile_model(path=MODEL):
    """Return the model at this path, compiled for full batches as it was tuned."""
    core = openvino.Core()
    model = core.read_model(path)
    shapes = {{}}
    for name, shape in SHAPES.items():
        declared = model.input(name).get_partial_shape()
        if declared.is_dynamic:
            batched = declared.rank.is_dynamic or declared.rank.get_length() > len(shape)
            shapes[name] = [BATCH_SIZE, *shape] if batched else shape
    model.reshape(shapes)
    return core.compile_model(model, DEVICE, PROPERTIES)
'''


def files(profile: Profile) -> dict[str, str]:
    """Return ``openvino_model.py`` and ``openvino_model.json``."""
    settings = _settings(profile)
    return {
        "openvino_model.py": heading(profile) + _CODE.format(**settings),
        "openvino_model.json": json.dumps(settings, indent=2) + "\n",
    }


def _settings(profile: Profile) -> dict[str, Any]:
    _, device = device_of(profile, providers=_PROVIDERS, target="OpenVINO")
    config = profile.winner.config
    properties: dict[str, Any] = {"NUM_STREAMS": 1}
    if config.precision in _PRECISIONS:
        properties["INFERENCE_PRECISION_HINT"] = _PRECISIONS[config.precision]
    if device == "cpu":
        # Its own pinning begins at the first CPU in every process.
        properties["ENABLE_CPU_PINNING"] = False
        if config.intra_op_threads is not None:
            properties["INFERENCE_NUM_THREADS"] = config.intra_op_threads
            properties["ENABLE_HYPER_THREADING"] = True
    return {
        "model": profile.model.path,
        "device": device.upper(),
        "precision": config.precision,
        "batch_size": config.batch_size,
        "workers": config.workers,
        "affinity": config.affinity,
        "sample_shapes": {name: list(s) for name, s in profile.fingerprint.shapes.items()},
        "properties": properties,
        **label(profile),
    }
