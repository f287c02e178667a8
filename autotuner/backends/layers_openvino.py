"""The time of each step in OpenVINO, by its performance counters."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotuner.backends.layers import ProfiledRun, Step
from autotuner.backends.openvino import OpenVino
from autotuner.core.config import Config

_WARM_UP_RUNS = 3
_NOT_A_STEP = frozenset(("Parameter", "Result", "Const"))


class OpenVinoLayers(OpenVino):
    """The backend with counters switched on; the plan of a compiled model names what was fused."""

    def runs(
        self,
        model: Path,
        config: Config,
        feeds: Mapping[str, Any],
        *,
        seconds: float,
        least: int,
    ) -> list[ProfiledRun]:
        """Run with the counters on, which tell the average since the model was compiled.

        So all runs come back as one, those to warm up taken out again.
        """
        session = self.open(model, config, {name: array.shape for name, array in feeds.items()})
        request = session.request
        origins = _origins(request.get_compiled_model())
        for _ in range(_WARM_UP_RUNS):
            session.run(feeds)
        early = request.get_profiling_info()
        wholes: list[float] = []
        while len(wholes) < least or sum(wholes) < seconds:
            began = time.perf_counter()
            session.run(feeds)
            wholes.append(time.perf_counter() - began)
        late = request.get_profiling_info()
        steps = tuple(
            Step(
                name=after.node_name,
                operator=after.node_type,
                origins=origins.get(after.node_name, (after.node_name,)),
                time_s=_since(before, after, len(wholes)),
            )
            for before, after in zip(early, late, strict=True)
            if after.status == after.EXECUTED and after.node_type not in _NOT_A_STEP
        )
        session.close()
        return [ProfiledRun(whole_s=statistics.fmean(wholes), steps=steps)]

    def _properties(self, device: str, config: Config) -> dict[str, Any]:
        return {**super()._properties(device, config), "PERF_COUNT": True}


def _since(before: Any, after: Any, runs: int) -> float:
    """Return the average of the last *runs*, in seconds, from averages since the beginning."""
    early, late = (float(counter.real_time.total_seconds()) for counter in (before, after))
    return max(0.0, late + (late - early) * _WARM_UP_RUNS / runs)


def _origins(compiled: Any) -> dict[str, tuple[str, ...]]:
    """Return the model's nodes that went into each step of the *compiled* plan."""
    found: dict[str, tuple[str, ...]] = {}
    for node in compiled.get_runtime_model().get_ops():
        facts = node.get_rt_info()
        if "originalLayersNames" in facts:
            names = str(facts["originalLayersNames"].astype(str))
            found[node.get_friendly_name()] = tuple(filter(None, names.split(",")))
    return found
