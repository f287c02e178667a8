"""ONNX Runtime's providers for NVIDIA GPUs: what they need here, and what of it is missing."""

from __future__ import annotations

import contextlib
import functools
import platform
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autotuner.backends.base import BackendFailure
from autotuner.backends.nvidia import find_gpu, linked_version, outdated
from autotuner.backends.survey import Answer, answer, ask

PROVIDERS = {
    "onnxruntime-cuda": "CUDAExecutionProvider",
    "onnxruntime-tensorrt": "TensorrtExecutionProvider",
}
_LIBRARIES = {
    "onnxruntime-cuda": "libonnxruntime_providers_cuda.so",
    "onnxruntime-tensorrt": "libonnxruntime_providers_tensorrt.so",
}
_MISSING_LIBRARY = re.compile(r"(lib[\w.+-]+?\.so[.\d]*): cannot open shared object")


def problem(provider: str) -> str | None:
    """Return why *provider* cannot be used here and what to install, None when it can."""
    file = library(provider)
    if file is None:
        return f"the installed onnxruntime is built without {PROVIDERS[provider]}; {_package()}"
    try:
        gpu = find_gpu()
    except BackendFailure as failure:
        return failure.detail
    needed = linked_version(file, "libcudart") or linked_version(file, "libcublas")
    too_old = outdated(gpu, needed, "onnxruntime", "an onnxruntime-gpu for CUDA ")
    return too_old or _problem_of_loading(PROVIDERS[provider])


def check_used(provider: str, used: list[str]) -> None:
    """Raise BackendFailure when a session came out with other providers than *provider* first.

    ONNX Runtime goes on with the next one when one does not load.
    """
    if used[0] != PROVIDERS[provider]:
        why = problem(provider) or "it does not say why"
        raise BackendFailure("unsupported", f"onnxruntime fell back to {used[0]}: {why}")


def preload() -> None:
    """Load the libraries that came as Python packages, which the loader does not find."""
    import onnxruntime  # noqa: PLC0415 - optional, and heavy

    onnxruntime.preload_dlls(msvc=False)
    with contextlib.suppress(ImportError):
        import tensorrt_libs  # noqa: F401, PLC0415 - optional, and heavy


def library(provider: str) -> Path | None:
    """Return the file of *provider* in the installed package, without importing that."""
    spec = find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "capi" / _LIBRARIES[provider]
    return file if file.exists() else None


def _package() -> str:
    if platform.machine() == "aarch64":
        return "install the onnxruntime-gpu that NVIDIA builds for this JetPack"
    return "pip uninstall onnxruntime, then install edge-autotune[gpu]"


def _problem_of_loading(name: str) -> str | None:
    """Return why ONNX Runtime does not load its provider *name*, None when it does."""
    try:
        answered = _loaded()
    except BackendFailure as failure:
        return failure.detail
    if answered.value[name][0] == name:
        return None
    return f"{name} does not load: {_cause(answered.said)}"


@functools.cache
def _loaded() -> Answer:
    """Let ONNX Runtime load its providers, which takes seconds, and return what came of each."""
    return ask(__name__, otherwise="onnxruntime does not load its NVIDIA providers")


def _cause(said: str) -> str:
    """Return the cause in what ONNX Runtime *said*, and what mends it if that is known."""
    if missing := _MISSING_LIBRARY.search(said):
        return f"{missing[1]} is missing; {_bringer(missing[1])}"
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it does not say why"


def _bringer(missing: str) -> str:
    """Say what brings the shared object *missing*."""
    if missing.startswith(("libnvinfer", "libnvonnxparser")):
        major = missing.rpartition(".so.")[2].partition(".")[0]
        return f"install TensorRT {major} (edge-autotune[tensorrt], or JetPack's package tensorrt)"
    if platform.machine() == "aarch64":
        return "install JetPack's package nvidia-jetpack"
    return "install edge-autotune[gpu], which brings it"


def _survey() -> dict[str, list[str]]:
    """Return for each provider those that a session asked for it comes out with."""
    import onnxruntime  # noqa: PLC0415 - optional, and heavy
    from onnx import TensorProto, helper  # noqa: PLC0415 - only here

    preload()
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "survey", ends[:1], ends[1:]
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])

    def used(name: str) -> list[str]:
        # An engine for the one operator would take seconds to build.
        options = {"trt_min_subgraph_size": "2"} if name == "TensorrtExecutionProvider" else {}
        session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=[(name, options)], enable_fallback=0
        )
        found: list[str] = session.get_providers()
        return found

    return {name: used(name) for name in PROVIDERS.values()}


if __name__ == "__main__":
    answer(_survey)
