"""A Jetson's GPU, memory controller and power rails, from the files of its kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from autotuner.host.power import devfreq, nodes
from autotuner.host.sensors.base import Missing, Reading
from autotuner.host.sensors.gauge import Gauge
from autotuner.host.sensors.rails import Rail, RailSensor, rails

_MHZ_PER_HZ = 1e-6
_MHZ_PER_KHZ = 1e-3
_PERCENT_PER_MILLE = 0.1
_EMC_RATES = ("sys/kernel/debug/bpmp/debug/clk/emc/rate", "sys/kernel/debug/clk/override.emc/rate")
_EMC_USES = ("sys/kernel/debug/cactmon/mc_all", "sys/kernel/actmon_avg_activity/mc_all")


class JetsonSensor:
    """Shows GPU load and clock, the memory controller's use and clock, and the rails."""

    name = "jetson"

    def __init__(self, root: Path) -> None:
        self._gauges = list(_gpu_gauges(root))
        rate = _first(root, _EMC_RATES)
        self._emc_rate = Gauge(rate, "memory.clock_mhz", "MHz", _MHZ_PER_HZ)
        # The file holds percent of the rate in kHz.
        self._emc_use = Gauge(
            _first(root, _EMC_USES), "memory.controller_percent", "%", _MHZ_PER_KHZ
        )
        self._rails = RailSensor(_known(rails(root)))

    def read(self) -> Sequence[Reading]:
        """Return everything; what only root may read is n/a for others."""
        readings = [gauge.read() for gauge in self._gauges]
        return (*readings, *self._memory_controller(), *self._rails.read())

    def close(self) -> None:
        """Give the descriptors back."""
        for gauge in (*self._gauges, self._emc_rate, self._emc_use):
            gauge.close()
        self._rails.close()

    def _memory_controller(self) -> Sequence[Reading]:
        rate, used = self._emc_rate.read(), self._emc_use.read()
        if rate.value is None or used.value is None:
            return rate, self._emc_use.missing(used.why or rate.why or "its rate is not known")
        if rate.value == 0.0:
            return rate, self._emc_use.missing("the memory clock stands still")
        return rate, self._emc_use.reading(used.value / rate.value)


def is_jetson(root: Path) -> bool:
    """Say whether the machine at *root* is a Jetson."""
    with contextlib.suppress(OSError):
        compatible = (root / "proc/device-tree/compatible").read_bytes()
        return b"nvidia,tegra" in compatible
    return (root / "etc/nv_tegra_release").exists()


def _gpu_gauges(root: Path) -> Iterator[Gauge]:
    for gpu in devfreq.gpus(root)[:1]:
        clock = nodes.below(root, gpu.frequency)
        yield Gauge(clock, "gpu.clock_mhz", "MHz", _MHZ_PER_HZ)
        load = clock.with_name("device") / "load"
        yield Gauge(load, "gpu.utilisation_percent", "%", _PERCENT_PER_MILLE)


def _first(root: Path, names: Sequence[str]) -> Path:
    """Return the first of the files that exists, else the first one, which then says so."""
    for name in names:
        with contextlib.suppress(OSError):
            if (root / name).exists():
                return root / name
    return root / names[0]


def _known(found: Sequence[Rail]) -> Sequence[Rail]:
    """Return each rail once; two drivers may show the same one."""
    return tuple({rail.label: rail for rail in reversed(found)}.values())[::-1]


def find(root: Path) -> JetsonSensor | Missing:
    """Return the sensor of the machine at *root*."""
    if is_jetson(root):
        return JetsonSensor(root)
    return Missing(name="jetson", why="this is no NVIDIA Jetson")
