"""Building TensorRT engines: an ONNX graph becomes a serialised engine; needs no GPU of its own.

The package that builds is handed in: ``tensorrt`` from 8.6 on, or ``tensorrt_rtx``, which builds
for a GPU that is not there.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotuner.backends.base import BackendFailure

GRAPHS = {"fp32": "fp32", "tf32": "fp32", "fp16": "fp16", "int8": "int8-symmetric"}
"""The precisions, and the graph that each one is built from.

TensorRT reads int8 around zero only: no uint8, no zero points, and biases in float.
"""

_MEMORY_WORDS = ("out of memory", "insufficient memory", "cudaerrormemory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an engine is built from: batches of one sample up to *shapes*, fastest for those.

    A *detailed* one tells which nodes its layers are made of.
    """

    model: Path
    precision: str
    shapes: Mapping[str, tuple[int, ...]]
    detailed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An engine, and what the builder learnt about kernels; None where it keeps nothing."""

    engine: bytes
    timing_cache: bytes | None


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have no garbage collected meanwhile.

    TensorRT calls the logger while it holds a lock that the end of each of its objects takes, too:
    to collect an old one there is to wait for oneself, for ever.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@uncollected()
def build(
    trt: Any, recipe: Recipe, *, timing_cache: bytes | None = None, target: str | None = None
) -> Built:
    """Build an engine; raises BackendFailure with TensorRT's words, an operator by its name.

    *timing_cache* is that of earlier builds, None to keep none. *target* names a compute
    capability such as ``SM86`` in place of the GPU that is here.
    """
    if recipe.precision not in GRAPHS:
        raise BackendFailure("unsupported", f"{recipe.precision} is not offered by TensorRT")
    log = error_log(trt)
    builder = trt.Builder(log)
    network = builder.create_network(_network_flags(trt))
    _parse(trt, network, log, recipe.model)
    config = builder.create_builder_config()
    _set_precision(trt, config, recipe.precision)
    if recipe.detailed:
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if target is not None:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, target), 0)
    if timing_cache is not None:
        known = config.create_timing_cache(timing_cache)
        if not config.set_timing_cache(known, ignore_mismatch=False):
            config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
    config.add_optimization_profile(_profile(builder, network, recipe.shapes))
    if not _strongly_typed(trt):  # from 10 on contexts may share a profile as they are
        config.set_preview_feature(trt.PreviewFeature.PROFILE_SHARING_0806, True)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise failure(log.errors, loading=True)
    learnt = None if timing_cache is None else bytes(config.get_timing_cache().serialize())
    return Built(engine=bytes(engine), timing_cache=learnt)


def error_log(trt: Any) -> Any:
    """Return a logger that keeps the errors in ``errors`` and lets nothing through."""

    class ErrorLog(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.errors.append(message)

    return ErrorLog()


def failure(errors: list[str], *, loading: bool) -> BackendFailure:
    """Return what TensorRT's *errors* mean for the trial; the first is the cause of the others."""
    text = " ".join(errors[0].split()) if errors else "TensorRT did not say why"
    if any(word in error.lower() for error in errors for word in _MEMORY_WORDS):
        return BackendFailure("oom", text)
    return BackendFailure("unsupported" if loading else "crashed", text)


def _strongly_typed(trt: Any) -> bool:
    """Say whether the graph's types hold, as they do from 10 on; 11 has nothing else."""
    return hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED")


def _network_flags(trt: Any) -> int:
    flags = trt.NetworkDefinitionCreationFlag
    return 1 << int(flags.STRONGLY_TYPED if _strongly_typed(trt) else flags.EXPLICIT_BATCH)


def _set_precision(trt: Any, config: Any, precision: str) -> None:
    """Ask for what the graph alone does not say.

    It says its types; single precision is computed in TF32 unless that is turned off. Before
    TensorRT 10 lower types have to be allowed, too.
    """
    if precision != "tf32":
        config.clear_flag(trt.BuilderFlag.TF32)
    if not _strongly_typed(trt):
        if precision == "fp16":
            config.set_flag(trt.BuilderFlag.FP16)
        if precision == "int8":
            config.set_flag(trt.BuilderFlag.INT8)


def _parse(trt: Any, network: Any, log: Any, model: Path) -> None:
    parser = trt.OnnxParser(network, log)
    if parser.parse_from_file(str(model)):
        return
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    if not errors:
        raise failure(log.errors, loading=True)
    said = " ".join(errors[0].desc().split())
    operator = getattr(errors[0], "node_operator", str)()  # 8.6 names it in the text alone
    if operator:
        node = errors[0].node_name() or "without a name"
        said = f"TensorRT cannot read the operator {operator} (node {node}): {said}"
    raise BackendFailure("unsupported", said)


def _profile(builder: Any, network: Any, shapes: Mapping[str, tuple[int, ...]]) -> Any:
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if tensor.name not in shapes:
            names = ", ".join(shapes)
            raise BackendFailure("unsupported", f"the input {tensor.name} is not one of {names}")
        full, declared = shapes[tensor.name], tuple(tensor.shape)
        smallest = (1, *full[1:]) if declared and declared[0] == -1 else full
        profile.set_shape(tensor.name, smallest, full, full)
    return profile
