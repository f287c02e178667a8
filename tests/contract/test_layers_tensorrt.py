"""What TensorRT's profiler tells becomes steps, on a GPU that is imitated in the host's memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from host_gpu import COLUMNS, ENGINE, LAYER, MOST_ROWS, HostDriver, HostTensorRt

from autotuner.backends import cuda, layers_tensorrt
from autotuner.backends.layers import layer_profiler
from autotuner.backends.layers_tensorrt import nodes_of, steps_of
from autotuner.backends.tensorrt_session import LoadedEngine, TensorRtSession
from autotuner.core.config import Config

FEEDS = {"x": np.ones((MOST_ROWS, COLUMNS), np.float32)}


@pytest.fixture
def driver(monkeypatch):
    """Put the imitation where the driver is looked for, and its engine where engines are kept."""
    imitation = HostDriver()
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: imitation)

    def opened(_, recipe, listener):
        assert recipe.detailed
        stream = cuda.Stream(cuda.Driver())
        engine = LoadedEngine(HostTensorRt(imitation), ENGINE)
        return TensorRtSession(engine, stream, recipe.shapes, listener)

    monkeypatch.setattr(layers_tensorrt.TensorRtLayers, "_open", opened)
    return imitation


def test_every_batch_tells_its_layers(driver, tmp_path):
    """With the nodes that each is made of; nothing is replayed, nothing stays behind."""
    profiler = layer_profiler("tensorrt")
    config = Config(provider="tensorrt", batch_size=MOST_ROWS)
    runs = profiler.runs(tmp_path / "model.onnx", config, FEEDS, seconds=0.0, least=5)
    assert len(runs) == 5
    for run in runs:
        (step,) = run.steps
        assert (step.name, step.operator, step.time_s) == (LAYER, "PointWise", 0.25e-3)
        assert step.origins == ("two", "times")
        assert run.whole_s > 0.0
    assert driver.launches == 0
    assert driver.live == {}


def test_an_engine_that_tells_names_alone_is_taken_at_them():
    """Versions before 8.6, and engines that were not asked for details."""
    assert nodes_of([json.dumps(LAYER)]) == {}
    (step,) = steps_of([("conv + node_of_y", 2.0)], {})
    assert step.origins == ("conv", "y")
    assert step.time_s == pytest.approx(2e-3)
