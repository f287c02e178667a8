"""A model configuration of Triton Inference Server, in protobuf's text format.

Triton reads the names, types and shapes of inputs and outputs from the ONNX file itself, so they
are left to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from autotuner.core.config import Config
from autotuner.core.profile import Profile
from autotuner.export.origin import device_of, heading

_PROVIDERS = ("onnxruntime-cpu", "onnxruntime-cuda", "onnxruntime-tensorrt", "openvino-cpu")


def files(profile: Profile) -> dict[str, str]:
    """Return ``config.pbtxt``; the model belongs beside it as ``1/model.onnx``."""
    runtime, device = device_of(profile, providers=_PROVIDERS, target="Triton")
    config = profile.winner.config
    parts = [heading(profile), *_remarks(profile), f"backend: {_quoted(runtime)}\n"]
    parts.append('default_model_filename: "model.onnx"\n')
    parts.append(f"max_batch_size: {0 if _fixed_batch(profile) else config.batch_size}\n")
    kind = "KIND_CPU" if device == "cpu" else "KIND_GPU"
    parts.append(f"instance_group [ {{ count: {config.concurrency} kind: {kind} }} ]\n")
    if config.batch_size > 1 and not _fixed_batch(profile):
        parts.append(_dynamic_batching(config))
    if device == "tensorrt":
        parts.append(_tensorrt(config.precision))
    parts += [_parameter(*entry) for entry in _parameters(runtime, config).items()]
    return {"config.pbtxt": "".join(parts)}


def _fixed_batch(profile: Profile) -> bool:
    """Say whether the model itself fixes its batch; only then is the baseline's not 1."""
    return profile.baseline.config.batch_size > 1


def _remarks(profile: Profile) -> list[str]:
    config = profile.winner.config
    remarks = [
        f"# One sample of {json.dumps(name)}: {'x'.join(map(str, shape)) or 'a scalar'}\n"
        for name, shape in profile.fingerprint.shapes.items()
    ]
    if config.affinity != "none":
        remarks.append(
            f"# The workers were bound to CPUs ({_plain(config.affinity)}); with Triton that is "
            "the server's option --host-policy.\n"
        )
    if config.precision != "fp32":
        remarks.append(f"# 1/model.onnx must be the {_plain(config.precision)} variant.\n")
    return remarks


def _dynamic_batching(config: Config) -> str:
    delay_us = round((config.max_queue_delay_ms or 0.0) * 1e3)
    return (
        "dynamic_batching {\n"
        f"  preferred_batch_size: [ {config.batch_size} ]\n"
        f"  max_queue_delay_microseconds: {delay_us}\n"
        "}\n"
    )


def _tensorrt(precision: str) -> str:
    entry = 'name: "tensorrt"'
    if precision in {"fp16", "int8"}:
        entry += f' parameters {{ key: "precision_mode" value: {_quoted(precision.upper())} }}'
    accelerators = f"gpu_execution_accelerator [ {{ {entry} }} ]"
    return f"optimization {{ execution_accelerators {{ {accelerators} }} }}\n"


def _parameters(runtime: str, config: Config) -> Mapping[str, str]:
    threads = config.intra_op_threads
    if runtime == "openvino":
        known = {"NUM_STREAMS": "1"}
        return known if threads is None else {**known, "INFERENCE_NUM_THREADS": str(threads)}
    return {} if threads is None else {"intra_op_thread_count": str(threads)}


def _parameter(key: str, value: str) -> str:
    return f"parameters {{ key: {_quoted(key)} value {{ string_value: {_quoted(value)} }} }}\n"


def _quoted(text: str) -> str:
    return json.dumps(text)


def _plain(text: str) -> str:
    return " ".join(text.split())
