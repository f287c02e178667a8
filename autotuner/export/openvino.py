"""Compile properties of OpenVINO, as JSON and as Python code that applies them."""

from __future__ import annotations

import json
from typing import Any

from autotuner.core.profile import Profile
from autotuner.export.origin import device_of, heading

_PROVIDERS = ("openvino-cpu", "openvino-gpu", "openvino-npu")
_PRECISIONS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
_CODE = '''\
"""Compiles the tuned model; start WORKERS processes of it and feed BATCH_SIZE samples at a time."""

import openvino

MODEL = {model!r}
DEVICE = {device!r}
BATCH_SIZE = {batch_size!r}
WORKERS = {workers!r}
PROPERTIES = {properties!r}


def compile_model(model=MODEL):
    """Return the model at this path, compiled with the properties that it was tuned with."""
    return openvino.Core().compile_model(model, DEVICE, PROPERTIES)
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
    if config.intra_op_threads is not None:
        properties["INFERENCE_NUM_THREADS"] = config.intra_op_threads
    if config.precision in _PRECISIONS:  # a quantised graph says its types itself
        properties["INFERENCE_PRECISION_HINT"] = _PRECISIONS[config.precision]
    return {
        "model": profile.model.path,
        "device": device.upper(),
        "precision": config.precision,
        "batch_size": config.batch_size,
        "workers": config.workers,
        "affinity": config.affinity,
        "properties": properties,
    }
