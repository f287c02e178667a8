"""The runtimes that can run a model under a configuration, found by provider."""

from __future__ import annotations

import importlib

from autotuner.backends.base import Backend, BackendFailure, Session
from autotuner.core.errors import InputError

BACKENDS = {
    "onnxruntime": "autotuner.backends.onnxruntime:OnnxRuntime",
    "openvino": "autotuner.backends.openvino:OpenVino",
    "tensorrt": "autotuner.backends.tensorrt:TensorRt",
}
"""Where the backend of a runtime lies; a provider's name begins with that of its runtime."""


def locate(provider: str) -> str:
    """Return where the backend for *provider* lies; raises InputError for an unknown one."""
    runtime = provider.partition("-")[0]
    if runtime not in BACKENDS:
        raise InputError(f"No runtime is known for the provider {provider!r}; check its name.")
    return BACKENDS[runtime]


def load(location: str) -> Backend:
    """Return the backend at *location*, written ``module:Class``."""
    module, _, name = location.partition(":")
    backend: Backend = getattr(importlib.import_module(module), name)()
    return backend


__all__ = ["BACKENDS", "Backend", "BackendFailure", "Session", "load", "locate"]
