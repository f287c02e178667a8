"""Session options of ONNX Runtime, as JSON and as Python code that applies them."""

from __future__ import annotations

import json
from typing import Any

from autotuner.core.profile import Profile
from autotuner.export.origin import device_of, heading, label

_PROVIDERS = {
    "onnxruntime-cpu": ["CPUExecutionProvider"],
    "onnxruntime-cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    "onnxruntime-tensorrt": [
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
        "CPUExecutionProvider",
    ],
}
_CODE = '''\
"""Opens the tuned model; start WORKERS processes of it and feed BATCH_SIZE samples at a time."""

import onnxruntime

MODEL = {model!r}
BATCH_SIZE = {batch_size!r}
WORKERS = {workers!r}
STREAMS = {streams!r}  # threads in each process, with a session each
INTRA_OP_THREADS = {intra_op_num_threads!r}  # None: the runtime's default
PROVIDERS = {providers!r}


def session_options():
    """Return the options that the model was tuned with."""
    options = onnxruntime.SessionOptions()
    if INTRA_OP_THREADS is not None:
        options.intra_op_num_threads = INTRA_OP_THREADS
    return options


def open_session(model=MODEL):
    """Return a session of the model at this path."""
    return onnxruntime.InferenceSession(model, session_options(), providers=PROVIDERS)
'''


def files(profile: Profile) -> dict[str, str]:
    """Return ``ort_session.py`` and ``ort_session.json``."""
    options = _options(profile)
    return {
        "ort_session.py": heading(profile) + _CODE.format(**options),
        "ort_session.json": json.dumps(options, indent=2) + "\n",
    }


def _options(profile: Profile) -> dict[str, Any]:
    device_of(profile, providers=tuple(_PROVIDERS), target="ONNX Runtime")
    config = profile.winner.config
    return {
        "model": profile.model.path,
        "precision": config.precision,
        "batch_size": config.batch_size,
        "workers": config.workers,
        "streams": config.streams,
        "affinity": config.affinity,
        "intra_op_num_threads": config.intra_op_threads,
        "providers": _PROVIDERS[config.provider],
        **label(profile),
    }
