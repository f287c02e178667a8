"""ONNX Runtime, on the CPU and on NVIDIA's GPUs."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autotuner.backends import onnxruntime_nvidia as nvidia
from autotuner.backends import onnxruntime_options as gpu
from autotuner.backends.base import BackendFailure, Session
from autotuner.backends.engine_cache import written_whole
from autotuner.backends.onnxruntime_session import CapturedSession, OnnxRuntimeSession, failure
from autotuner.core.config import Config

_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_SEVERITY_FATAL = 4  # its warnings are about how it was built, not about the model
_NO_CAPTURE = "This session cannot use the"  # "graph capture feature" or "CUDA Graph feature"
_ON_EVERY_CPU = ("fp32", "int8", "int8-dynamic")


class OnnxRuntime:
    """Runs a model on one of ONNX Runtime's providers; a configuration becomes session options."""

    def providers(self) -> Mapping[str, str | None]:
        """Return the providers of the CPU and of NVIDIA's GPUs."""
        known = ("onnxruntime-cpu", *nvidia.PROVIDERS)
        if find_spec("onnxruntime") is None:
            return dict.fromkeys(known, "onnxruntime is not installed; install edge-autotune[cpu]")
        return {"onnxruntime-cpu": None} | {name: nvidia.problem(name) for name in nvidia.PROVIDERS}

    def version(self) -> str | None:
        """Return the version of the installed distribution."""
        for name in _DISTRIBUTIONS:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return None

    def precisions(self, provider: str) -> Mapping[str, str]:
        """Return the precisions that the provider gains from."""
        if provider in nvidia.PROVIDERS:
            return gpu.precisions(provider)
        return {name: name for name in (*_ON_EVERY_CPU, *(["fp16"] if _computes_in_half() else []))}

    def start(self) -> None:
        """Import the runtime."""
        import onnxruntime  # noqa: F401, PLC0415 - optional, and heavy

    def open(self, model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]) -> Session:
        """Load *model*; raises BackendFailure with the runtime's own words.

        On a GPU batches that are always full become a CUDA graph where the model allows one.
        """
        if config.provider == "onnxruntime-tensorrt":
            return _open_with_engine(model, config, shapes)
        if config.provider in nvidia.PROVIDERS:
            return _open_on_gpu(model, config, shapes)
        if config.provider != "onnxruntime-cpu":
            raise BackendFailure("unsupported", f"{config.provider} is not offered here")
        if config.precision not in self.precisions(config.provider):
            raise BackendFailure("unsupported", f"{config.precision} is not offered here")
        return OnnxRuntimeSession(_load(model, config, [("CPUExecutionProvider", {})]))


def _open_with_engine(
    model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]
) -> Session:
    """Open *model* and have its engine written, which the provider does in the first run."""
    with written_whole(gpu.engine_folder(model, config)):
        session = _open_on_gpu(model, config, shapes)
        session.run_zeros(shapes)
        return session


def _open_on_gpu(
    model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]
) -> OnnxRuntimeSession:
    def load(*, captured: bool) -> Any:
        providers = gpu.providers_to_try(model, config, shapes, captured=captured)
        session = _load(model, config, providers)
        nvidia.check_used(config.provider, session.get_providers())
        return session

    nvidia.preload()  # here, because it takes memory that a CPU's session would be charged for
    if config.max_queue_delay_ms is None:
        try:
            return CapturedSession(load(captured=True), shapes)
        except BackendFailure as refused:
            if _NO_CAPTURE not in refused.detail:
                raise
    return OnnxRuntimeSession(load(captured=False), device="cuda")


def _load(model: Path, config: Config, providers: list[tuple[str, dict[str, str]]]) -> Any:
    import onnxruntime  # noqa: PLC0415 - optional, and heavy

    onnxruntime.set_default_logger_severity(_SEVERITY_FATAL)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SEVERITY_FATAL
    if config.intra_op_threads is not None:
        # Naming a number also keeps ONNX Runtime from setting affinities by itself, so that
        # its threads inherit those of the process.
        options.intra_op_num_threads = config.intra_op_threads
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # which provider it really is gets checked
            return onnxruntime.InferenceSession(
                str(model), options, providers=providers, enable_fallback=0
            )
    except Exception as error:
        raise failure(error, loading=True) from error


def _computes_in_half() -> bool:
    """Say whether the CPU has half-precision arithmetic that ONNX Runtime has kernels for.

    Elsewhere it casts every operator's inputs to single precision and back, which only costs.
    """
    if platform.machine() != "aarch64":
        return False
    return "asimdhp" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split()
