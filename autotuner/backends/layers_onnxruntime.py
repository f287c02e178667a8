"""The time of each step in ONNX Runtime, by its own profiler."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotuner.backends.base import BackendFailure
from autotuner.backends.layers import ProfiledRun, Step
from autotuner.backends.onnxruntime_session import failure
from autotuner.core.config import Config

_SEVERITY_FATAL = 4
_WARM_UP_RUNS = 3
_KERNEL = "_kernel_time"
# What its graph transformers put around the name of what they rewrote.
_PREFIXES = ("fused ",)
_SUFFIXES = ("_nchwc", "/GatherSliceToSplitFusion", "_quant")


class OnnxRuntimeLayers:
    """Each session writes the trace of its runs to a file when it is told to end profiling."""

    def runs(
        self,
        model: Path,
        config: Config,
        feeds: Mapping[str, Any],
        *,
        seconds: float,
        least: int,
    ) -> list[ProfiledRun]:
        """Run with the profiler on and read its trace."""
        import onnxruntime  # noqa: PLC0415 - optional, and heavy

        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = _SEVERITY_FATAL
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "trace")
            if config.intra_op_threads is not None:
                options.intra_op_num_threads = config.intra_op_threads
            try:
                session = onnxruntime.InferenceSession(
                    str(model), options, providers=["CPUExecutionProvider"]
                )
                wholes = _timed(session, feeds, seconds, least)
                trace = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
            except Exception as error:
                raise failure(error, loading=True) from error
        return _runs(trace, wholes)


def _timed(session: Any, feeds: Mapping[str, Any], seconds: float, least: int) -> list[float]:
    for _ in range(_WARM_UP_RUNS):
        session.run(None, feeds)
    wholes: list[float] = []
    while len(wholes) < least or sum(wholes) < seconds:
        began = time.perf_counter()
        session.run(None, feeds)
        wholes.append(time.perf_counter() - began)
    return wholes


def _runs(trace: list[dict[str, Any]], wholes: list[float]) -> list[ProfiledRun]:
    """Cut the trace into runs: a node's event comes before the end of the run that it is in."""
    runs: list[ProfiledRun] = []
    steps: list[Step] = []
    for event in sorted(trace, key=lambda e: e["ts"] + e["dur"]):
        if event["cat"] == "Node" and event["name"].endswith(_KERNEL):
            steps.append(_step(event))
        elif event["name"] == "model_run":
            runs.append(ProfiledRun(whole_s=0.0, steps=tuple(steps)))
            steps = []
    timed = runs[-len(wholes) :]
    if len({tuple(step.name for step in run.steps) for run in timed}) > 1:
        raise BackendFailure("unsupported", "the steps of the model differ from run to run")
    return [
        ProfiledRun(whole_s=whole, steps=run.steps)
        for run, whole in zip(timed, wholes, strict=True)
    ]


def _step(event: Mapping[str, Any]) -> Step:
    name = event["name"].removesuffix(_KERNEL)
    origin = name.partition("_token_")[0]
    for prefix in _PREFIXES:
        origin = origin.removeprefix(prefix)
    for suffix in _SUFFIXES:
        origin = origin.removesuffix(suffix)
    return Step(
        name=name,
        operator=event["args"]["op_name"],
        origins=(origin,),
        time_s=event["dur"] / 1e6,
    )
