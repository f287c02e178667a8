"""The power control of a Jetson: its own modes, and each with its clocks pinned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autotuner.host.power import cpufreq, devfreq, jtop, nodes, nvpmodel_conf
from autotuner.host.power.base import Mode
from autotuner.host.power.clocks import ClockDomain
from autotuner.host.power.control import SETTLE_S, KnobControl
from autotuner.host.power.emc import LOCK, EmcLock
from autotuner.host.power.knobs import Knobs, Switches, missing_right
from autotuner.host.power.ladder import combined
from autotuner.host.power.nvpmodel import NVPMODEL, Nvpmodel
from autotuner.host.power.nvpmodel_conf import NO_CAP, NvpmodelConf, PowerModel

PINNED = "+max"
_STEPS = 4
_NO_LIMIT = 2**31 - 1
_NEXT_KERNEL = "_KNEXT"


def is_jetson(root: Path) -> bool:
    """Say whether nvpmodel is configured here."""
    return nodes.below(root, nvpmodel_conf.CONF).exists()


def control(
    root: Path,
    *,
    dvfs: bool,
    allow_reboot_modes: bool,
    settle_s: float = SETTLE_S,
    pythons: Sequence[str] = jtop.PYTHONS,
) -> KnobControl:
    """Return the control; *pythons* are interpreters for which jtop's client may be installed."""
    conf = nvpmodel_conf.parse(nodes.read(root, nvpmodel_conf.CONF) or "")
    board = _Board(root=root, conf=conf, cpus=cpufreq.policies(root), gpus=devfreq.gpus(root))
    named = [board.mode(model) for model in conf.models]
    hints = []
    if waiting := [mode.name for mode in named if mode.needs_reboot]:
        hints.append(
            f"The power modes {', '.join(waiting)} need a reboot, because they switch parts of "
            "the GPU off or on; set one with `nvpmodel -m`, reboot and tune again to compare."
        )
    if not allow_reboot_modes:
        named = [mode for mode in named if not mode.needs_reboot]
    need = missing_right(root, "the power mode", board.files)
    if need is not None:
        if (service := jtop.Service.find(root, conf, pythons)) is not None:
            return _by_jtop(board, named, service, hints, settle_s)
        hints += jtop.Service.hint(root)
    modes = list(named)
    modes += [board.pinned(mode) for mode in named if not mode.needs_reboot]
    if dvfs:
        cpu = cpufreq.frequency_modes(root, board.cpus, _STEPS)
        modes += combined(cpu, devfreq.frequency_modes(root, board.gpus, _STEPS))
    knobs = (Nvpmodel(root, conf, needed=need), *board.knobs)
    return KnobControl(knobs, modes, hints=hints, settle_s=settle_s)


def _by_jtop(
    board: _Board,
    named: Sequence[Mode],
    service: jtop.Service,
    hints: Sequence[str],
    settle_s: float,
) -> KnobControl:
    """Return the control of somebody who may not write, but may ask jtop's service."""
    followed = [jtop.Followed(knobs) for knobs in board.knobs]
    changed = Nvpmodel(board.root, board.conf, change=service.change)
    hint = "Pinned clocks and frequencies need root: jtop's service sets whole power modes only."
    made = KnobControl((changed, *followed), named, hints=(*hints, hint), settle_s=settle_s)
    if any(mode.present for mode in made.modes()):
        return made
    own = "The clocks are not those of a power mode, and jtop's service could not put them back."
    refused = Nvpmodel(board.root, board.conf, needed=own)
    return KnobControl((refused, *followed), named, hints=(*hints, hint), settle_s=settle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Board:
    """The clocks and files that this board's modes set."""

    root: Path
    conf: NvpmodelConf
    cpus: tuple[ClockDomain, ...]
    gpus: tuple[ClockDomain, ...]

    @property
    def domains(self) -> tuple[ClockDomain, ...]:
        return (*self.cpus, *self.gpus)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that a mode sets."""
        return tuple(dict.fromkeys(name for m in self.conf.models for name in self._settings(m)))

    @property
    def knobs(self) -> tuple[Knobs, ...]:
        """What is written after nvpmodel: CPUs come online before their clocks are there."""
        clocked = {name for domain in self.domains for name in domain.names}
        single = tuple(name for name in self.files if name not in clocked)
        return (
            Switches(root=self.root, what="cores and the memory's limit", files=single),
            *self.domains,
            EmcLock(self.root),
        )

    def mode(self, model: PowerModel) -> Mode:
        """Return the mode of *model*."""
        return Mode(
            name=model.name,
            settings={NVPMODEL: str(model.id), **self._settings(model)},
            needs_reboot=self._needs_reboot(model),
        )

    def pinned(self, mode: Mode) -> Mode:
        """Return *mode* with every clock held at the highest that it allows."""
        settings = dict(mode.settings)
        off = _switched_off(settings)
        for domain in self.domains:
            if self._cpus(domain) and self._cpus(domain) <= off:
                continue
            top = settings.get(domain.maximum) or nodes.read(self.root, domain.maximum)
            if top is not None:
                settings |= {domain.minimum: top, domain.maximum: top}
        if nodes.read(self.root, LOCK) is not None:
            settings[LOCK] = "1"
        return Mode(name=mode.name + PINNED, settings=settings)

    def _settings(self, model: PowerModel) -> dict[str, str]:
        """Return what nvpmodel makes of the files, as it reads back on this kernel."""
        values: dict[str, str] = {}
        for name, value, _ in self._nodes(model, lambda argument: not _is_mask(argument)):
            values[name] = self._as_kept(name, value)
        off = _switched_off(values)
        gone = {n for d in self.cpus if self._cpus(d) and self._cpus(d) <= off for n in d.names}
        return {name: value for name, value in values.items() if name not in gone}

    def _needs_reboot(self, model: PowerModel) -> bool:
        """Say whether the mode has another mask of switched-off GPU parts than the running one."""
        for name, value, _ in self._nodes(model, _is_mask):
            found = nvpmodel_conf.number(nodes.read(self.root, name))
            if found is not None and found != value:
                return True
        return False

    def _nodes(
        self, model: PowerModel, wanted: Callable[[str], bool]
    ) -> list[tuple[str, int, str]]:
        """Return (file, value, argument) of the settings that there is a file for."""
        found = []
        for parameter, argument, value in model.settings:
            files = self.conf.files.get(parameter, {})
            choices = [files.get(argument + _NEXT_KERNEL), files.get(argument)]
            name = next((c for c in choices if c and nodes.below(self.root, c).exists()), None)
            if name is not None and wanted(argument):
                found.append((nodes.canonical(self.root, name), value, argument))
        return found

    def _as_kept(self, name: str, value: int) -> str:
        domain = next((domain for domain in self.domains if name in domain.names), None)
        if domain is None:
            return str(max(value, 0))  # a limit of the memory clock: 0 is none
        wanted = str(domain.rounded(name, _NO_LIMIT if value == NO_CAP else value))
        found = nodes.read(self.root, name)
        return found if found is not None and domain.agrees(name, wanted, found) else wanted

    def _cpus(self, domain: ClockDomain) -> frozenset[str]:
        """Return the numbers of the CPUs of a domain, none for a GPU."""
        listed = nodes.read(self.root, str(Path(domain.maximum).with_name("related_cpus")))
        return frozenset((listed or "").split())


def _switched_off(settings: Mapping[str, str]) -> frozenset[str]:
    """Return the numbers of the CPUs that *settings* take offline."""
    return frozenset(
        Path(name).parent.name.removeprefix("cpu")
        for name, value in settings.items()
        if name.endswith("/online") and value == "0"
    )


def _is_mask(argument: str) -> bool:
    return argument.upper().replace("_", "").endswith("PGMASK")
