"""The options of ONNX Runtime's providers for NVIDIA GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autotuner import locations
from autotuner.backends.base import BackendFailure
from autotuner.backends.engine_cache import digest
from autotuner.backends.nvidia import find_gpu, linked_version
from autotuner.backends.onnxruntime_nvidia import library
from autotuner.backends.tensorrt_build import GRAPHS
from autotuner.core.config import Config

_PRECISIONS = {
    "onnxruntime-cuda": ("fp32", "tf32", "fp16"),
    "onnxruntime-tensorrt": ("fp32", "tf32", "fp16", "int8"),
}
_LAST_WITH_FLAGS = 10  # from TensorRT 11 on the graph alone says the precision

Shapes = Mapping[str, tuple[int, ...]]


def precisions(provider: str) -> Mapping[str, str]:
    """Return what the GPU has arithmetic for and the provider kernels."""
    gpu = find_gpu()
    # TensorRT takes TF32 for FP32 where there is some, and its provider has no option against it.
    only_tensor_float = provider == "onnxruntime-tensorrt" and gpu.has_tensor_float
    able = {
        "fp32": not only_tensor_float,
        "tf32": gpu.has_tensor_float,
        "fp16": gpu.has_half,
        "int8": gpu.has_int8,
    }
    return {name: GRAPHS[name] for name in _PRECISIONS[provider] if able[name]}


def providers_to_try(
    model: Path, config: Config, shapes: Shapes, *, captured: bool
) -> list[tuple[str, dict[str, str]]]:
    """Return the providers for *config* in turn; *captured* asks for a CUDA graph.

    Raises BackendFailure for a precision that no GPU computes in by way of the provider.
    """
    if config.precision not in _PRECISIONS[config.provider]:
        raise BackendFailure(
            "unsupported", f"{config.precision} is not offered by {config.provider}"
        )
    cuda = {
        "device_id": "0",
        "use_tf32": _flag(config.precision == "tf32"),
        "enable_cuda_graph": _flag(captured and config.provider == "onnxruntime-cuda"),
    }
    providers = [("CUDAExecutionProvider", cuda)]
    if config.provider == "onnxruntime-tensorrt":
        tensorrt = _tensorrt_options(model, config, shapes, captured=captured)
        providers.insert(0, ("TensorrtExecutionProvider", tensorrt))
    return providers


def engine_folder(model: Path, config: Config) -> Path:
    """Return where the provider keeps the engines of *config*.

    It names them after the graph, not its weights, so those are kept apart here.
    """
    name = f"{digest(model)[:16]}-{config.precision}-{config.batch_size}"
    return locations.cache_dir() / "onnxruntime-tensorrt" / name


def _tensorrt_options(
    model: Path, config: Config, shapes: Shapes, *, captured: bool
) -> dict[str, str]:
    engines = engine_folder(model, config)
    options = {
        "device_id": "0",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(engines.parent),
        "trt_cuda_graph_enable": _flag(captured),
    }
    file = library(config.provider)
    linked = linked_version(file, "libnvinfer") if file else None
    if linked is None or linked <= _LAST_WITH_FLAGS:
        options["trt_fp16_enable"] = _flag(config.precision == "fp16")
        options["trt_int8_enable"] = _flag(config.precision == "int8")
    if config.max_queue_delay_ms is not None:
        batched = {n for n, s in shapes.items() if s and s[0] == config.batch_size}
        smallest = {n: (1, *s[1:]) if n in batched else s for n, s in shapes.items()}
        options["trt_profile_min_shapes"] = _written(smallest)
        options["trt_profile_opt_shapes"] = options["trt_profile_max_shapes"] = _written(shapes)
    return options


def _flag(on: bool) -> str:  # noqa: FBT001 - that is what it turns into text
    return "1" if on else "0"


def _written(shapes: Shapes) -> str:
    return ",".join(f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items())
