"""The job that finds where to cut a model between a device and a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx

from autotuner import locations, subject
from autotuner.characterize.child_process import LayerTimer
from autotuner.characterize.cuts import checked, legal_cuts
from autotuner.characterize.messages import SplitOrder, SplitRun
from autotuner.core.errors import InputError, MachineError, ModelError
from autotuner.core.events import Event, Note, PartitionDone, Started, Working
from autotuner.core.outcome import Failed
from autotuner.core.partition import Cut, CutCheck, Partition
from autotuner.core.request import PartitionRequest
from autotuner.model import cost
from autotuner.model.info import ModelInfo
from autotuner.model.inputs import InputSpec
from autotuner.model.split import split


def partition(
    request: PartitionRequest, *, cache_dir: Path, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Find the best cut of the model of *request* and end with PartitionDone.

    Raises AutotunerError for bad input and for a graph that cannot be cut, Cancelled when it was
    called off.
    """
    info, tensors = subject.find_model(request.workload, cache_dir)
    if info.sha256 != request.here.model_sha256:
        raise InputError(
            f"The profiles are of {request.here.model}, and {info.name} is another model; "
            "run `autotune layers --json` on this one."
        )
    yield Started(model=info.name, fingerprint=info.sha256[:12])
    found = _partition(request, info, {t.name: t.sample_shape for t in tensors})
    if len(found.cuts) < 3:
        yield Note(text=f"{info.name} has no cut inside: it runs here or there as a whole.")
    inside = [c for c in found.ranked() if c not in (found.device_only, found.server_only)]
    checks = []
    inputs = InputSpec(tensors=tensors, seed=request.workload.seed)
    for cut in inside[: request.verify]:
        yield Working(what="running the parts", step=f"cut after {cut.after}")
        checks.append(verified(request, info, cut, inputs, cancelled))
    files: tuple[str, ...] = ()
    if request.out is not None:
        if found.best not in inside:
            yield Note(text="The best is not to cut, so no parts were written.")
        else:
            folder = locations.make_folder(Path(request.out))
            files = tuple(map(str, _written(info, found.best, folder)))
    yield PartitionDone(
        partition=Partition(
            model=found.model,
            network=found.network,
            goal=found.goal,
            simulated=found.simulated,
            cuts=found.cuts,
            checks=tuple(checks),
            files=files,
        )
    )


def _partition(
    request: PartitionRequest, info: ModelInfo, samples: dict[str, tuple[int, ...]]
) -> Partition:
    counted = cost.count(onnx.load(info.path, load_external_data=False), samples)
    outputs = [tensor.name for tensor in info.outputs]
    unknown = [name for name in outputs if counted.tensors[name].bytes is None]
    if unknown:
        raise ModelError(
            f"The size of {', '.join(unknown)} of {info.name} depends on the data, so what goes "
            "over the network is not known; it cannot be partitioned."
        )
    return Partition(
        model=info.name,
        network=request.network,
        goal=request.goal,
        simulated=request.here.simulated or request.there.simulated,
        cuts=legal_cuts(
            counted,
            [tensor.name for tensor in info.inputs],
            outputs,
            request.here,
            request.there,
            request.network,
            samples=request.here.config.batch_size if info.batch == "free" else 1,
            device_w=request.device_w,
            input_bytes=request.input_bytes,
        ),
    )


def verified(
    request: PartitionRequest,
    info: ModelInfo,
    cut: Cut,
    inputs: InputSpec,
    cancelled: Callable[[], bool],
) -> CutCheck:
    """Make *cut*, run both parts on this box and return what came out.

    Raises MachineError when they cannot be run here, Cancelled when it was called off.
    """
    with tempfile.TemporaryDirectory() as folder:
        first, second = split(info.path, cut.tensors, Path(folder))
        order = SplitOrder(
            whole=info.path,
            first=first,
            second=second,
            first_config=request.here.config,
            second_config=request.there.config,
            inputs=inputs,
        )
        with LayerTimer(order, cancelled) as runner:
            answer = runner.receive()
    if isinstance(answer, Failed):
        raise MachineError(
            f"The parts of {info.name} could not be run here: {answer.detail}; verify with "
            "profiles of this box."
        )
    assert isinstance(answer, SplitRun)
    return checked(cut, request.here, request.there, answer)


def _written(info: ModelInfo, cut: Cut, folder: Path) -> list[Path]:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        parts = split(info.path, cut.tensors, Path(scratch))
        return [Path(shutil.move(part, folder / part.name)) for part in parts]
