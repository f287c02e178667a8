"""Other programs that set clocks and power modes and would undo what is set here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autotuner.core.checkup import Check
from autotuner.host.power import cpufreq, devfreq, nodes
from autotuner.host.sensors.jetson import is_jetson

AREA = "conflicts"
_UNIT_FOLDERS = ("etc/systemd/system", "run/systemd/system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A program known to set clocks: its *process*, or its *unit* where it runs once and ends."""

    name: str
    fix: str
    process: str | None = None
    unit: str | None = None


RIVALS = (
    Rival(
        name="tuned", process="tuned", fix="sudo systemctl disable --now tuned (or: tuned-adm off)"
    ),
    Rival(
        name="power-profiles-daemon",
        process="power-profiles-daemon",
        fix="sudo systemctl mask --now power-profiles-daemon",
    ),
    Rival(
        name="auto-cpufreq",
        process="auto-cpufreq",
        fix="sudo systemctl disable --now auto-cpufreq",
    ),
    Rival(name="TLP", unit="tlp.service", fix="sudo systemctl disable --now tlp"),
    Rival(name="cpupower", unit="cpupower.service", fix="sudo systemctl disable --now cpupower"),
)
"""Those that move clocks while they run, or set them once at boot."""


def conflicts(root: Path) -> list[Check]:
    """Return the programs on the machine at *root* that set clocks, with what to do about each."""
    running = _programs(root)
    found = [_rival(rival) for rival in RIVALS if _present(root, rival, running)]
    if _enabled(root, "nvpmodel.service"):
        found.append(
            Check(
                area=AREA,
                name="nvpmodel.service",
                status="ok",
                detail="sets the default mode once at boot; leave it on, profiles come after it",
            )
        )
    if is_jetson(root) and _pinned(root):
        found.append(
            Check(
                area=AREA,
                name="jetson_clocks",
                status="attention",
                detail="the clocks are pinned to their maximum, so power modes differ by that only",
                fix="sudo jetson_clocks --restore, or reboot",
            )
        )
    none = Check(area=AREA, name="none", status="ok", detail="no other program sets clocks here")
    return found or [none]


def _rival(rival: Rival) -> Check:
    detail = "is running" if rival.process else "is switched on"
    return Check(
        area=AREA,
        name=rival.name,
        status="attention",
        detail=f"{detail} and sets clocks by itself; power modes do not stay as they are set",
        fix=rival.fix,
    )


def _present(root: Path, rival: Rival, running: frozenset[str]) -> bool:
    if rival.process:
        return rival.process in running
    return rival.unit is not None and _enabled(root, rival.unit)


def _programs(root: Path) -> frozenset[str]:
    """Return the names of the programs that run, that of its script for an interpreter."""
    return frozenset(name for path in (root / "proc").glob("[0-9]*") for name in _names(path))


def _names(process: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        yield Path(arguments[0]).name
        if "python" in Path(arguments[0]).name:
            yield from (Path(argument).name for argument in arguments[1:] if "/" in argument)


def _enabled(root: Path, unit: str) -> bool:
    """Say whether systemd starts *unit* at boot."""
    wanted = (path for folder in _UNIT_FOLDERS for path in (root / folder).glob(f"*.wants/{unit}"))
    return any(path.is_symlink() or path.exists() for path in wanted)


def _pinned(root: Path) -> bool:
    """Say whether CPUs and GPU may run at one clock only, as jetson_clocks leaves them."""
    domains = (*cpufreq.policies(root), *devfreq.gpus(root))
    limits = [(nodes.read(root, d.minimum), nodes.read(root, d.maximum)) for d in domains]
    return bool(limits) and all(low == high for low, high in limits)
