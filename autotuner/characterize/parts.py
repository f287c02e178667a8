"""Run a model that was cut in two beside the whole one, and compare times and answers."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from autotuner import backends
from autotuner.characterize.messages import SplitOrder, SplitRun, SplitTurn
from autotuner.core.config import Config

Arrays = Mapping[str, np.ndarray[Any, Any]]

_LEAST_TURNS, _MOST_TURNS = 9, 30
_TURN_S = 0.08
_LEAST_RUNS = 3
_PRECISION = 0.02
_NOTCH = 1.57


class _Loaded:
    """A model that is loaded, with what it is fed."""

    def __init__(self, model: Path, config: Config, feeds: Arrays) -> None:
        backend = backends.load(backends.locate(config.provider))
        backend.start()
        self._feeds = feeds
        self._session = backend.open(model, config, {n: array.shape for n, array in feeds.items()})
        self._outputs = [value.name for value in _graph(model).output]

    def answers(self) -> Arrays:
        """Return the outputs by name."""
        found = self._session.run(self._feeds)
        return {name: _usual(array) for name, array in zip(self._outputs, found, strict=True)}

    def batch_s(self) -> float:
        """Return the median of some batches.

        The first does not count: threads of the session before it may still wait for work then.
        """
        self._session.run(self._feeds)
        times: list[float] = []
        while len(times) < _LEAST_RUNS or sum(times) < _TURN_S:
            began = time.perf_counter()
            self._session.run(self._feeds)
            times.append(time.perf_counter() - began)
        return statistics.median(times)


def run_parts(order: SplitOrder) -> SplitRun:
    """Return the times of whole and parts in turn, and how far the answers differ.

    Raises BackendFailure.
    """
    feeds = order.inputs.load().batch(order.first_config.batch_size)
    whole_here = _Loaded(order.whole, order.first_config, feeds)
    whole_there = whole_here
    if order.second_config != order.first_config:
        whole_there = _Loaded(order.whole, order.second_config, feeds)
    first = _Loaded(order.first, order.first_config, feeds)
    expected, between = whole_here.answers(), first.answers()
    taken = _inputs(order.second)
    passed = {name: array for name, array in {**feeds, **between}.items() if name in taken}
    second = _Loaded(order.second, order.second_config, passed)
    found = second.answers()
    turns: list[SplitTurn] = []
    while len(turns) < _LEAST_TURNS or (len(turns) < _MOST_TURNS and not _settled(turns)):
        turns.append(_turn(whole_here, whole_there, first, second))
    return SplitRun(
        turns=tuple(turns),
        largest_difference=max(_difference(found[name], expected[name]) for name in expected),
    )


def _turn(here: _Loaded, there: _Loaded, first: _Loaded, second: _Loaded) -> SplitTurn:
    here_s = here.batch_s()
    first_s = first.batch_s()
    there_s = here_s if there is here else there.batch_s()
    return SplitTurn(whole_s=(here_s, there_s), parts_s=(first_s, second.batch_s()))


def _settled(turns: Sequence[SplitTurn]) -> bool:
    """Say whether the parts beside the whole are known precisely enough.

    The interval is that of a notched box plot (McGill et al., 1978), at 95 %.
    """
    ratios = [sum(turn.parts_s) / sum(turn.whole_s) for turn in turns]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return _NOTCH * (high - low) / math.sqrt(len(ratios)) <= _PRECISION * middle


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
