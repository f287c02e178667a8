"""The platform's commands ``nvpmodel`` and ``jetson_clocks``, pretended."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from jetson_rig import conf, files
from jetson_rig.boards import BOARDS
from jetson_rig.files import CPU, DEVFREQ, EMC, Tree
from jetson_rig.tree import IDLE_STATES

_SWITCH_S = 0.2
_HANG_S = 600.0
_HIGHEST = 2**31 - 1


def say(*lines):
    """Write *lines* to standard output."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def nvpmodel(arguments):
    """Tell or set the power mode; return the exit status."""
    tree = Tree()
    parameters, modes, default = conf.read(tree.get(files.CONF))
    if "-q" in arguments:
        number = int(re.search(r"pmode:(\d+)", tree.get(files.STATUS))[1])
        say(f"NV Power Mode: {modes[number][0]}", str(number))
        return 0
    if "-p" in arguments:
        say(*_verbose(parameters, modes, default))
        return 0
    if os.geteuid() != 0:
        say("NVPM ERROR: root privilege is required")
        return 1
    wanted = int(arguments[arguments.index("-m") + 1])
    at_boot = "--boot" in arguments
    if (status := _fault(tree)) is not None and not at_boot:
        return status
    if wanted not in modes:
        say(f"NVPM ERROR: invalid mode {wanted}")
        return 255
    settings = modes[wanted][1]
    masks = [value for _, argument, value in settings if argument == "TPC_PG_MASK"]
    if not at_boot and [int(tree.get("/sys/devices/gpu.0/tpc_pg_mask"))] != masks:
        return _reboot(tree, wanted, forced="--force" in arguments)
    if not at_boot:
        time.sleep(_SWITCH_S)
    for parameter, argument, value in sorted(settings, key=lambda s: s[1] != "MIN_FREQ"):
        _set(tree, parameters[parameter], argument, value)
    tree.put(files.STATUS, f"pmode:{wanted:04d}")
    return 0


def _verbose(parameters, modes, default):
    """Return what ``nvpmodel -p --verbose`` says, from which jtop takes the modes."""
    lines = [f"Config file: {files.CONF}", f"parsing done for {files.CONF}"]
    lines += [f"PM_CONFIG: DEFAULT={modes[default][0]}({default})"]
    for name, places in parameters.items():
        kind = "FILE" if name.endswith(("ONLINE", "GATING")) else "CLOCK"
        lines += [f"PARAM TYPE={kind} NAME={name}"]
        lines += [f"{argument} {place}" for argument, place in places.items()]
    for number, (name, settings) in modes.items():
        lines += ["", f"POWER_MODEL: ID={number} NAME={name}"]
        for parameter, argument, value in settings:
            lines += [f"{parameter} {argument} {_HIGHEST if value == -1 else value}"]
    return [f"NVPM VERB: {line}" for line in lines]


def _fault(tree):
    """Fail as the knob says; return the exit status, None when there is no fault."""
    fault = tree.get(f"{files.KNOBS}/nvpmodel_fault")
    if fault == "chroot":
        say("Running in chroot, ignoring request.")
        return 0
    if fault == "error":
        say("NVPM ERROR: failed to set power mode!")
        return 255
    if fault == "hang":
        time.sleep(_HANG_S)
    return None


def _reboot(tree, wanted, *, forced):
    """Ask for a reboot, which the rig does when it is told to; return the exit status."""
    say("NVPM WARN: Golden image context is already created")
    if not forced:
        say(
            f"NVPM WARN: Reboot required for changing to this power mode: {wanted}",
            "NVPM WARN: DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:",
        )
        answer = sys.stdin.readline().strip()
        if answer not in ("YES", "yes"):
            refused = "optMask is 1, no request for power mode" if answer else "bad input!"
            say(f"NVPM ERROR: {refused}")
            return 234
    say("NVPM WARN: rebooting")
    tree.put(files.STATUS, f"pmode:{wanted:04d}")
    return 0


def _set(tree, places, argument, value):
    """Write one setting, rounded to what the clock can do."""
    newer = argument + "_KNEXT"
    if tables := [place for name, place in places.items() if name.startswith("FREQ_TABLE")]:
        table = sorted(map(int, tree.get(tables[-1]).split()))
        limit = _HIGHEST if value == -1 else value
        if argument == "MAX_FREQ":
            value = max((f for f in table if f <= limit), default=table[0])
        else:
            value = min((f for f in table if f >= limit), default=table[-1])
    tree.put(places.get(newer, places[argument]), value)


def jetson_clocks(arguments):
    """Pin the clocks, or tell, store or restore them; return the exit status."""
    tree = Tree()
    board = BOARDS[tree.get(files.BOARD)]
    if os.geteuid() != 0:
        say("Please run this script as root")
        return 1
    if "--show" in arguments:
        say(*_shown(tree, board))
    elif "--store" in arguments:
        path = Path(arguments[arguments.index("--store") + 1])
        path.write_text("".join(f"{name}:{tree.get(name)}\n" for name in pinned_files(board)))
    elif "--restore" in arguments:
        path = Path(arguments[arguments.index("--restore") + 1])
        for line in path.read_text().splitlines():
            tree.put(*line.rsplit(":", 1))
    else:
        for first, _ in board.clusters:
            policy = f"{CPU}/cpufreq/policy{first}/scaling"
            tree.put(f"{policy}_min_freq", tree.get(f"{policy}_max_freq"))
        tree.put(f"{DEVFREQ}/min_freq", tree.get(f"{DEVFREQ}/max_freq"))
        tree.put(f"{EMC}/mrq_rate_locked", 1)
        tree.put(files.FAN, 255)
        for name in pinned_files(board):
            if name.endswith("disable"):
                tree.put(name, 1)
    return 0


def pinned_files(board):
    """Return the files that jetson_clocks changes."""
    names = [f"{CPU}/cpufreq/policy{first}/scaling_min_freq" for first, _ in board.clusters]
    names += [f"{DEVFREQ}/min_freq", f"{EMC}/mrq_rate_locked", files.FAN]
    states = range(len(IDLE_STATES))
    cpus = range(board.cores)
    return names + [f"{CPU}/cpu{c}/cpuidle/state{s}/disable" for c in cpus for s in states]


def _shown(tree, board):
    lines = [f"SOC family:tegra234  Machine:{board.model}", f"Online CPUs: 0-{board.cores - 1}"]
    for cpu in range(board.cores):
        clock = f"{CPU}/cpu{cpu}/cpufreq/scaling_"
        lines.append(
            f"cpu{cpu}: Online={tree.get(f'{CPU}/cpu{cpu}/online')} "
            f"Governor={tree.get(f'{clock}governor')} MinFreq={tree.get(f'{clock}min_freq')} "
            f"MaxFreq={tree.get(f'{clock}max_freq')} CurrentFreq={tree.get(f'{clock}cur_freq')} "
            "IdleStates: WFI=1 c7=1"
        )
    low, high, now = (tree.get(f"{DEVFREQ}/{name}_freq") for name in ("min", "max", "cur"))
    lines.append(f"GPU MinFreq={low} MaxFreq={high} CurrentFreq={now}")
    low, high, now = (tree.get(f"{EMC}/{name}") for name in ("min_rate", "max_rate", "rate"))
    locked = tree.get(f"{EMC}/mrq_rate_locked")
    return [*lines, f"EMC MinFreq={low} MaxFreq={high} CurrentFreq={now} FreqOverride={locked}"]
