"""nvpmodel's configuration file: written for a board, and read by the pretended tool."""

from __future__ import annotations

import re

from jetson_rig.files import CPU, EMC_CAP

_OLD_GPU = "/sys/devices/17000000.ga10b/devfreq/17000000.gpu"
_NEW_GPU = "/sys/devices/platform/17000000.gpu/devfreq_dev"


def nvpmodel_conf(board):
    """Return the file of *board*, the vendor's slips included."""
    lines = ["< PARAM TYPE=FILE NAME=CPU_ONLINE >"]
    lines += [f"CORE_{cpu} {CPU}/cpu{cpu}/online" for cpu in range(board.cores)]
    lines += ["", "< PARAM TYPE=FILE NAME=TPC_POWER_GATING >"]
    lines += ["TPC_PG_MASK /sys/devices/gpu.0/tpc_pg_mask"]
    for number, (first, _) in enumerate(board.clusters):
        clock = f"{CPU}/cpu{first}/cpufreq/scaling_"
        lines += ["", f"< PARAM TYPE=CLOCK NAME=CPU_A78_{number} >"]
        lines += [f"FREQ_TABLE {clock}available_frequencies"]
        lines += [f"MAX_FREQ {clock}max_freq", f"MIN_FREQ {clock}min_freq"]
    lines += ["", "< PARAM TYPE=CLOCK NAME=GPU >"]
    for folder, suffix in ((_OLD_GPU, ""), (_NEW_GPU, "_KNEXT")):
        lines += [f"FREQ_TABLE{suffix} {folder}/available_frequencies"]
        lines += [f"MAX_FREQ{suffix} {folder}/max_freq", f"MIN_FREQ{suffix} {folder}/min_freq"]
    lines += ["", "<PARAM TYPE=CLOCK NAME=EMC >"]  # the shipped file lacks that space
    lines += ["MAX_FREQ /sys/kernel/nvpmodel_emc_cap/emc_iso_cap", f"MAX_FREQ_KNEXT {EMC_CAP}"]
    for mode in board.modes:
        lines += ["", f"< POWER_MODEL ID={mode.number} NAME={mode.name} >"]
        lines += [f"CPU_ONLINE CORE_{cpu} {int(cpu < mode.cores)}" for cpu in range(board.cores)]
        lines += [f"TPC_POWER_GATING TPC_PG_MASK {mode.mask}"]
        for number in range(len(board.clusters)):
            lines += [f"CPU_A78_{number} MIN_FREQ 729600"]
            lines += [f"CPU_A78_{number} MAX_FREQ {mode.cpu_khz or -1}"]
        lines += ["GPU MIN_FREQ 0", f"GPU MAX_FREQ {mode.gpu_hz or -1}"]
        lines += [f"EMC MAX_FREQ {mode.emc_hz or 0}"]
    return "\n".join([*lines, "", f"< PM_CONFIG DEFAULT={board.default} >"])


def read(text):
    """Return (files by parameter and argument, (name, settings) by number, the default number)."""
    parameters, modes, default, section = {}, {}, None, None
    for line in text.splitlines():
        words = line.split()
        if tag := re.match(r"<\s*(\w+)\s+(.*)>", line):
            attributes = dict(re.findall(r"(\w+)=(\S+)", tag[2]))
            if tag[1] == "PARAM":
                section = parameters.setdefault(attributes["NAME"], {})
            elif tag[1] == "POWER_MODEL":
                section = []
                modes[int(attributes["ID"])] = (attributes["NAME"], section)
            else:
                default = int(attributes["DEFAULT"])
        elif len(words) == 3:
            section.append((words[0], words[1], int(words[2])))
        elif len(words) == 2:
            section[words[0]] = words[1]
    return parameters, modes, default
