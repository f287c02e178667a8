"""Where a job is carried out: on this box, or on a device that is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from autotuner import locations, simulation, subject
from autotuner.bench.bench import Bench
from autotuner.bench.energy import total_rails
from autotuner.bench.harness import Harness
from autotuner.bench.telemetry import Telemetry
from autotuner.bench.virtual import VirtualHarness
from autotuner.core.config import Config
from autotuner.core.errors import MachineError
from autotuner.core.request import TuneRequest, Workload
from autotuner.host import accelerators, mps, topology
from autotuner.host.power import PowerControl, Switch, offered, open_control
from autotuner.host.sensors import Sampler, discover
from autotuner.subject import Subject


def resolve(
    workload: Workload, cache_dir: Path, *, dvfs: bool = False, allow_reboot_modes: bool = False
) -> Subject:
    """Return what a job on *workload* is about, where it asks to be carried out.

    *dvfs* offers ladders of frequencies besides the platform's power modes; of modes that need a
    reboot *allow_reboot_modes* tells, without offering them. Raises InputError for a device that
    does not exist, and what :func:`subject.resolve` raises.
    """
    if workload.device is not None:
        return simulation.resolve(workload, workload.device, cache_dir)
    about = subject.resolve(workload, topology.read(), cache_dir)
    control = open_control(dvfs=dvfs, allow_reboot_modes=allow_reboot_modes)
    modes = offered(control)
    about = _with_mps(about)
    return replace(
        about,
        power=control,
        power_modes=modes,
        usual=replace(about.usual, power_mode=modes[0]),
        measures_power=_measures_power(),
        notes=(*about.notes, *_power_notes(control)),
    )


def _with_mps(about: Subject) -> Subject:
    """Return *about* with whether its workers may share a GPU by MPS."""
    if set(accelerators.NVIDIA_PROVIDERS).isdisjoint(about.providers):
        return about
    if refusal := mps.refusal():
        note = f"MPS is not searched: {refusal}."
        return replace(about, no_mps=refusal, notes=(*about.notes, note))
    return replace(about, mps=(False, True), usual=replace(about.usual, mps=False))


def _measures_power() -> bool:
    """Say whether a sensor here tells the power of the whole device."""
    found = discover()
    readings = [reading for sensor in found.sensors for reading in sensor.read()]
    for sensor in found.sensors:
        sensor.close()
    return bool(total_rails(reading.name for reading in readings if reading.value is not None))


def _power_notes(control: PowerControl) -> tuple[str, ...]:
    """Say which modes there are that cannot be searched, and what would be needed."""
    usable = all(mode.usable for mode in control.modes())
    return () if usable else control.explain()


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
        about.info.path,
        about.inputs,
        about.topology,
        graph_of=graph_of,
        cancelled=cancelled,
        telemetry=Telemetry(Sampler(discover().sensors)),
        switch=Switch(about.power, locations.trial_journal()),
        mps=mps.Mps(locations.trial_mps()),
    )


def check_power(request: TuneRequest, about: Subject) -> None:
    """Raise MachineError when *request* asks for power and it is not measured there."""
    if request.needs_power and not about.measures_power:
        where = "The recording has" if about.device is not None else "This box has"
        raise MachineError(
            f"{where} no measured power, so energy and --max-power cannot be judged; leave them "
            "out, or try them on a simulated device, such as --device sim:jetson-orin-nano."
        )
