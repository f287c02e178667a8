"""A whole run on a kernel's own clocks: ``vm_tuning.py MODEL``, inside of a machine for it.

Writes what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import autotuner
from autotuner import backends
from autotuner.core.encoding import encode
from autotuner.core.events import TrialDone
from autotuner.core.outcome import Measurement
from autotuner.host.power import cpufreq, open_control

PRESENT = "powersave"
"""Of the governors one whose clock is certain: schedutil's depends on what else there is to do."""
MODES = (PRESENT, "cpu1600MHz", "cpu2800MHz")


def main():
    """Search the frequencies of the CPU for a runtime whose speed follows them."""
    backends.BACKENDS.clear()
    backends.BACKENDS["onnxruntime"] = "rig_runtime:VmRuntime"
    for clock in cpufreq.policies(Path("/")):
        assert clock.write({clock.governor: PRESENT}) == ()
    before = open_control(dvfs=True).current()
    trials = []
    done = autotuner.tune(
        sys.argv[1],
        max_latency="1s",
        percentile=50.0,
        confidence=0.5,
        dvfs=True,
        dimensions={
            "batch_size": (16,),
            "workers": (1,),
            "intra_op_threads": (1,),
            "affinity": ("none",),
            "power_mode": MODES,
        },
        on_event=trials.append,
    )
    measured = {
        trial.config.power_mode: trial.outcome.clock_mhz
        for trial in trials
        if isinstance(trial, TrialDone) and isinstance(trial.outcome, Measurement)
    }
    found = {
        "done": encode(done),
        "clock_mhz": measured,
        "unchanged": open_control(dvfs=True).current() == before,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
