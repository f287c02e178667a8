"""What a job on a device that is not there is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from autotuner.backends.simulated import PROVIDER, ModelledDevice, RecordedDevice, preset, recording
from autotuner.backends.simulated.preset import NamedModel, Preset
from autotuner.backends.simulated.recording import Recording
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError, ModelError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.request import Workload
from autotuner.host.topology import Topology
from autotuner.model import reference, work
from autotuner.model.info import ModelInfo, TensorInfo
from autotuner.model.inputs import InputSpec
from autotuner.subject import Subject, find_model

_LAW = "1"
"""Raised whenever the law changes, so that what it said before is not taken for new."""
_UNREAL = "Nothing is measured; its clock is virtual."
_MIB_PER_GIB = 1024.0


def resolve(workload: Workload, device: str, cache_dir: Path) -> Subject:
    """Return what *workload* is about on *device*, ``sim:NAME`` or ``replay:FILE``.

    Raises InputError when there is no such device or recording, ModelError when the model cannot be
    used or is another one than was recorded.
    """
    kind, _, name = device.partition(":")
    if kind == "sim":
        return _modelled(workload, preset.load(name), cache_dir)
    return _replayed(workload, Path(name), recording.read(Path(name)), cache_dir)


def _modelled(workload: Workload, found: Preset, cache_dir: Path) -> Subject:
    name = workload.model or reference.DEFAULT
    named = found.models.get(name)
    if named is not None:
        info = _described(name, named)
        device = ModelledDevice.named(found, named)
        shapes = {"input": named.shape}
    else:
        if name not in reference.NAMES and not Path(name).is_absolute():
            known = ", ".join(dict.fromkeys([*found.models, *reference.NAMES]))
            raise ModelError(
                f"{name!r} is neither a file nor a model that {found.name} knows; "
                f"choose from {known}."
            )
        info, tensors = find_model(workload, cache_dir)
        shapes = {tensor.name: tensor.sample_shape for tensor in tensors}
        device = ModelledDevice.scaled(found, work.count(info.path, shapes))
    fingerprint = Fingerprint(
        device=f"sim:{found.name}",
        cpu=found.cpu,
        cpus=found.cpus,
        memory_gib=max(1, round(found.memory.usable_mib / _MIB_PER_GIB)),
        gpu=found.gpu,
        runtimes={PROVIDER: f"{_LAW} {found.digest}"},
        model_sha256=info.sha256,
        shapes=shapes,
        scenario=workload.scenario,
        rate_ips=workload.rate_ips,
    )
    return Subject(
        info=info,
        inputs=InputSpec(tensors=(), seed=workload.seed),
        topology=Topology(cpus=tuple(range(found.cpus))),
        fingerprint=fingerprint,
        notes=(
            f"Simulated: {found.title}, modelled from published figures. {_UNREAL}",
            *((info.batch_note,) if info.batch_note else ()),
        ),
        precisions={PROVIDER: {name: name for name in found.precisions}},
        power_modes=tuple(found.power_modes),
        usual=replace(BASELINE, provider=PROVIDER, power_mode=found.default_mode),
        measures_power=True,
        accelerated=found.processor.parallel is None,
        device=device,
    )


def _described(name: str, model: NamedModel) -> ModelInfo:
    """Return a model that is known by its published times only; its file does not exist."""
    tensor = TensorInfo(name="input", element_type="float32", shape=("N", *model.shape))
    return ModelInfo(
        name=name,
        path=Path(name),
        size_bytes=0,
        sha256=hashlib.sha256(f"{name} {model}".encode()).hexdigest(),
        ir_version=0,
        opsets={},
        producer="",
        inputs=(tensor,),
        outputs=(),
        operators={},
    )


def _replayed(workload: Workload, path: Path, found: Recording, cache_dir: Path) -> Subject:
    if workload.scenario == "singlestream" != found.workload.scenario:
        raise InputError(
            f"{path.name} was recorded under --scenario {found.workload.scenario}; replay that."
        )
    device = RecordedDevice(name=f"replay:{path.name}", recording=found)
    info = _recorded_model(workload, path, found, cache_dir)
    seen = found.fingerprint
    fingerprint = replace(
        seen,
        device=f"replay:{seen.digest}",
        runtimes={**seen.runtimes, "recording": hashlib.sha256(path.read_bytes()).hexdigest()[:12]},
        scenario=workload.scenario,
        rate_ips=workload.rate_ips,
    )
    configs = device.configs
    where = seen.device or "a box"
    return Subject(
        info=info,
        inputs=InputSpec(tensors=(), seed=workload.seed),
        topology=Topology(cpus=tuple(range(seen.cpus or 1))),
        precisions=_recorded_precisions(configs),
        fingerprint=fingerprint,
        notes=(
            f"Simulated: what {where} showed on {found.created} is replayed from {path}. {_UNREAL}",
        ),
        usual=_simplest(configs),
        measures_power=device.measures_power,
        device=device,
        recorded=configs,
    )


def _recorded_precisions(configs: Iterable[Config]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for config in configs:
        found.setdefault(config.provider, {})[config.precision] = config.precision
    return found


def _recorded_model(workload: Workload, path: Path, found: Recording, cache_dir: Path) -> ModelInfo:
    """Return the model that was recorded; raises ModelError when another one is asked for."""
    sizes = {entry.config.batch_size for entry in found.entries}
    batch = "N" if len(sizes) > 1 else next(iter(sizes))
    tensors = tuple(
        TensorInfo(name=name, element_type="float32", shape=(batch, *shape))
        for name, shape in found.fingerprint.shapes.items()
    )
    if workload.model is not None:
        asked, _ = find_model(workload, cache_dir)
        if asked.sha256 != found.fingerprint.model_sha256:
            raise ModelError(
                f"{path} is a recording of {found.model}, and {asked.name} is another model; "
                f"leave the model out, or record {asked.name}."
            )
    return ModelInfo(
        name=found.model,
        path=Path(found.model),
        size_bytes=0,
        sha256=found.fingerprint.model_sha256,
        ir_version=0,
        opsets={},
        producer="",
        inputs=tensors,
        outputs=(),
        operators={},
    )


def _simplest(configs: tuple[Config, ...]) -> Config:
    """Return the runtime's default if it was recorded, else what is most like it."""
    if BASELINE in configs:
        return BASELINE
    return min(configs, key=lambda c: (c.workers, c.batch_size, c.intra_op_threads is not None))
