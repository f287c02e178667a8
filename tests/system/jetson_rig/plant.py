"""The pretended hardware: limits and load become clocks, power and temperature."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from jetson_rig import files
from jetson_rig.files import CPU, DEVFREQ, EMC, GPU, I2C, KNOBS, LOAD, PROCESSES, ZONES
from jetson_rig.tree import TEMPERATURES

TICK_S = 0.1
_TICKS_PER_S = 100
_KELVIN_PER_W = 3.0
_TIME_CONSTANT_S = 20.0
_THROTTLE_C = 95.0
_IDLE_EMC_HZ = 665_600_000
_HEADROOM = {"cpu": 1.25, "gpu": 1.2}  # governors leave that much of a clock free
_OFFSETS_C = {"cpu": 0.0, "gpu": 1.0, "soc0": -1.0, "soc1": -1.0, "soc2": -1.0, "tj": 1.0}
_IDLE_CORE_W = 0.05


def limit(value, table):
    """Return the highest frequency up to *value*."""
    return max((f for f in table if f <= value), default=table[0])


def need(value, table):
    """Return the lowest frequency that is enough for *value*."""
    return min((f for f in table if f >= value), default=table[-1])


class Plant:
    """The hardware of a *board* behind the files of *tree*."""

    def __init__(self, tree, board):
        self._tree = tree
        self._board = board
        self._ticks = [[0.0, 0.0] for _ in range(board.cores)]
        self._die_c = 40.0
        stat = Path(f"{PROCESSES}/stat").read_text().splitlines(keepends=True)
        self._rest = "".join(line for line in stat if not line.startswith("cpu"))

    def tick(self):
        """Let TICK_S pass."""
        cpu_share, gpu_share = self._load()
        cpu_w = self._cpus(cpu_share)
        gpu_w = self._gpu(gpu_share)
        soc_w = self._memory(gpu_share)
        self._heat(cpu_w + gpu_w + soc_w)
        self._rails(cpu_w, gpu_w, soc_w)
        self._memory_size()

    def _load(self):
        """Return the loads of CPU and GPU at full clocks: the knobs', and what processes say.

        A process says it in a file named by its number, ``CPU GPU`` as shares of all there is;
        what an ended process said no longer counts.
        """
        shares = [self._tree.number(f"{KNOBS}/{name}") for name in ("cpu_util", "gpu_demand")]
        for file in self._tree.path(LOAD).iterdir():
            if not Path(f"{PROCESSES}/{file.name}").exists():
                file.unlink(missing_ok=True)
                continue
            with contextlib.suppress(OSError, ValueError):  # it is being written
                cpu, gpu = map(float, file.read_text().split())
                shares = [shares[0] + cpu, shares[1] + gpu]
        return shares

    def _cpus(self, share):
        """Clock the CPUs, let them work; return their power in W."""
        tree, table = self._tree, self._board.cpu_khz
        power_w = 0.4
        online = [c for c in range(self._board.cores) if tree.get(f"{CPU}/cpu{c}/online") == "1"]
        for first, end in self._board.clusters:
            scaling = f"{CPU}/cpufreq/policy{first}/scaling"
            top = limit(tree.number(f"{scaling}_max_freq"), table)
            low = min(tree.number(f"{scaling}_min_freq"), top)
            wanted = need(_HEADROOM["cpu"] * share * table[-1], table)
            clock = min(top, max(low, wanted))
            if tree.get(f"{scaling}_governor") == "performance":
                clock = top
            tree.put(f"{scaling}_cur_freq", int(clock))
            tree.put(f"{CPU}/cpufreq/policy{first}/cpuinfo_cur_freq", int(clock))
            busy = min(1.0, share * table[-1] / clock)
            for cpu in set(range(first, end)) & set(online):
                self._ticks[cpu][0] += busy * TICK_S * _TICKS_PER_S
                self._ticks[cpu][1] += (1.0 - busy) * TICK_S * _TICKS_PER_S
                power_w += _IDLE_CORE_W + self._board.cpu_w * busy * (clock / table[-1]) ** 2.2
        tree.put(f"{CPU}/online", f"{online[0]}-{online[-1]}")
        self._time(online)
        return power_w

    def _time(self, online):
        total = [int(sum(ticks[kind] for ticks in self._ticks)) for kind in (0, 1)]
        rows = [("cpu ", *total), *((f"cpu{c}", *map(int, self._ticks[c])) for c in online)]
        lines = [f"{name} {busy} 0 0 {idle} 0 0 0 0 0 0\n" for name, busy, idle in rows]
        self._tree.put("/proc/stat", "".join(lines) + self._rest)

    def _gpu(self, share):
        """Clock the GPU, let it work; return its power in W."""
        tree, table = self._tree, self._board.gpu_hz
        top = limit(tree.number(f"{DEVFREQ}/max_freq"), table)
        if self._die_c >= _THROTTLE_C:
            top = limit(top / 2, table)
        low = min(need(tree.number(f"{DEVFREQ}/min_freq"), table), top)
        clock = min(top, max(low, need(_HEADROOM["gpu"] * share * table[-1], table)))
        if tree.get(f"{DEVFREQ}/governor") == "performance":
            clock = top
        busy = min(1.0, share * table[-1] / clock)
        tree.put(f"{DEVFREQ}/cur_freq", int(clock))
        tree.put(f"{GPU}/load", int(busy * 1000))
        return 0.4 + self._board.gpu_w * busy * (clock / table[-1]) ** 2.3

    def _memory(self, share):
        """Clock the memory; return the power of the rest of the chip in W."""
        tree, highest = self._tree, self._board.emc_hz[1]
        top = min(highest, tree.number(files.EMC_CAP) or highest)
        locked = tree.get(f"{EMC}/mrq_rate_locked") != "0"
        rate = top if locked or share > 0.05 else min(top, _IDLE_EMC_HZ)
        tree.put(f"{EMC}/rate", int(rate))
        tree.put(files.MC_ACTIVITY, int(rate / 1000 * 45 * min(1.0, share)))
        return 1.2 + 0.9 * rate / highest

    def _heat(self, power_w):
        target_c = self._tree.number(f"{KNOBS}/ambient") + _KELVIN_PER_W * power_w
        self._die_c += (target_c - self._die_c) * TICK_S / _TIME_CONSTANT_S
        for zone, name in enumerate(TEMPERATURES):
            if name in _OFFSETS_C:
                milli = int((self._die_c + _OFFSETS_C[name]) * 1000)
                self._tree.put(f"{ZONES}/thermal_zone{zone}/temp", milli)

    def _rails(self, cpu_w, gpu_w, soc_w):
        watts = {
            "VDD_IN": (cpu_w + gpu_w + soc_w) / 0.9 + 0.8,
            "VDD_CPU_GPU_CV": cpu_w + gpu_w,
            "VDD_SOC": soc_w,
            "VDD_GPU_SOC": gpu_w + soc_w,
            "VDD_CPU_CV": cpu_w,
            "VIN_SYS_5V0": 3.0,
            "VDDQ_VDD2_1V8AO": 0.6,
            "NC": 0.0,
        }
        for number, (address, labels) in enumerate(self._board.rails.items(), 3):
            folder = f"{I2C}/{address}/hwmon/hwmon{number}"
            for channel, label in enumerate(labels, 1):
                milliampere = watts[label] * 1e6 / self._tree.number(f"{folder}/in{channel}_input")
                self._tree.put(f"{folder}/curr{channel}_input", int(milliampere))

    def _memory_size(self):
        real = Path(f"{PROCESSES}/meminfo").read_text()
        gpu = "NvMapMemFree:          0 kB\nNvMapMemUsed:     524288 kB\n"
        self._tree.put("/proc/meminfo", real + gpu)


def run(tree, board):
    """Let time pass for ever."""
    size = f"user plant {os.getpid()} 524288K\ntotal 524288K"
    tree.put("/sys/kernel/debug/nvmap/iovmm/maps", f"CLIENT PROCESS PID SIZE\n{size}")
    plant = Plant(tree, board)
    while True:
        try:
            plant.tick()
        except (OSError, ValueError, IndexError) as error:  # somebody writes just now: next time
            sys.stderr.write(f"plant: {error!r}\n")
        time.sleep(TICK_S)
