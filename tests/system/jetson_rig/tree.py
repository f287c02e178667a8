"""Lay out what a Jetson's kernel and its board files show."""

from __future__ import annotations

import sys

from jetson_rig import files
from jetson_rig.conf import nvpmodel_conf
from jetson_rig.files import CPU, DEVFREQ, EMC, EMC_CAP, GPU, I2C, KNOBS, LOAD, ZONES

TEMPERATURES = ("cpu", "gpu", "cv0", "cv1", "cv2", "soc0", "soc1", "soc2", "tj")
IDLE_STATES = ("WFI", "c7")
_GOVERNORS = "ondemand userspace performance schedutil"
_GPU_GOVERNORS = "nvhost_podgov userspace performance powersave simple_ondemand"


def lay_out(tree, name, board):
    """Write all files of the *board* called *name* to *tree*."""
    tree.put("/etc/nv_tegra_release", "# R36 (release), REVISION: 4.3, GCID: 0, BOARD: generic")
    tree.put_all(
        "/sys/firmware/devicetree/base",
        {
            "model": f"{board.model}\0",
            "compatible": "\0".join(board.compatible) + "\0",
            "serial-number": "1420000000000\0",
            "nvidia,boardids": f"{board.ids}\0",
        },
    )
    _cpus(tree, board)
    _gpu(tree, board)
    _memory(tree, board)
    _sensors(tree, board)
    tree.put(files.CONF, nvpmodel_conf(board))
    _programs(tree)
    tree.put(files.BOARD, name)
    tree.put_all(KNOBS, {"gpu_demand": 0.3, "cpu_util": 0.15, "ambient": 25, "nvpmodel_fault": ""})
    tree.path(LOAD).mkdir()
    tree.path(LOAD).chmod(0o1777)  # every process says what load it makes


def _cpus(tree, board):
    table = board.cpu_khz
    for first, end in board.clusters:
        policy = f"{CPU}/cpufreq/policy{first}"
        members = " ".join(map(str, range(first, end)))
        tree.put_all(
            policy,
            {
                "affected_cpus": members,
                "related_cpus": members,
                "cpuinfo_min_freq": table[0],
                "cpuinfo_max_freq": table[-1],
                "cpuinfo_cur_freq": 729_600,
                "scaling_available_frequencies": " ".join(map(str, table)),
                "scaling_available_governors": _GOVERNORS,
                "scaling_governor": "schedutil",
                "scaling_min_freq": 729_600,
                "scaling_max_freq": table[-1],
                "scaling_cur_freq": 729_600,
            },
        )
        for cpu in range(first, end):
            tree.put(f"{CPU}/cpu{cpu}/online", 1)
            tree.link(f"{CPU}/cpu{cpu}/cpufreq", f"../cpufreq/policy{first}")
            for state, idle in enumerate(IDLE_STATES):
                folder = f"{CPU}/cpu{cpu}/cpuidle/state{state}"
                tree.put_all(folder, {"name": idle, "disable": 0})
    span = f"0-{board.cores - 1}"
    tree.put_all(CPU, {"online": span, "possible": span, "present": span})


def _gpu(tree, board):
    table = board.gpu_hz
    tree.put_all(
        DEVFREQ,
        {
            "available_frequencies": " ".join(map(str, table)),
            "available_governors": _GPU_GOVERNORS,
            "governor": "nvhost_podgov",
            "min_freq": table[0],
            "max_freq": table[-1],
            "cur_freq": table[0],
            "target_freq": table[0],
        },
    )
    tree.put_all(
        GPU,
        {
            "load": 0,
            "railgate_enable": 1,
            "tpc_pg_mask": 0,
            "enable_3d_scaling": 1,
            "power/control": "auto",
            "of_node/name": "gpu\0",
        },
    )
    tree.link(f"{DEVFREQ}/device", "../..")
    tree.link(f"{GPU}/devfreq_dev", "devfreq/17000000.gpu")
    tree.link("/sys/class/devfreq/17000000.gpu", f"../../..{DEVFREQ}")
    for alias in ("17000000.gpu", "17000000.ga10b", "gpu.0"):  # names in configuration files
        tree.link(f"/sys/devices/{alias}", "platform/bus@0/17000000.gpu")
        tree.link(f"/sys/devices/platform/{alias}", "bus@0/17000000.gpu")


def _memory(tree, board):
    low, high = board.emc_hz
    rates = {"rate": high, "max_rate": high, "min_rate": low, "mrq_rate_locked": 0, "state": 0}
    tree.put_all(EMC, rates)
    tree.put(EMC_CAP, 0)
    tree.link("/sys/kernel/nvpmodel_emc_cap/emc_iso_cap", "../nvpmodel_clk_cap/emc")
    tree.put(files.MC_ACTIVITY, 0)
    for engine in ("nvdec", "nvenc", "nvjpg", "vic", "ofa", "se", "ape"):
        hz = 200_000_000 if engine == "ape" else 0
        clock = {
            "clk_rate": hz,
            "clk_enable_count": int(hz > 0),
            "clk_max_rate": 793_600_000,
            "clk_min_rate": 0,
        }
        tree.put_all(f"/sys/kernel/debug/clk/{engine}", clock)
    tree.put("/sys/kernel/debug/nvmap/iovmm/maps", "CLIENT PROCESS PID SIZE\ntotal 0K")
    tree.path("/sys/kernel/debug").chmod(0o700)


def _sensors(tree, board):
    for number, (address, labels) in enumerate(board.rails.items(), 3):
        tree.put(f"{I2C}/{address}/name", "ina3221")
        folder = f"{I2C}/{address}/hwmon/hwmon{number}"
        tree.put(f"{folder}/name", "ina3221")
        for channel, label in enumerate(labels, 1):
            rail = {
                f"in{channel}_label": label,
                f"in{channel}_input": 5000,
                f"curr{channel}_input": 500,
                f"curr{channel}_max": 4970,
                f"curr{channel}_crit": 5000,
                f"curr{channel}_max_alarm": 0,
                f"curr{channel}_crit_alarm": 0,
            }
            tree.put_all(folder, rail)
    for number, name in enumerate(TEMPERATURES):
        zone = f"{ZONES}/thermal_zone{number}"
        off = name.startswith("cv")  # its rail is gated
        tree.put_all(zone, {"type": f"{name}-thermal", "temp": "" if off else 40_000})
        tree.link(
            f"/sys/class/thermal/thermal_zone{number}",
            f"../../devices/virtual/thermal/thermal_zone{number}",
        )
    tree.put_all("/sys/class/hwmon/hwmon0", {"name": "pwmfan", "pwm1": 80})
    tree.put_all("/sys/class/hwmon/hwmon1", {"name": "pwm_tach", "rpm": 1800})
    for empty in ("/sys/class/power_supply", "/sys/fs/cgroup"):
        tree.path(empty).mkdir(parents=True, exist_ok=True)


def _programs(tree):
    """Put the platform's commands where programs look for them.

    jtop asks ``nvpmodel -q`` for every sample, so that this goes without starting Python.
    """
    run = f"exec {sys.executable} -ES /opt/rig/rig.py"
    query = f"""if [ "$*" = -q ]; then
    number=$(sed 's/.*pmode:0*\\([0-9]\\).*/\\1/' {files.STATUS})
    sed -n "s/.*POWER_MODEL ID=$number NAME=\\([^ ]*\\).*/NV Power Mode: \\1/p" {files.CONF}
    echo "$number"
    exit
fi"""
    for path, text in {
        "/usr/sbin/nvpmodel": f'#!/bin/sh\n{query}\n{run} nvpmodel "$@"',
        "/usr/bin/jetson_clocks": f'#!/bin/sh\n{run} jetson_clocks "$@"',
    }.items():
        tree.put(path, text, mode=0o755)
    # jtop takes another branch where the processor is not an ARM.
    tree.put(
        "/opt/rig/site/sitecustomize.py",
        "import os\n_here = os.uname()\nos.uname = lambda: os.uname_result(\n"
        "    (_here.sysname, 'jetson', '5.15.148-tegra', _here.version, 'aarch64'))",
    )
    tree.put(
        "/opt/rig/rig.py",
        "from jetson_rig.inside import main\nmain()",
    )
