"""What a session does with an engine, on a GPU that is imitated in the host's memory."""

from __future__ import annotations

import sys
from functools import partial
from importlib import metadata

import numpy as np
import pytest
from host_gpu import COLUMNS, ENGINE, MOST_ROWS, HostDriver, HostTensorRt

from autotuner import backends
from autotuner.backends import BackendFailure, cuda, tensorrt
from autotuner.backends.lane import open_lanes
from autotuner.backends.nvidia import Gpu
from autotuner.backends.tensorrt_session import LoadedEngine, TensorRtSession
from autotuner.core.config import Config

SHAPES = {"x": (MOST_ROWS, COLUMNS)}
RNG = np.random.default_rng(3)


@pytest.fixture
def driver(monkeypatch):
    """Put the imitation where the driver is looked for."""
    imitation = HostDriver()
    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda _: imitation)
    return imitation


@pytest.fixture
def session(driver):
    """Return a session with the engine that doubles."""
    return opened(driver)


def opened(driver, engine=ENGINE):
    """Open a session on *driver*."""
    stream = cuda.Stream(cuda.Driver())
    return TensorRtSession(LoadedEngine(HostTensorRt(driver), engine), stream, SHAPES)


def batch(rows=MOST_ROWS):
    """Return inputs of *rows* samples."""
    return {"x": RNG.standard_normal((rows, COLUMNS)).astype(np.float32)}


def test_every_batch_is_answered_from_its_own_inputs(session):
    """Full ones, replayed or not, and smaller ones between them; earlier answers stay."""
    answers = []
    for rows in (4, 4, 1, 4, 3, 2, 4):
        feeds = batch(rows)
        (answer,) = session.run(feeds)
        answers.append((answer, 2 * feeds["x"]))
    for answer, expected in answers:
        np.testing.assert_array_equal(answer, expected)


def test_full_batches_are_replayed_as_a_graph(session, driver):
    """From the second one on, and smaller ones never."""
    for rows in (4, 4, 4, 1):
        session.run(batch(rows))
    assert driver.launches == 2


def test_what_cannot_be_captured_runs_all_the_same(session, driver):
    """Batch by batch, as if there were no graphs."""
    driver.status["cuStreamBeginCapture_v2"] = 900
    for _ in range(3):
        feeds = batch()
        np.testing.assert_array_equal(session.run(feeds)[0], 2 * feeds["x"])
    assert driver.launches == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": np.zeros((5, 3), np.float32)},
        {"x": np.zeros((4, 3), np.float64)},
        {"x": np.zeros(3, np.float32)},
        {"z": np.zeros((4, 3), np.float32)},
        {},
    ],
    ids=["shape", "type", "rank", "name", "nothing"],
)
def test_a_batch_that_does_not_fit_is_refused(session, wrong):
    """And the session still works."""
    with pytest.raises(BackendFailure):
        session.run(wrong)
    feeds = batch()
    np.testing.assert_array_equal(session.run(feeds)[0], 2 * feeds["x"])


def test_a_bound_batch_runs_without_copies(session, driver):
    """From where its inputs were laid; whoever copies notices."""
    feeds = batch()
    run = session.bind(feeds)
    for copy in ("cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2"):
        driver.status[copy] = 999
    launches = driver.launches
    run()
    run()
    assert driver.launches == launches + 2
    driver.status.clear()
    np.testing.assert_array_equal(session.run(feeds)[0], 2 * feeds["x"])


def test_only_full_batches_are_bound(session):
    """The memory is made for those."""
    with pytest.raises(BackendFailure, match="full batches"):
        session.bind(batch(1))


def test_closing_gives_everything_back(session, driver):
    """Memory of the GPU and of the host; twice does no harm."""
    session.run(batch())
    session.run(batch(1))
    assert driver.live
    session.close()
    session.close()
    assert driver.live == {}


def test_streams_share_one_engine(driver, monkeypatch, tmp_path):
    """Each with a context in a thread of its own; it is read again when all have been closed."""
    trt = HostTensorRt(driver)
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    monkeypatch.setattr(tensorrt, "_engine", lambda *_: ENGINE)
    backend = tensorrt.TensorRt()
    config = Config(provider="tensorrt", batch_size=MOST_ROWS, streams=3)
    for read in (1, 2):
        lanes = open_lanes(lambda: backend.open(tmp_path, config, SHAPES), config.streams)
        for rows in (4, 4, 1):
            for lane in lanes:
                feeds = batch(rows)
                (answer,) = lane.do(partial(lane.session.run, feeds))
                np.testing.assert_array_equal(answer, 2 * feeds["x"])
        while lanes:
            lanes.pop().close()
        del lane
        assert (trt.read, driver.live) == (read, {})


def test_memory_that_runs_out_is_called_so(driver):
    """The driver's number decides."""
    driver.status["cuMemAlloc_v2"] = 2
    with pytest.raises(BackendFailure, match="error number 2") as caught:
        opened(driver)
    assert caught.value.reason == "oom"


def test_a_gpu_that_disappears_ends_the_trial(session, driver):
    """As a crash, with the driver's words."""
    session.run(batch())
    driver.status["cuStreamSynchronize"] = 999
    with pytest.raises(BackendFailure, match="error number 999") as caught:
        session.run(batch())
    assert caught.value.reason == "crashed"


def test_an_engine_that_cannot_be_read_is_refused(driver):
    """With TensorRT's words on one line."""
    with pytest.raises(BackendFailure, match="the engine is of another version"):
        opened(driver, b"something else")


def test_a_machine_without_the_package_or_a_gpu_says_so():
    """And what to install."""
    problem = backends.load(backends.locate("tensorrt")).providers()["tensorrt"]
    assert problem is None or "install" in problem or "NVIDIA driver" in problem


def test_a_session_without_a_driver_is_refused(tiny_model, monkeypatch):
    """Before anything of TensorRT's is needed."""
    monkeypatch.setattr(cuda, "DRIVER", "libabsent.so.1")
    backend = backends.load(backends.locate("tensorrt"))
    with pytest.raises(BackendFailure, match=r"libabsent\.so\.1"):
        backend.open(tiny_model, Config(provider="tensorrt"), {"x": (1, 3, 16, 16)})


def test_a_driver_that_is_too_old_for_tensorrt_is_named_with_both_versions(monkeypatch):
    """The package says by its name which CUDA it is made for."""
    gpu = Gpu(name="Titan V", compute_capability=(7, 0), cuda=(12, 4))
    installed = {"tensorrt": "11.1.0", "tensorrt-cu13": "11.1.0"}

    def version(name):
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(tensorrt, "find_spec", lambda _: True)
    monkeypatch.setattr(tensorrt, "find_gpu", lambda: gpu)
    monkeypatch.setattr(tensorrt.metadata, "version", version)
    problem = tensorrt.TensorRt().providers()["tensorrt"]
    assert "knows CUDA 12.4 at most and tensorrt needs CUDA 13" in problem
    assert problem.endswith("install tensorrt-cu12")
    installed["tensorrt-cu12"] = installed.pop("tensorrt-cu13")
    assert tensorrt.TensorRt().providers()["tensorrt"] is None
