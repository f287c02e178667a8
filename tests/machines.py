"""Machines as plain folders: the files in which a kernel shows processors and control groups."""

from __future__ import annotations

from pathlib import Path


def write(root, files):
    """Write *files*, contents by path below *root*, and return *root*."""
    for name, text in files.items():
        path = Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return Path(root)


def processors(cpus, *, siblings=None, caches=(), nodes=(), speeds=None, policies=(), allowed=None):
    """Return the files of a machine with CPUs 0 to *cpus* less one.

    *siblings* maps a CPU to the list of its core, *caches* and *policies* are lists of CPUs that
    share one, *nodes* lists each node's CPUs, *speeds* maps a CPU to its capacity, *allowed* is the
    mask.
    """
    everyone = f"0-{cpus - 1}"
    folder = "sys/devices/system/cpu"
    files = {
        f"{folder}/present": everyone,
        f"{folder}/online": everyone,
        "proc/thread-self/status": f"Name:\ttest\nCpus_allowed_list:\t{allowed or everyone}",
        "proc/self/cgroup": "0::/",
    }
    for cpu in range(cpus):
        core = (siblings or {}).get(cpu, str(cpu))
        files[f"{folder}/cpu{cpu}/topology/core_cpus_list"] = core
        files[f"{folder}/cpu{cpu}/cache/index0/shared_cpu_list"] = core
        if speeds:
            files[f"{folder}/cpu{cpu}/cpu_capacity"] = str(speeds[cpu])
    for index, group in enumerate(caches, 1):
        for cpu in _numbers(group):
            files[f"{folder}/cpu{cpu}/cache/index{index}/shared_cpu_list"] = group
    for group in policies:
        for cpu in _numbers(group):
            files[f"{folder}/cpu{cpu}/cpufreq/related_cpus"] = " ".join(map(str, _numbers(group)))
    for node, group in enumerate(nodes):
        files[f"sys/devices/system/node/node{node}/cpulist"] = group
    return files


def big_little():
    """Return four little CPUs, 0 to 3, and four big ones, 4 to 7; each four share a cache."""
    speeds = dict.fromkeys(range(4), 400) | dict.fromkeys(range(4, 8), 1024)
    return processors(8, caches=("0-3", "4-7", "0-7"), speeds=speeds)


def hyperthreads():
    """Return eight cores of two threads each, numbered as on a PC: CPU 8 is core 0's second."""
    siblings = {cpu: f"{cpu % 8},{cpu % 8 + 8}" for cpu in range(16)}
    return processors(16, siblings=siblings, caches=("0-15",))


def two_nodes():
    """Return two nodes of four CPUs, each with a cache of its own."""
    return processors(8, caches=("0-3", "4-7"), nodes=("0-3", "4-7"))


def pc():
    """Return what a PC shows besides its processors: energy counters, thermal zones, chips."""
    rapl, zone, chips = "sys/class/powercap", "sys/class/thermal/thermal_zone0", "sys/class/hwmon"
    return {
        "proc/cpuinfo": "flags\t\t: fpu sse2",
        f"{rapl}/intel-rapl:0/name": "package-0",
        f"{rapl}/intel-rapl:0/energy_uj": "1000000",
        f"{rapl}/intel-rapl:0/max_energy_range_uj": "262143328850",
        f"{rapl}/intel-rapl:0:0/name": "core",
        f"{rapl}/intel-rapl:0:0/energy_uj": "500000",
        f"{rapl}/intel-rapl:0:1/name": "dram",
        f"{rapl}/intel-rapl:0:1/energy_uj": "300000",
        f"{zone}/type": "acpitz",
        f"{zone}/temp": "27800",
        f"{chips}/hwmon0/name": "coretemp",
        f"{chips}/hwmon0/temp1_label": "Package id 0",
        f"{chips}/hwmon0/temp1_input": "51000",
        f"{chips}/hwmon0/temp2_label": "Core 0",
        f"{chips}/hwmon0/temp2_input": "49000",
        f"{chips}/hwmon1/name": "power_meter",
        f"{chips}/hwmon1/power1_average": "87000000",
    }


def jetson(*rails, kind="ina3221"):
    """Return a Jetson of Orin's kind with these *rails*, each at 5 V and 0.5 A."""
    gpu, emc = "sys/class/devfreq/17000000.gpu", "sys/kernel/debug"
    chip = "sys/bus/i2c/devices/1-0040/hwmon/hwmon3"
    zones = {"cpu": "40000", "cv0": "", "tj": "41500", "PMIC-Die": "100000", "gpu": "-256000"}
    files = processors(4, policies=("0-3",)) | {
        "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0",
        f"{gpu}/cur_freq": "612000000",
        f"{gpu}/min_freq": "306000000",
        f"{gpu}/max_freq": "1020000000",
        f"{gpu}/device/of_node/name": "gpu\0",
        f"{gpu}/device/load": "750",
        f"{emc}/bpmp/debug/clk/emc/rate": "3199000000",
        f"{emc}/cactmon/mc_all": "86373000",
        f"{chip}/name": kind,
    }
    for cpu in range(4):
        files[f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq"] = "729600"
    for channel, label in enumerate(rails, 1):
        files |= {
            f"{chip}/in{channel}_label": label,
            f"{chip}/in{channel}_input": "5000",
            f"{chip}/curr{channel}_input": "500",
            f"{chip}/curr{channel}_max_alarm": "0",
        }
    for index, (zone, temperature) in enumerate(zones.items()):
        folder = f"sys/class/thermal/thermal_zone{index}"
        files |= {f"{folder}/type": f"{zone}-thermal", f"{folder}/temp": temperature}
    return files


def _numbers(group):
    parts = (part.partition("-") for part in group.split(","))
    return [n for first, _, last in parts for n in range(int(first), int(last or first) + 1)]
