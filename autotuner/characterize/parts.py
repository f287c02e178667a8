"""Run a model that was cut in two, and compare its answers with the whole one's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from autotuner import backends
from autotuner.characterize.messages import SplitOrder, SplitRun
from autotuner.core.config import Config

_SECONDS = 0.7
_LEAST_RUNS = 8


def run_parts(order: SplitOrder) -> SplitRun:
    """Return the times of both parts and how far the answers differ; raises BackendFailure."""
    feeds = order.inputs.load().batch(order.first_config.batch_size)
    expected, _ = _run(order.whole, order.first_config, feeds)
    between, first_s = _run(order.first, order.first_config, feeds)
    taken = _inputs(order.second)
    passed = {name: array for name, array in {**feeds, **between}.items() if name in taken}
    found, second_s = _run(order.second, order.second_config, passed)
    return SplitRun(
        first_s=first_s,
        second_s=second_s,
        largest_difference=max(_difference(found[name], expected[name]) for name in expected),
    )


def _run(
    model: Path, config: Config, feeds: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray[Any, Any]], float]:
    """Return the outputs of *model* by name and the median time of a batch."""
    backend = backends.load(backends.locate(config.provider))
    backend.start()
    session = backend.open(model, config, {name: array.shape for name, array in feeds.items()})
    outputs = session.run(feeds)
    times: list[float] = []
    while len(times) < _LEAST_RUNS or sum(times) < _SECONDS:
        began = time.perf_counter()
        session.run(feeds)
        times.append(time.perf_counter() - began)
    session.close()
    names = [value.name for value in _graph(model).output]
    return {n: _usual(o) for n, o in zip(names, outputs, strict=True)}, statistics.median(times)


def _usual(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return *array* in NumPy's own type of its kind.

    ONNX Runtime's 64-bit integers are C's ``long long``, which OpenVINO does not take.
    """
    return array.astype(array.dtype.str)


def _graph(model: Path) -> onnx.GraphProto:
    return onnx.load(model, load_external_data=False).graph


def _inputs(model: Path) -> set[str]:
    return {value.name for value in _graph(model).input}


def _difference(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    largest = float(np.abs(expected).max(initial=0.0)) or 1.0
    return float(np.abs(found - expected).max(initial=0.0)) / largest
