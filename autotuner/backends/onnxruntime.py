"""ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autotuner.backends.base import BackendFailure
from autotuner.core.config import Config

_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-gpu")
_SEVERITY_FATAL = 4  # its warnings are about how it was built, not about the model
_MEMORY_WORDS = ("failed to allocate memory", "bad_alloc", "out of memory")


class OnnxRuntime:
    """Runs a model on ONNX Runtime's CPU provider; a configuration becomes session options."""

    def providers(self) -> Mapping[str, str | None]:
        """Return the CPU provider and whether it is usable."""
        missing = "onnxruntime is not installed; install edge-autotune[cpu]"
        return {"onnxruntime-cpu": None if find_spec("onnxruntime") else missing}

    def version(self) -> str | None:
        """Return the version of the installed distribution."""
        for name in _DISTRIBUTIONS:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return None

    def start(self) -> None:
        """Import the runtime."""
        import onnxruntime  # noqa: F401, PLC0415 - optional, and heavy

    def open(self, model: Path, config: Config) -> OnnxRuntimeSession:
        """Load *model*; raises BackendFailure with the runtime's own words."""
        import onnxruntime  # noqa: PLC0415 - optional, and heavy

        if config.provider not in self.providers():
            raise BackendFailure("unsupported", f"{config.provider} is not offered here")
        if config.precision != "fp32":
            raise BackendFailure("unsupported", f"{config.precision} is not offered here")
        onnxruntime.set_default_logger_severity(_SEVERITY_FATAL)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SEVERITY_FATAL
        if config.intra_op_threads is not None:
            # Naming a number also keeps ONNX Runtime from setting affinities by itself, so that
            # its threads inherit those of the process.
            options.intra_op_num_threads = config.intra_op_threads
        try:
            session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise _failure(error, loading=True) from error
        return OnnxRuntimeSession(session)


class OnnxRuntimeSession:
    """One loaded model."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch; inputs and outputs lie in host memory."""
        try:
            outputs: Sequence[Any] = self._session.run(None, feeds)
        except Exception as error:
            raise _failure(error, loading=False) from error
        return outputs

    def close(self) -> None:
        """Drop the session, which frees its memory."""
        self._session = None


def _failure(error: Exception, *, loading: bool) -> BackendFailure:
    # ONNX Runtime has no public exception types; its messages are one line with a code in front.
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _MEMORY_WORDS):
        return BackendFailure("oom", text)
    return BackendFailure("unsupported" if loading else "crashed", text)
