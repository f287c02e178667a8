from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from autotuner.core.errors import ModelError, StateError
from autotuner.model import reference
from autotuner.model.inputs import random_inputs
from autotuner.model.inspect import inspect
from autotuner.model.shapes import resolve

# One of each family, and of the variants the small ones: nobody waits for gigabytes of weights.
RUN = (
    "alexnet",
    "densenet-121",
    "inception-v1",
    "inception-v2",
    "mnasnet",
    "mobilenet-v1",
    "mobilenet-v2",
    "resnet-18",
    "resnet-50",
    "shufflenet",
    "shufflenet-v2",
    "squeezenet",
    "squeezenet-1.0",
    "xception",
)
BATCH_SIZES = (1, 3, 5)

# Far below the difference between two samples.
TOLERANCE = {"rtol": 2e-4, "atol": 1e-8}


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory):
    """One cache for the whole file: each model is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", RUN)
def test_a_reference_model_runs_at_any_batch_size(name, cache_dir):
    """A batch gives for each sample what that sample gives alone: finite, and not all the same."""
    path = reference.path(name, cache_dir)
    info = inspect(path)
    assert (info.name, info.batch, info.opset, info.ir_version) == (name, "free", 17, 8)
    inputs = random_inputs(resolve(info), count=3)
    session = _session(path)
    (single,) = zip(*(session.run(None, inputs.batch(1, i)) for i in range(3)), strict=True)
    assert np.isfinite(single).all()
    assert np.std(single[0]) > 0
    assert not np.allclose(single[0], single[1], **TOLERANCE)
    for batch_size in BATCH_SIZES:
        (outputs,) = session.run(None, inputs.batch(batch_size))
        expected = np.concatenate([single[i % 3] for i in range(batch_size)])
        assert outputs.shape == expected.shape
        np.testing.assert_allclose(outputs, expected, **TOLERANCE)


@pytest.mark.parametrize("name", ["inception-v2", "shufflenet", "mobilenet-v2", "shufflenet-v2"])
def test_reference_models_are_valid_onnx(name, cache_dir):
    """The files keep the specification, shapes included."""
    onnx.checker.check_model(reference.path(name, cache_dir), full_check=True)


def test_a_model_is_made_once(cache_dir):
    """The second call returns the same file untouched."""
    path = reference.path("squeezenet", cache_dir)
    made = path.stat().st_mtime_ns
    assert reference.path("squeezenet", cache_dir) == path
    assert path.stat().st_mtime_ns == made


def test_making_is_repeatable(tmp_path, cache_dir):
    """The same recipe makes the same file, so that two boxes share a model's hash."""
    again = reference.path("squeezenet", tmp_path).read_bytes()
    assert again == reference.path("squeezenet", cache_dir).read_bytes()


@pytest.mark.parametrize("damage", ["truncated", "flipped", "gone", "unfinished", "no checksum"])
def test_a_damaged_file_is_made_anew(tmp_path, damage):
    """Whatever happened to the cached files, the model that comes back is whole."""
    path = reference.path("squeezenet", tmp_path)
    content = path.read_bytes()
    checksum = path.with_suffix(".sha256")
    match damage:
        case "truncated":
            path.write_bytes(content[:-1])
        case "flipped":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "gone":
            path.unlink()
        case "unfinished":
            checksum.unlink()
        case "no checksum":
            checksum.write_bytes(b"\xff")
    assert reference.path("squeezenet", tmp_path).read_bytes() == content
    assert sorted(path.parent.iterdir()) == sorted([path, checksum])


def test_an_unknown_name_is_answered_by_the_nearest(tmp_path):
    """A misspelt name makes nothing."""
    with pytest.raises(ModelError, match="did you mean resnet-50"):
        reference.path("resnet50", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    """The message names the directory and the way out."""
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(StateError, match=rf"{blocked}.*directory that you may write"):
        reference.path("squeezenet", blocked)


def test_the_default_is_a_reference_model():
    """The default exists and every model is described."""
    assert reference.DEFAULT in reference.NAMES
    assert all(reference.DESCRIPTIONS.values())


def test_listing_needs_neither_onnx_nor_numpy():
    """The names must come at once."""
    code = "import sys, autotuner.model.reference; print(*sys.modules)"
    names = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"onnx", "numpy"} & set(names)


def _session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
