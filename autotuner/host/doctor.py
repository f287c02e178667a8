"""What this machine offers and what it keeps back, with the way to change that."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autotuner.core.checkup import Check
from autotuner.host import cpus, identity, memory, topology
from autotuner.host.conflicts import conflicts
from autotuner.host.power import Mode, PowerControl, open_control

_PARANOID = "proc/sys/kernel/perf_event_paranoid"
_COUNTERS = "sys/bus/event_source/devices"
_OF_PROCESSORS = ("cpu", "armv")
_USERS_MAY_MEASURE_THE_KERNEL = 1
_MOST_NAMES = 10


def machine(root: Path = Path("/")) -> list[Check]:
    """Return what the machine at *root* is and what of it this process may use."""
    return [*_identity(), *_processors(root), *_memory(), *_counters(root), *conflicts(root)]


def power(root: Path = Path("/")) -> list[Check]:
    """Return the power modes of the machine at *root*, and what would allow the others."""
    own = open_control(root, allow_reboot_modes=True)
    every = open_control(root, dvfs=True, allow_reboot_modes=True)
    names = {mode.name for mode in own.modes()}
    clocks = [mode for mode in every.modes() if mode.name not in names]
    return [*_modes("modes", own.modes()), *_modes("clocks (--dvfs)", clocks), *_hints(own)]


def _identity() -> Iterator[Check]:
    what = {
        "device": identity.device(),
        "processor": identity.cpu(),
        "system": identity.operating_system(),
    }
    for name, text in what.items():
        if text:
            yield Check(area="machine", name=name, status="ok", detail=text)


def _processors(root: Path) -> Iterator[Check]:
    found = topology.read(root)
    present, online = cpus.present(root), cpus.online(root)
    kept_back = online - set(found.cpus)
    yield Check(
        area="machine",
        name="CPUs",
        status="attention" if kept_back else "ok",
        detail=f"{len(found.cpus)} of {len(present)} ({cpus.format_list(found.cpus)})"
        + (f"; the cpuset or affinity mask keeps back {_listed(kept_back)}" if kept_back else ""),
        fix="widen the CPU set: docker --cpuset-cpus, AllowedCPUs= of systemd, or taskset"
        if kept_back
        else None,
    )
    if offline := present - online:
        first = min(offline)
        yield Check(
            area="machine",
            name="offline CPUs",
            status="attention",
            detail=f"{_listed(offline)} switched off, perhaps by the power mode",
            fix=f"echo 1 | sudo tee /sys/devices/system/cpu/cpu{first}/online",
        )
    if found.quota is not None and found.quota < len(found.cpus):
        yield Check(
            area="machine",
            name="CPU quota",
            status="attention",
            detail=f"a control group gives {found.quota:g} CPUs' worth of time",
            fix="raise it: docker --cpus, CPUQuota= of systemd, or cpu.max of the group",
        )
    yield Check(area="machine", name="affinity", status="ok", detail=", ".join(found.affinities()))


def _memory() -> Iterator[Check]:
    limit, whole = memory.total_mib(), memory.installed_mib()
    limited = limit < whole
    yield Check(
        area="machine",
        name="memory",
        status="attention" if limited else "ok",
        detail=f"{memory.available_mib():.0f} of {limit:.0f} MiB are free"
        + (f"; a control group keeps back the rest of {whole:.0f} MiB" if limited else ""),
        fix="raise the limit: docker --memory, or MemoryMax= of systemd" if limited else None,
    )


def _counters(root: Path) -> Iterator[Check]:
    """Yield whether hardware counters may be read, by which a profiler explains a result."""
    if not any(device.name.startswith(_OF_PROCESSORS) for device in (root / _COUNTERS).glob("*")):
        virtual = identity.is_virtual(root)
        who = "the hypervisor of this virtual machine keeps" if virtual else "the kernel keeps"
        detail = f"{who} the hardware counters back; profilers see times only"
        yield Check(area="machine", name="perf", status="absent", detail=detail)
        return
    with contextlib.suppress(OSError, ValueError):
        level = int((root / _PARANOID).read_text())
        allowed = os.geteuid() == 0 or level <= _USERS_MAY_MEASURE_THE_KERNEL
        yield Check(
            area="machine",
            name="perf",
            status="ok" if allowed else "attention",
            detail=f"perf_event_paranoid is {level}: "
            + ("profilers see everything" if allowed else "profilers do not see the kernel"),
            fix=None if allowed else "sudo sysctl kernel.perf_event_paranoid=1",
        )


def _modes(name: str, modes: Iterable[Mode]) -> Iterator[Check]:
    """Yield the modes that may be set, and those that may not with what would allow it."""
    by_refusal: dict[str | None, list[str]] = {}
    for mode in modes:
        if not mode.needs_reboot:
            by_refusal.setdefault(mode.refusal, []).append(mode.name)
    for refusal, names in by_refusal.items():
        yield Check(
            area="power",
            name=name,
            status="attention" if refusal else "ok",
            detail=_some(names),
            fix=refusal,
        )


def _some(names: Sequence[str]) -> str:
    """Return *names* in a line; of many, which are the steps of a ladder, the ends."""
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{len(names)} from {names[0]} to {names[-1]}"


def _hints(control: PowerControl) -> Iterator[Check]:
    """Yield what the control has to say besides why it may not set a mode."""
    refusals = {mode.refusal for mode in control.modes()}
    name = "note" if refusals else "modes"
    for hint in control.explain():
        if hint not in refusals:
            yield Check(area="power", name=name, status="absent", detail=hint)


def _listed(numbers: frozenset[int]) -> str:
    return f"CPU{'s' if len(numbers) > 1 else ''} {cpus.format_list(numbers)}"
