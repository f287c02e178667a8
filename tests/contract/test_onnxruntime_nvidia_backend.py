"""ONNX Runtime's NVIDIA providers, as far as they can be shown without a GPU."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from autotuner import backends
from autotuner.backends import (
    BackendFailure,
    cuda,
    nvidia,
    onnxruntime_nvidia,
    onnxruntime_options,
)
from autotuner.backends import onnxruntime as onnxruntime_backend
from autotuner.backends.nvidia import Gpu
from autotuner.backends.onnxruntime_session import CapturedSession, failure
from autotuner.core.config import Config

ORIN = Gpu(name="Orin", compute_capability=(8, 7), cuda=(12, 6))
TX2 = Gpu(name="GP10B", compute_capability=(6, 2), cuda=(10, 2))
SHAPES = {"x": (4, 3, 16, 16), "state": (2, 8)}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Pretend that the package has its providers, linked to CUDA 12 and TensorRT 10."""
    path = tmp_path / "provider.so"
    path.write_bytes(b"\x7fELF\0libcudart.so.12\0libnvinfer.so.10\0")
    for module in (onnxruntime_nvidia, onnxruntime_options):
        monkeypatch.setattr(module, "library", lambda _: path)
    return path


@pytest.fixture
def gpu(monkeypatch):
    """Pretend that the machine has the GPU that is handed in."""

    def pretend(found):
        for module in (onnxruntime_nvidia, onnxruntime_options):
            monkeypatch.setattr(module, "find_gpu", lambda: found)

    return pretend


@pytest.fixture
def model(tmp_path):
    """Return a file that is only looked at."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    return path


@pytest.mark.parametrize("provider", onnxruntime_nvidia.PROVIDERS)
@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(),
    reason="this onnxruntime is built for GPUs",
)
def test_a_package_without_gpu_providers_is_named_with_its_remedy(provider, tiny_model):
    """Before anything is tried, and again by a session, which is not measured on the CPU."""
    backend = backends.load(backends.locate(provider))
    said = backend.providers()[provider]
    assert "built without" in said
    assert "gpu" in said
    with pytest.raises(BackendFailure, match="fell back to CPUExecutionProvider") as caught:
        backend.open(tiny_model, Config(provider=provider), {"x": (1, 3, 16, 16)})
    assert said in caught.value.detail
    assert caught.value.reason == "unsupported"


@pytest.mark.usefixtures("library")
def test_a_missing_driver_is_named(monkeypatch):
    """With the file that the loader looks for."""
    monkeypatch.setattr(cuda, "DRIVER", "libabsent.so.1")
    nvidia.find_gpu.cache_clear()
    assert "libabsent.so.1" in onnxruntime_nvidia.problem("onnxruntime-cuda")


@pytest.mark.usefixtures("library")
def test_a_driver_that_is_too_old_is_named_with_both_versions(gpu):
    """And with what fits it."""
    gpu(TX2)
    said = onnxruntime_nvidia.problem("onnxruntime-cuda")
    assert "CUDA 10.2" in said
    assert "CUDA 12" in said


@pytest.mark.parametrize(
    ("library_name", "remedy"),
    [("libcudnn.so.9", "gpu|jetpack"), ("libnvinfer.so.10", "TensorRT 10")],
)
def test_a_missing_library_is_named_with_what_brings_it(library_name, remedy):
    """The words are those of the dynamic loader, in the middle of a log line."""
    said = (
        "2026-01-01 [E:onnxruntime:Default, provider_bridge_ort.cc:2167] Failed to load library "
        "libonnxruntime_providers_cuda.so with error: "
        f"{library_name}: cannot open shared object file: No such file or directory\n"
        "[W:onnxruntime] Failed to create CUDAExecutionProvider.\n"
    )
    cause = onnxruntime_nvidia._cause(said)
    assert library_name in cause
    assert any(word in cause for word in remedy.split("|"))


@pytest.mark.parametrize(
    ("found", "provider", "expected"),
    [
        (ORIN, "onnxruntime-cuda", {"fp32": "fp32", "tf32": "fp32", "fp16": "fp16"}),
        (ORIN, "onnxruntime-tensorrt", {"tf32": "fp32", "fp16": "fp16", "int8": "int8-symmetric"}),
        (TX2, "onnxruntime-cuda", {"fp32": "fp32", "fp16": "fp16"}),
        (TX2, "onnxruntime-tensorrt", {"fp32": "fp32", "fp16": "fp16"}),
    ],
)
def test_a_precision_is_called_what_the_gpu_computes_in(gpu, found, provider, expected):
    """TF32 is never passed off as FP32, and nothing is offered that the GPU emulates."""
    gpu(found)
    assert onnxruntime_options.precisions(provider) == expected


def test_tensor_float_is_off_unless_it_is_asked_for(model):
    """ONNX Runtime's default is on."""
    for precision, expected in {"fp32": "0", "tf32": "1"}.items():
        config = Config(provider="onnxruntime-cuda", precision=precision)
        ((_, options),) = onnxruntime_options.providers_to_try(model, config, SHAPES, captured=True)
        assert options["use_tf32"] == expected


def test_tensorrt_gets_the_whole_range_of_a_queue(library, model, monkeypatch, tmp_path):
    """From one sample to a full batch; inputs without a batch axis stay as they are."""
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path))
    config = Config(
        provider="onnxruntime-tensorrt", precision="fp16", batch_size=4, max_queue_delay_ms=5.0
    )
    (_, options), _ = onnxruntime_options.providers_to_try(model, config, SHAPES, captured=False)
    assert options["trt_profile_min_shapes"] == "x:1x3x16x16,state:2x8"
    assert options["trt_profile_max_shapes"] == "x:4x3x16x16,state:2x8"
    assert options["trt_fp16_enable"] == "1"
    library.write_bytes(b"libnvinfer.so.11\0")
    (_, options), _ = onnxruntime_options.providers_to_try(model, config, SHAPES, captured=False)
    assert "trt_fp16_enable" not in options, "TensorRT 11 reads it off the graph"


def test_engines_of_different_weights_are_kept_apart(model, monkeypatch, tmp_path):
    """The provider itself looks at names only."""
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path))
    config, places = Config(provider="onnxruntime-tensorrt", precision="tf32"), set()
    for weights in (b"one", b"other"):
        model.write_bytes(weights)
        (_, options), _ = onnxruntime_options.providers_to_try(model, config, SHAPES, captured=True)
        places.add(options["trt_engine_cache_path"])
    assert len(places) == 2


def test_bound_memory_answers_like_a_plain_run(tiny_model):
    """Full batches, smaller ones and full ones again.

    The CPU's memory stands for a GPU's; it is not copied, so answers do not last.
    """
    plain = onnxruntime.InferenceSession(tiny_model, providers=["CPUExecutionProvider"])
    session = CapturedSession(plain, {"x": (4, 3, 16, 16)}, device="cpu")
    rng = np.random.default_rng(1)
    for size in (4, 4, 1, 4, 3):
        batch = {"x": rng.standard_normal((size, 3, 16, 16)).astype(np.float32)}
        (expected,) = plain.run(None, batch)
        (answer,) = session.run(batch)
        np.testing.assert_allclose(answer, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(BackendFailure):
        session.run({"x": np.zeros((4, 3, 16, 16), np.float64)})
    session.bind(batch := {"x": rng.standard_normal((4, 3, 16, 16)).astype(np.float32)})()
    np.testing.assert_allclose(
        session._bound.take()[0], plain.run(None, batch)[0], rtol=1e-5, atol=1e-6
    )
    with pytest.raises(BackendFailure, match="full batches"):
        session.bind({"x": batch["x"][:1]})
    session.close()
    session.close()


@pytest.mark.usefixtures("library")
def test_tensorrt_has_its_engine_written_before_anybody_else_may_read_it(
    tiny_model, monkeypatch, tmp_path
):
    """It builds in the first run, so there is one while the folder is kept from others.

    A plain session stands for TensorRT's, and leaves a file as that does.
    """
    monkeypatch.setenv("AUTOTUNE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(onnxruntime_nvidia, "preload", lambda: None)
    monkeypatch.setattr(onnxruntime_nvidia, "check_used", lambda *_: None)
    config = Config(provider="onnxruntime-tensorrt", precision="tf32", max_queue_delay_ms=1.0)
    folder = onnxruntime_options.engine_folder(tiny_model, config)
    plain = onnxruntime.InferenceSession(tiny_model, providers=["CPUExecutionProvider"])

    class Builds:
        def run(self, *arguments):
            (folder / "an.engine").touch()
            return plain.run(*arguments)

        def __getattr__(self, name):
            return getattr(plain, name)

    monkeypatch.setattr(onnxruntime_backend, "_load", lambda *_: Builds())
    session = onnxruntime_backend.OnnxRuntime().open(tiny_model, config, {"x": (2, 3, 16, 16)})
    assert {file.name for file in folder.iterdir()} == {"an.engine", "whole"}
    session.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("BFCArena: Failed to allocate memory for requested buffer of size 67108864", "oom"),
        ("CUDA failure 2: out of memory ; GPU=0 ; file=cuda_allocator.cc ; line=47", "oom"),
        ("CUDA failure 719: unspecified launch failure ; GPU=0 ; file=cuda_call.cc", "crashed"),
        ("CUDA failure 46: all CUDA-capable devices are busy or unavailable", "crashed"),
    ],
)
def test_what_happens_to_the_gpu_is_a_reason_of_the_trial(said, reason):
    """Memory that ran out is told from a GPU that disappeared or is not to be had."""
    found = failure(RuntimeError(f"[ONNXRuntimeError] : 1 : FAIL : {said}"), loading=False)
    assert (found.reason, said in found.detail) == (reason, True)
