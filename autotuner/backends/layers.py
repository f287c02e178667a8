"""The seam to what a runtime tells of the time of each step of a run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from autotuner.core.config import Config
from autotuner.core.errors import MachineError

_PROFILERS = {
    "onnxruntime-cpu": "autotuner.backends.layers_onnxruntime:OnnxRuntimeLayers",
    "openvino-cpu": "autotuner.backends.layers_openvino:OpenVinoLayers",
    "tensorrt": "autotuner.backends.layers_tensorrt:TensorRtLayers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the runtime did for one node or for several that it fused; *origins* are theirs.

    An origin is the name of a node of the model or of a tensor that a node makes.
    """

    name: str
    operator: str
    origins: tuple[str, ...]
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledRun:
    """One batch, or the average of some: its time from outside, and that of each step."""

    whole_s: float
    steps: tuple[Step, ...]


class LayerProfiler(Protocol):
    """Runs a model with its steps timed."""

    def runs(
        self,
        model: Path,
        config: Config,
        feeds: Mapping[str, Any],
        *,
        seconds: float,
        least: int,
    ) -> list[ProfiledRun]:
        """Load *model* and run it for about *seconds*, at *least* so many times.

        Every run has the same steps in the same order. Raises BackendFailure.
        """


def layer_profiler(provider: str) -> LayerProfiler:
    """Return the profiler for *provider*; raises MachineError where there is none."""
    if provider not in _PROFILERS:
        raise MachineError(
            f"The layers of {provider} cannot be timed; choose --provider "
            f"{' or '.join(_PROFILERS)}."
        )
    module, _, name = _PROFILERS[provider].partition(":")
    profiler: LayerProfiler = getattr(importlib.import_module(module), name)()
    return profiler
