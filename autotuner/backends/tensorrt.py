"""TensorRT without a runtime around it."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from autotuner import durable, locations
from autotuner.backends.base import BackendFailure
from autotuner.backends.cuda import Driver, Stream
from autotuner.backends.engine_cache import EngineCache, digest
from autotuner.backends.nvidia import find_gpu, outdated
from autotuner.backends.tensorrt_build import GRAPHS, Recipe, build
from autotuner.backends.tensorrt_session import LayerListener, LoadedEngine, TensorRtSession
from autotuner.core.config import Config

_OLDEST = (8, 6)


class TensorRt:
    """Builds an engine a batch size and runs it; versions from 8.6 on.

    Sessions that are open at the same time share the engine, where it is the same one.
    """

    def __init__(self) -> None:
        self._engines: WeakValueDictionary[str, LoadedEngine] = WeakValueDictionary()

    def providers(self) -> Mapping[str, str | None]:
        """Return the one provider."""
        return {"tensorrt": self._problem()}

    def version(self) -> str | None:
        """Return the version of the installed distribution."""
        for name in ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"):
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        return None

    def precisions(self, provider: str) -> Mapping[str, str]:  # noqa: ARG002 - there is one
        """Return what the GPU has arithmetic for; the graph says the types."""
        gpu = find_gpu()
        able = {"tf32": gpu.has_tensor_float, "fp16": gpu.has_half, "int8": gpu.has_int8}
        return {name: graph for name, graph in GRAPHS.items() if able.get(name, True)}

    def start(self) -> None:
        """Import the runtime."""
        import tensorrt  # noqa: F401, PLC0415 - optional, and heavy

    def open(
        self, model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]
    ) -> TensorRtSession:
        """Load the engine of *model*, which the first time has to be built.

        Raises BackendFailure with the runtime's own words.
        """
        if config.provider != "tensorrt":
            raise BackendFailure("unsupported", f"{config.provider} is not offered here")
        return self._open(Recipe(model=model, precision=config.precision, shapes=shapes))

    def _open(self, recipe: Recipe, listener: LayerListener | None = None) -> TensorRtSession:
        stream = Stream(Driver())
        try:
            return TensorRtSession(self._loaded(recipe), stream, recipe.shapes, listener)
        except BaseException:
            stream.close()
            raise

    def _loaded(self, recipe: Recipe) -> LoadedEngine:
        import tensorrt as trt  # noqa: PLC0415 - optional, and heavy

        loaded = self._engines.get(repr(recipe))
        if loaded is None:
            loaded = self._engines[repr(recipe)] = LoadedEngine(trt, _engine(trt, recipe))
        return loaded

    def _problem(self) -> str | None:
        if find_spec("tensorrt") is None:
            if platform.machine() == "aarch64":
                return (
                    "tensorrt is not installed; install JetPack's package python3-libnvinfer and "
                    "make the virtual environment with --system-site-packages"
                )
            return "tensorrt is not installed; install edge-autotune[tensorrt]"
        found = self.version()
        if found is not None and tuple(map(int, found.split(".")[:2])) < _OLDEST:
            return f"TensorRT {found} is too old; 8.6 is the oldest that works"
        try:
            gpu = find_gpu()
        except BackendFailure as problem:
            return problem.detail
        return outdated(gpu, _needed_cuda(), "tensorrt", "tensorrt-cu")


def _needed_cuda() -> int | None:
    """Return the CUDA that the installed packages are made for; JetPack's do not say."""
    for major in (13, 12):
        with contextlib.suppress(metadata.PackageNotFoundError):
            if metadata.version(f"tensorrt-cu{major}"):
                return major
    return None


def _engine(trt: Any, recipe: Recipe) -> bytes:
    """Return the engine of *recipe* for this GPU and version, from the disk if it is there."""
    gpu = find_gpu()
    folder = locations.make_folder(locations.cache_dir() / "tensorrt")
    timings = folder / f"{trt.__version__}-{'.'.join(map(str, gpu.compute_capability))}.timing"

    def make() -> bytes:
        known = timings.read_bytes() if timings.exists() else b""
        built = build(trt, recipe, timing_cache=known)
        if built.timing_cache is not None:
            durable.write(timings, built.timing_cache)
        return built.engine

    parts = {
        "model": digest(recipe.model),
        "precision": recipe.precision,
        "shapes": repr(sorted(recipe.shapes.items())),
        "version": trt.__version__,
        "gpu": f"{gpu.name} {gpu.compute_capability}",
        **({"detailed": "yes"} if recipe.detailed else {}),
    }
    return EngineCache(folder).get(parts, make)
