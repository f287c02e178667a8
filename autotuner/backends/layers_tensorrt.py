"""The time of each layer of a TensorRT engine, by its own profiler."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotuner.backends.base import BackendFailure
from autotuner.backends.layers import ProfiledRun, Step
from autotuner.backends.tensorrt import TensorRt
from autotuner.backends.tensorrt_build import Recipe
from autotuner.core.config import Config

_WARM_UP_RUNS = 3
_NODE = re.compile(r"\[ONNX Layer: ([^\]]+)\]")
# What the parser calls a node without a name, after the tensor that it makes.
_UNNAMED = "node_of_"


class TensorRtLayers(TensorRt):
    """The backend with a profiler in its context and an engine that tells what it is made of."""

    def runs(
        self,
        model: Path,
        config: Config,
        feeds: Mapping[str, Any],
        *,
        seconds: float,
        least: int,
    ) -> list[ProfiledRun]:
        """Run with the profiler on; the times are those on the GPU."""
        shapes = {name: array.shape for name, array in feeds.items()}
        recipe = Recipe(model=model, precision=config.precision, shapes=shapes, detailed=True)
        told: list[tuple[str, float]] = []
        session = self._open(recipe, lambda name, ms: told.append((name, ms)))
        made_of = nodes_of(session.described())
        for _ in range(_WARM_UP_RUNS):
            session.run(feeds)
        runs: list[ProfiledRun] = []
        while len(runs) < least or sum(run.whole_s for run in runs) < seconds:
            told.clear()
            began = time.perf_counter()
            session.run(feeds)
            whole_s = time.perf_counter() - began
            runs.append(ProfiledRun(whole_s=whole_s, steps=steps_of(told, made_of)))
        session.close()
        if len({tuple(step.name for step in run.steps) for run in runs}) > 1:
            raise BackendFailure("unsupported", "the layers of the engine differ from run to run")
        return runs


def nodes_of(described: Sequence[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the type of each layer and the model's nodes in it, from what an engine says; pure."""
    found = {}
    for text in described:
        layer = json.loads(text)
        if not isinstance(layer, dict):  # an engine that tells names alone
            continue
        nodes = tuple(_NODE.findall(layer.get("Metadata", "")))
        found[layer["Name"]] = (layer.get("LayerType", "layer"), nodes)
    return found


def steps_of(
    told: Sequence[tuple[str, float]], made_of: Mapping[str, tuple[str, tuple[str, ...]]]
) -> tuple[Step, ...]:
    """Return the steps of one batch; a layer that says no nodes is named after them; pure."""
    steps = []
    for name, ms in told:
        operator, nodes = made_of.get(name, ("layer", ()))
        origins = nodes or tuple(part.strip() for part in name.split(" + "))
        origins = tuple(origin.removeprefix(_UNNAMED) for origin in origins)
        steps.append(Step(name=name, operator=operator, origins=origins, time_s=ms / 1e3))
    return tuple(steps)
