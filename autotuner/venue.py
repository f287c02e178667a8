"""Where a job is carried out: on this box, or on a device that is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autotuner import simulation, subject
from autotuner.bench.bench import Bench
from autotuner.bench.harness import Harness
from autotuner.bench.virtual import VirtualHarness
from autotuner.core.config import Config
from autotuner.core.errors import MachineError
from autotuner.core.request import TuneRequest, Workload
from autotuner.host import topology
from autotuner.subject import Subject


def resolve(workload: Workload, cache_dir: Path) -> Subject:
    """Return what a job on *workload* is about, where it asks to be carried out.

    Raises InputError for a device that does not exist, and what :func:`subject.resolve` raises.
    """
    if workload.device is not None:
        return simulation.resolve(workload, workload.device, cache_dir)
    return subject.resolve(workload, topology.read(), cache_dir)


def open_bench(
    about: Subject,
    seed: int,
    cancelled: Callable[[], bool],
    graph_of: Callable[[Config], Path] | None = None,
) -> Bench:
    """Return the bench that measures *about*.

    *seed* is that of what a simulated device draws; *graph_of* tells what a configuration runs,
    the model as it is where it is left out.
    """
    if about.device is not None:
        return VirtualHarness(about.device, seed=seed, cancelled=cancelled)
    return Harness(
        about.info.path, about.inputs, about.topology, graph_of=graph_of, cancelled=cancelled
    )


def check_power(request: TuneRequest, about: Subject) -> None:
    """Raise MachineError when *request* asks for power and it is not measured there."""
    if request.needs_power and not about.measures_power:
        where = "The recording has" if about.device is not None else "This box has"
        raise MachineError(
            f"{where} no measured power, so energy and --max-power cannot be judged; leave them "
            "out, or try them on a simulated device, such as --device sim:jetson-orin-nano."
        )
