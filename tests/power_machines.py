"""Pretended machines whose clocks can be set: files as the kernel and a Jetson have them."""

from __future__ import annotations

import os
from pathlib import Path

CPU = "/sys/devices/system/cpu"
POLICIES = {  # first CPU: (CPUs, frequencies in kHz)
    0: ((0, 1, 2, 3), (600_000, 1_200_000, 1_800_000)),
    4: ((4, 5), (800_000, 1_600_000, 2_400_000)),
}
GPU = "/sys/devices/platform/17000000.gpu/devfreq/17000000.gpu"
GPU_HZ = (306_000_000, 612_000_000, 918_000_000, 1_020_000_000)
CAP = "/sys/kernel/nvpmodel_clk_cap/emc"
EMC = "/sys/kernel/debug/bpmp/debug/clk/emc"
MASK = "/sys/devices/gpu.0/tpc_pg_mask"


def personal_computer():
    """Return the files of a machine with two kinds of cores."""
    files = {}
    for first, (cpus, table) in POLICIES.items():
        folder = f"{CPU}/cpufreq/policy{first}"
        files |= {
            f"{folder}/related_cpus": " ".join(map(str, cpus)),
            f"{folder}/scaling_available_governors": "performance powersave schedutil userspace",
            f"{folder}/scaling_governor": "schedutil",
            f"{folder}/scaling_setspeed": "<unsupported>",
            f"{folder}/scaling_available_frequencies": " ".join(map(str, table)),
            f"{folder}/scaling_min_freq": str(table[0]),
            f"{folder}/scaling_max_freq": str(table[-1]),
            f"{folder}/scaling_cur_freq": str(table[0]),
        }
    return files


def gpu(hz=GPU_HZ):
    """Return the files of a GPU with these frequencies."""
    return {
        f"{GPU}/available_frequencies": " ".join(map(str, hz)),
        f"{GPU}/governor": "nvhost_podgov",
        f"{GPU}/min_freq": str(hz[0]),
        f"{GPU}/max_freq": str(hz[2]),
        f"{GPU}/cur_freq": str(hz[0]),
    }


def lay_out(root, files, links=()):
    """Write *files* and (name, target) *links* below *root*; return *root*."""
    for name, value in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    for name, target in links:
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(root / target.lstrip("/"), path.parent))
    return root


def read(root, name):
    """Return the value of a file below *root*."""
    return (root / name.lstrip("/")).read_text().strip()


def snapshot(root):
    """Return every setting below *root* by its name; what the hardware tells is left out."""
    told = ("cur_freq", "current", "/rate", "fault")
    return {
        str(path.relative_to(root)): path.read_text().strip()
        for folder in ("sys", "var")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and not path.is_symlink() and not str(path).endswith(told)
    }


MODES = {  # number: name, kHz of CPUs 0-3, Hz of the GPU, Hz of the memory, mask, CPU 5 online
    0: ("15W", 1_200_000, 612_000_000, 2_133_000_000, 240, 1),
    1: ("25W", 1_200_000, 918_000_000, 3_199_000_000, 240, 1),
    2: ("MAXN_SUPER", -1, -1, 0, 240, 1),
    4: ("7W", 600_000, 306_000_000, 2_133_000_000, 252, 0),
}


def nvpmodel_conf(modes=MODES):
    """Return a configuration with *modes* as a Jetson has it, lines that mean nothing included."""
    clock = f"{CPU}/cpu0/cpufreq/scaling_"
    lines = [
        "# a comment of one line",
        "< PARAM TYPE=FILE NAME=CPU_ONLINE >",
        f"CORE_5 {CPU}/cpu5/online",
        f"CORE_9 {CPU}/cpu9/online",
        "",
        "< PARAM TYPE=FILE NAME=TPC_POWER_GATING >",
        f"TPC_PG_MASK {MASK}",
        "< PARAM TYPE=CLOCK NAME=CPU_A78_0 >",
        f"FREQ_TABLE {clock}available_frequencies",
        f"MAX_FREQ {clock}max_freq",
        f"MIN_FREQ {clock}min_freq",
        "< PARAM TYPE=CLOCK NAME=GPU >",
        "MAX_FREQ /sys/devices/17000000.ga10b/devfreq/17000000.ga10b/max_freq",
        "MIN_FREQ /sys/devices/17000000.ga10b/devfreq/17000000.ga10b/min_freq",
        "MAX_FREQ_KNEXT /sys/devices/platform/17000000.gpu/devfreq_dev/max_freq",
        "MIN_FREQ_KNEXT /sys/devices/platform/17000000.gpu/devfreq_dev/min_freq",
        "<PARAM TYPE=CLOCK NAME=EMC >",
        "MAX_FREQ /sys/kernel/nvpmodel_emc_cap/emc_iso_cap",
        f"MAX_FREQ_KNEXT {CAP}",
    ]
    for number, (name, cpu, gpu_hz, emc, mask, online) in modes.items():
        lines += [
            f"< POWER_MODEL ID={number} NAME={name} >",
            f"CPU_ONLINE CORE_5 {online}",
            "CPU_ONLINE CORE_9 1",
            f"TPC_POWER_GATING TPC_PG_MASK {mask}",
            "CPU_A78_0 MIN_FREQ 0",
            f"CPU_A78_0 MAX_FREQ {cpu}",
            "GPU MIN_FREQ 0",
            f"GPU MAX_FREQ {gpu_hz}",
            f"EMC MAX_FREQ {emc}",
            "",
        ]
    return "\n".join([*lines, "< PM_CONFIG DEFAULT=1 >"])


# Like the tool, it sets what the mode says and keeps the number; `fault` says how it fails.
_NVPMODEL = """#!/bin/sh
root={root}
echo "$2" >> $root/asked
case "$(cat $root/fault 2>/dev/null)" in
    chroot) echo "Running in chroot, ignoring request."; exit 0 ;;
    error) echo "NVPM ERROR: failed to set power mode!"; exit 255 ;;
    hang) sleep 100 ;;
    slow) sleep 1 ;;
    half) echo "pmode:000$2" > $root/var/lib/nvpmodel/status; exit 0 ;;
esac
while read -r file value; do echo "$value" > "$root$file"; done < "$root/modes/$2" || exit 255
echo "pmode:000$2" > $root/var/lib/nvpmodel/status
"""


def jetson(root, modes=MODES):
    """Lay out a Jetson with *modes*, in the mode 25W, below *root*; return *root*."""
    highest = POLICIES[0][1][-1], GPU_HZ[-1]
    folder = f"{CPU}/cpufreq/policy0"
    files = (
        personal_computer()
        | gpu()
        | {
            f"{folder}/scaling_max_freq": "1200000",
            f"{CPU}/cpu5/online": "1",
            MASK: "240",
            CAP: "3199000000",
            f"{EMC}/mrq_rate_locked": "0",
            f"{EMC}/rate": "665600000",
            f"{EMC}/max_rate": "3199000000",
            "/etc/nvpmodel.conf": nvpmodel_conf(modes),
            "/usr/sbin/nvpmodel": _NVPMODEL.format(root=root),
            "/var/lib/nvpmodel/status": "pmode:0001",
            "/sys/devices/platform/17000000.gpu/of_node/name": "gpu\0",
        }
    )
    for number, (_, cpu, gpu_hz, emc, _, online) in modes.items():
        files[f"/modes/{number}"] = "\n".join(
            [
                f"{CPU}/cpu5/online {online}",
                f"{folder}/scaling_min_freq {POLICIES[0][1][0]}",
                f"{folder}/scaling_max_freq {highest[0] if cpu < 0 else cpu}",
                f"{GPU}/min_freq {GPU_HZ[0]}",
                f"{GPU}/max_freq {highest[1] if gpu_hz < 0 else gpu_hz}",
                f"{CAP} {emc}",
            ]
        )
    links = [
        (f"{CPU}/cpu0/cpufreq", folder),
        ("/sys/class/devfreq/17000000.gpu", GPU),
        (f"{GPU}/device", "/sys/devices/platform/17000000.gpu"),
        ("/sys/devices/platform/17000000.gpu/devfreq_dev", GPU),
    ]
    lay_out(root, files, links)
    (root / "usr/sbin/nvpmodel").chmod(0o755)
    return root


def break_nvpmodel(root: Path, how):
    """Let the tool fail from now on: ``chroot``, ``error``, ``hang``, ``slow`` or ``half``."""
    (root / "fault").write_text(how)
