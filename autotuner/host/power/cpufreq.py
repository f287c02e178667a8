"""The CPUs' clocks, as the kernel's cpufreq offers them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autotuner.host.power import nodes
from autotuner.host.power.base import Mode
from autotuner.host.power.clocks import ClockDomain
from autotuner.host.power.ladder import steps

FOLDER = "/sys/devices/system/cpu/cpufreq"
_GOVERNORS = ("performance", "schedutil", "ondemand", "powersave")
"""Those that mean something by themselves; ``userspace`` waits for somebody's commands."""
_STEP_KHZ = 100_000  # drivers without a table take any frequency; this is what they count in
_KHZ = 1000


def policies(root: Path) -> tuple[ClockDomain, ...]:
    """Return the clock of every cpufreq policy, in the order of its first CPU."""
    folders = nodes.below(root, FOLDER).glob("policy*")
    numbers = sorted(int(folder.name[6:]) for folder in folders if folder.name[6:].isdecimal())
    return tuple(_policy(root, f"{FOLDER}/policy{number}") for number in numbers)


def _policy(root: Path, folder: str) -> ClockDomain:
    listed = nodes.read(root, f"{folder}/scaling_available_frequencies") or ""
    table = sorted(int(word) for word in listed.split() if word.isdecimal())
    # What is there only under some governors is found now or never: a State must hold it.
    extras = (f"{folder}/energy_performance_preference", f"{folder}/scaling_setspeed")
    return ClockDomain(
        root=root,
        what=f"the clock of CPUs {_ranges(nodes.read(root, f'{folder}/related_cpus') or '')}",
        minimum=f"{folder}/scaling_min_freq",
        maximum=f"{folder}/scaling_max_freq",
        frequency=f"{folder}/scaling_cur_freq",
        governor=f"{folder}/scaling_governor",
        extras=extras,
        table=tuple(table),
        unit_hz=_KHZ,
    )


def governor_modes(root: Path, domains: Sequence[ClockDomain]) -> tuple[Mode, ...]:
    """Return a mode for each governor, or for each energy preference where there are those.

    A driver with energy preferences clocks the CPU itself: its ``powersave`` means what other
    drivers call ``schedutil``, and ``performance`` brings its own preference (others give EBUSY).
    """
    governors = _common(root, domains, "scaling_available_governors")
    preferences = _common(root, domains, "energy_performance_available_preferences")
    if "powersave" in governors and preferences:
        modes = [_mode("performance", domains, governor="performance", preference="performance")]
        modes += [
            _mode(name, domains, governor="powersave", preference=name)
            for name in preferences
            if name not in ("default", "performance")
        ]
        return tuple(modes)
    return tuple(_mode(name, domains, governor=name) for name in _GOVERNORS if name in governors)


def frequency_modes(root: Path, domains: Sequence[ClockDomain], count: int) -> tuple[Mode, ...]:
    """Return modes that pin the CPUs to one of at most *count* frequencies.

    They go by the clock of the fastest CPUs; the others get the same share of their own range.
    What the machine allows at present is the top.
    """
    tables = {domain: _table(root, domain) for domain in domains}
    reachable = {domain: table for domain, table in tables.items() if table}
    if not reachable:
        return ()
    fastest = max(reachable, key=lambda domain: reachable[domain][-1])
    modes = []
    for frequency in steps(reachable[fastest], count):
        settings: dict[str, str] = {}
        for domain, table in reachable.items():
            share = frequency / reachable[fastest][-1] * table[-1]
            settings |= domain.pinned(max((f for f in table if f <= share), default=table[0]))
        modes.append(Mode(name=f"cpu{fastest.mhz(frequency)}MHz", settings=settings))
    return tuple(modes)


def _table(root: Path, domain: ClockDomain) -> tuple[int, ...]:
    """Return the domain's frequencies up to its present upper limit, ascending."""
    top = nodes.read_int(root, domain.maximum)
    if top is None:
        return ()
    if domain.table:
        return tuple(frequency for frequency in domain.table if frequency <= top)
    folder = str(Path(domain.maximum).parent)
    low = nodes.read_int(root, f"{folder}/cpuinfo_min_freq")
    return () if low is None else (*range(low, top, _STEP_KHZ), top)


def _mode(
    name: str, domains: Sequence[ClockDomain], *, governor: str, preference: str | None = None
) -> Mode:
    settings = {domain.governor: governor for domain in domains if domain.governor}
    if preference is not None:
        settings |= {domain.extras[0]: preference for domain in domains}
    return Mode(name=name, settings=settings)


def _common(root: Path, domains: Sequence[ClockDomain], file: str) -> tuple[str, ...]:
    """Return the words that *file* lists in every domain, in the first one's order."""
    lists = [
        (nodes.read(root, str(Path(domain.maximum).with_name(file))) or "").split()
        for domain in domains
    ]
    return tuple(word for word in lists[0] if all(word in other for other in lists[1:]))


def _ranges(numbers: str) -> str:
    """Return ``0-3`` for ``0 1 2 3``."""
    cpus = numbers.split()
    return f"{cpus[0]}-{cpus[-1]}" if len(cpus) > 1 else numbers
