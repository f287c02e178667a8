"""What a job is about: the model found and inspected, its inputs settled, its identity known."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autotuner import backends
from autotuner.backends.nvidia import find_gpu
from autotuner.backends.simulated import Device
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import MachineError, ModelError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.request import Workload
from autotuner.host import accelerators, identity
from autotuner.host.power import NullControl, PowerControl
from autotuner.host.topology import Topology
from autotuner.model import data, data_files, preprocess, reference, shapes
from autotuner.model.digest import sha256
from autotuner.model.info import ModelInfo
from autotuner.model.inputs import InputSpec
from autotuner.model.inspect import inspect
from autotuner.model.nearest import nearest
from autotuner.model.preprocess import Preprocess
from autotuner.model.shapes import InputTensor

_OWN_PRECISIONS = {
    **dict.fromkeys(accelerators.NVIDIA_PROVIDERS, "tf32"),
    "openvino-cpu": "bf16",
    "openvino-gpu": "fp16",
    "openvino-npu": "fp16",
}
"""What providers compute single precision in by themselves, where the device can."""


def _no_control() -> PowerControl:
    return NullControl("this is no place to set power modes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model with its inputs on this machine, and what can run it here.

    *precisions* holds by provider each precision that it computes in and the graph that it reads
    for it. *power_modes* may be set by *power*, the machine's own first. *accelerated* says that
    threads and affinity do not matter. *mps* is whether workers may share a GPU by it, None where
    that is no choice for the reason *no_mps*. *device* is there when the machine is not; *recorded*
    are then the configurations that were recorded of it, if it was.
    """

    info: ModelInfo
    inputs: InputSpec
    topology: Topology
    precisions: Mapping[str, Mapping[str, str]]
    fingerprint: Fingerprint
    notes: tuple[str, ...]
    power_modes: tuple[str, ...] = ("present",)
    mps: tuple[bool | None, ...] = (None,)
    no_mps: str = "it needs an NVIDIA GPU"
    power: PowerControl = field(default_factory=_no_control)
    usual: Config = BASELINE
    measures_power: bool = False
    accelerated: bool = False
    device: Device | None = None
    recorded: tuple[Config, ...] = ()

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that can run the model here, the preferred one first."""
        return tuple(self.precisions)

    @property
    def every_precision(self) -> tuple[str, ...]:
        """The precisions of all providers, each once."""
        return tuple(dict.fromkeys(itertools.chain.from_iterable(self.precisions.values())))

    @property
    def simulated(self) -> str | None:
        """The name of the device when it is not there."""
        return None if self.device is None else self.device.name

    @property
    def baseline(self) -> Config:
        """The runtime's default for this model; requests that queue wait for no batch to fill."""
        fixed = self.info.batch
        return replace(
            self.usual,
            batch_size=self.usual.batch_size if fixed == "free" else fixed,
            max_queue_delay_ms=0.0 if self.fingerprint.scenario == "server" else None,
        )

    def default_of(self, provider: str) -> Config:
        """Return what *provider* does by default: the baseline with it in the baseline's place.

        The precision is the one that it takes by itself, where that is offered here.
        """
        own = _OWN_PRECISIONS.get(provider, "")
        if own not in self.precisions.get(provider, ()):
            own = self.baseline.precision
        return replace(self.baseline, provider=provider, precision=own)


def resolve(workload: Workload, topology: Topology, cache_dir: Path) -> Subject:
    """Find the model, settle its inputs and tell the fingerprint, all for this machine.

    Raises ModelError for what is wrong with the model or its data, MachineError when no runtime is
    installed.
    """
    info, tensors = find_model(workload, cache_dir)
    data_path = Path(workload.data) if workload.data else None
    inputs = InputSpec(
        tensors=tensors,
        data_path=data_path,
        seed=workload.seed,
        preprocess=_preprocess(workload),
        on_device=workload.io == "device",
    )
    inputs.load()  # raises now what would otherwise raise in every worker
    precisions, runtimes = _runtimes()
    on_gpu = not set(accelerators.NVIDIA_PROVIDERS).isdisjoint(precisions)
    if inputs.on_device:
        precisions = _on_device(precisions)
    fingerprint = Fingerprint(
        device=identity.device(),
        cpu=identity.cpu(),
        cpus=topology.usable,
        memory_gib=identity.memory_gib(),
        gpu=find_gpu().name if on_gpu else None,
        driver=identity.nvidia_driver() if on_gpu else None,
        runtimes=runtimes,
        os=identity.operating_system(),
        model_sha256=info.sha256,
        shapes={tensor.name: tensor.sample_shape for tensor in tensors},
        data_sha256=sha256(data_files.files(data_path)) if data_path else None,
        scenario=workload.scenario,
        rate_ips=workload.rate_ips,
        io="device" if inputs.on_device else None,
    )
    return Subject(
        info=info,
        inputs=inputs,
        topology=topology,
        precisions=precisions,
        fingerprint=fingerprint,
        notes=tuple(_notes(workload, info, inputs)),
    )


def find_model(workload: Workload, cache_dir: Path) -> tuple[ModelInfo, tuple[InputTensor, ...]]:
    """Return the model of *workload* with its inputs settled; raises ModelError."""
    info = inspect(_model_path(workload.model, cache_dir))
    asked = dict(shapes.parse(text, info) for text in workload.shapes)
    data_path = Path(workload.data) if workload.data else None
    shown = data.data_shapes(data_path, info, _preprocess(workload)) if data_path else {}
    return info, shapes.resolve(info, asked, shown)


def _preprocess(workload: Workload) -> Preprocess | None:
    return preprocess.parse(workload.preprocess) if workload.preprocess else None


def _model_path(model: str | None, cache_dir: Path) -> Path:
    if model is None:
        return reference.path(reference.DEFAULT, cache_dir)
    if model in reference.NAMES:
        return reference.path(model, cache_dir)
    path = Path(model)
    if path.is_absolute():
        return path
    raise ModelError(
        f"{model!r} is neither a file nor a reference model; {nearest(model, reference.NAMES)}"
    )


def _notes(workload: Workload, info: ModelInfo, inputs: InputSpec) -> Iterator[str]:
    if workload.model is None:
        yield f"No model was named, so this is the reference model {reference.DEFAULT}."
    if info.batch_note:
        yield info.batch_note
    if inputs.data_path is None and workload.model not in (None, *reference.NAMES):
        yield "The inputs are random; give real ones with --data FILE.npz."
    if inputs.on_device:
        yield "Inputs and outputs stay on the device, so their copies are not measured."


def _on_device(precisions: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return those of the providers that have a memory of their own; raises MachineError."""
    kept = {name: precisions[name] for name in accelerators.NVIDIA_PROVIDERS if name in precisions}
    if not kept:
        names = ", ".join(accelerators.NVIDIA_PROVIDERS)
        raise MachineError(
            f"--io device is for the providers {names}, of which none is usable here; leave it "
            "out, or see `autotune doctor`."
        )
    return kept


def _runtimes() -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
    """Return the precisions of the providers that are usable here, and the runtimes' versions."""
    precisions: dict[str, Mapping[str, str]] = {}
    versions: dict[str, str] = {}
    reasons: list[str] = []
    for name, location in backends.BACKENDS.items():
        backend = backends.load(location)
        for provider, reason in backend.providers().items():
            if reason is None:
                precisions[provider] = backend.precisions(provider)
                versions[name] = backend.version() or "unknown"
            else:
                reasons.append(reason)
    if not precisions:
        raise MachineError(f"No runtime is usable here: {'; '.join(reasons)}.")
    return precisions, versions
