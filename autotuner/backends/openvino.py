"""OpenVINO, on the CPU and on Intel's GPUs and NPUs."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autotuner import locations
from autotuner.backends.base import BackendFailure
from autotuner.backends.openvino_core import capabilities, import_openvino
from autotuner.core.config import Config

_DEVICES = {"openvino-cpu": "CPU", "openvino-gpu": "GPU", "openvino-npu": "NPU"}
_NEEDS = {
    "GPU": "it needs a GPU of Intel's and its compute driver (package intel-opencl-icd)",
    "NPU": "it needs an NPU of Intel's and its driver (github.com/intel/linux-npu-driver)",
}
_CAPABILITY = {"fp32": "FP32", "bf16": "BF16", "fp16": "FP16", "int8": "INT8"}
_GRAPH = {"fp32": "fp32", "bf16": "fp32", "fp16": "fp32", "int8": "int8"}
_HINT = {"FP32": "f32", "BF16": "bf16", "FP16": "f16"}
_PLACE_IN_SOURCE = re.compile(r"(Exception from |Check '.*?' failed at )[^\s:]+:\d+:?\s*")
_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "out_of_resources")


class OpenVino:
    """Runs a model on a device of OpenVINO's; a configuration becomes properties of a compilation.

    The CPU computes on threads that all sessions of a process share.
    """

    def __init__(self) -> None:
        self._core: Any = None
        self._threads = ThreadBinding()

    def providers(self) -> Mapping[str, str | None]:
        """Return one provider a kind of device."""
        if find_spec("openvino") is None:
            missing = "openvino is not installed; install edge-autotune[openvino]"
            return dict.fromkeys(_DEVICES, missing)
        try:
            found = capabilities()
        except BackendFailure as failure:
            return dict.fromkeys(_DEVICES, failure.detail)
        return {
            provider: None
            if device in found
            else f"OpenVINO finds no {device} here; {_NEEDS.get(device, 'reinstall openvino')}"
            for provider, device in _DEVICES.items()
        }

    def version(self) -> str | None:
        """Return the version of the installed distribution."""
        try:
            return metadata.version("openvino")
        except metadata.PackageNotFoundError:
            return None

    def precisions(self, provider: str) -> Mapping[str, str]:
        """Return what the device has arithmetic for; all but INT8 reads the graph as it is."""
        able = capabilities().get(_DEVICES[provider], frozenset())
        return {name: _GRAPH[name] for name, word in _CAPABILITY.items() if word in able}

    def start(self) -> None:
        """Import the runtime and let it look at the machine.

        It counts the CPUs once, as those that the process may use at that moment, and never runs
        more threads than that: so it must happen before a session binds the process to a few.
        """
        if self._core is None:
            self._core = import_openvino().Core()
            self._core.get_property("CPU", "FULL_DEVICE_NAME")

    def open(
        self, model: Path, config: Config, shapes: Mapping[str, tuple[int, ...]]
    ) -> OpenVinoSession:
        """Compile *model*; raises BackendFailure with the runtime's own words.

        A batch that may be smaller than *shapes* is compiled for every size up to it.
        """
        self.start()
        device = _DEVICES.get(config.provider)
        if device is None:
            raise BackendFailure("unsupported", f"{config.provider} is not offered here")

        def load(smaller: bool) -> Any:  # noqa: FBT001 - one caller
            graph = self._core.read_model(model)
            graph.reshape({n: _dimensions(graph, n, s, smaller) for n, s in shapes.items()})
            compiled = self._core.compile_model(graph, device, properties)
            _check_granted(compiled, properties)
            return compiled.create_infer_request()

        try:
            properties = self._properties(device, config)
            self._threads.bind(os.sched_getaffinity(0))
            return OpenVinoSession(
                load, shapes, self._threads, queued=config.max_queue_delay_ms is not None
            )
        except BackendFailure:
            raise
        except Exception as error:
            raise _failure(error, loading=True) from error

    def _properties(self, device: str, config: Config) -> dict[str, Any]:
        able = self._core.get_property(device, "OPTIMIZATION_CAPABILITIES")
        if _CAPABILITY.get(config.precision) not in able:
            raise BackendFailure(
                "unsupported", f"{config.precision} is not offered by {config.provider} here"
            )
        # What is not quantised in an INT8 graph is computed in the widest type that there is.
        computed = _CAPABILITY[config.precision]
        if computed == "INT8":
            computed = "FP32" if "FP32" in able else "FP16"
        # Always said: left to itself OpenVINO takes BF16 where it can, whatever the graph's type.
        properties = {"INFERENCE_PRECISION_HINT": _HINT[computed], "NUM_STREAMS": 1}
        if device != "CPU":
            # Kernels are compiled from source, which takes seconds. A CPU's code takes tenths of
            # one, and would leave a file as large as the model for each configuration.
            cache = locations.make_folder(locations.cache_dir() / "openvino")
            return properties | {"CACHE_DIR": str(cache)}
        # Its own pinning starts from the first CPU of the machine in every process: two workers of
        # one thread each shared one CPU. Without it threads stay where they are bound to.
        properties["ENABLE_CPU_PINNING"] = False
        if config.intra_op_threads is not None:
            properties["INFERENCE_NUM_THREADS"] = config.intra_op_threads
            properties["ENABLE_HYPER_THREADING"] = True
        return properties


class ThreadBinding:
    """Which CPUs the threads of this process are bound to.

    OpenVINO's threads outlive the session that they were started for, with the CPUs of that one.
    """

    def __init__(self) -> None:
        self.cpus: frozenset[int] | None = None

    def bind(self, cpus: set[int] | frozenset[int]) -> None:
        """Bind every thread to *cpus*, when they are not yet; new ones inherit that."""
        if self.cpus == cpus:
            return
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.sched_setaffinity(int(thread.name), cpus)
        self.cpus = frozenset(cpus)


class OpenVinoSession:
    """One compiled model with one infer request.

    *load* compiles it, for batches of every size or for full ones only. Unless requests are
    *queued*, smaller batches are the exception, and compiled for when the first one comes.
    """

    def __init__(
        self,
        load: Callable[[bool], Any],
        shapes: Mapping[str, tuple[int, ...]],
        threads: ThreadBinding,
        *,
        queued: bool,
    ) -> None:
        self._load = load
        self._shapes = dict(shapes)
        self._threads = threads
        self._tensor = import_openvino().Tensor
        self._cpus = frozenset(os.sched_getaffinity(0))
        self._any_size: Any = load(True) if queued else None
        self._full: Any = self._any_size if queued else load(False)

    def run(self, feeds: Mapping[str, Any]) -> Sequence[Any]:
        """Run one batch; inputs are read where they lie, outputs are copied."""
        if feeds.keys() != self._shapes.keys():
            names = ", ".join(self._shapes)
            raise BackendFailure("crashed", f"a batch has to have the inputs {names}")
        self._threads.bind(self._cpus)
        try:
            request = self._request(feeds)
            for name, array in feeds.items():
                request.set_tensor(name, self._tensor(array, shared_memory=True))
            request.infer()
            return [output.data.copy() for output in request.output_tensors]
        except Exception as error:
            raise _failure(error, loading=False) from error

    def bind(self, feeds: Mapping[str, Any]) -> Callable[[], object]:
        """Return what runs *feeds* from where they lie, which is where a CPU computes."""
        return lambda: self.run(feeds)

    @property
    def request(self) -> Any:
        """OpenVINO's own request, that of full batches."""
        return self._full

    def close(self) -> None:
        """Drop the compiled model, which frees its memory."""
        self._full = self._any_size = None

    def _request(self, feeds: Mapping[str, Any]) -> Any:
        if all(array.shape == self._shapes[name] for name, array in feeds.items()):
            return self._full
        if self._any_size is None:
            self._any_size = self._load(True)
        return self._any_size


def _dimensions(
    graph: Any,
    name: str,
    shape: tuple[int, ...],
    smaller: bool,  # noqa: FBT001 - one caller
) -> Any:
    """Return *shape* in OpenVINO's words, its batch axis open downwards if it may be *smaller*."""
    openvino = import_openvino()
    declared = graph.input(name).get_partial_shape()
    batched = bool(shape) and (declared.rank.is_dynamic or declared[0].is_dynamic)
    if not smaller or not batched:
        return openvino.PartialShape(list(shape))
    return openvino.PartialShape([openvino.Dimension(1, shape[0]), *shape[1:]])


def _check_granted(compiled: Any, properties: Mapping[str, Any]) -> None:
    """Raise when OpenVINO went its own way, which it does without a word."""
    granted = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    wanted = properties["INFERENCE_PRECISION_HINT"]
    if granted != wanted:
        raise BackendFailure("unsupported", f"OpenVINO computes in {granted} instead of {wanted}")
    threads = properties.get("INFERENCE_NUM_THREADS")
    if threads is not None and compiled.get_property("INFERENCE_NUM_THREADS") != threads:
        most = compiled.get_property("INFERENCE_NUM_THREADS")
        raise BackendFailure("unsupported", f"OpenVINO runs {most} threads at most here")


def _failure(error: Exception, *, loading: bool) -> BackendFailure:
    # One message is several lines, each level of the call with its place in OpenVINO's source.
    text = " ".join(_PLACE_IN_SOURCE.sub("", str(error)).split()) or type(error).__name__
    if isinstance(error, MemoryError) or any(word in text.lower() for word in _MEMORY_WORDS):
        return BackendFailure("oom", text)
    return BackendFailure("unsupported" if loading else "crashed", text)
