"""What is tried once on a kernel's own clocks: ``vm_power.py``, inside of a machine for it.

Writes what it found as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from autotuner.host.power import PowerError, State, Switch, cpufreq, offered, open_control

ROOT = Path("/")
FAIL = Path("/sys/module/riggpu/parameters/fail_errno")
_EIO = 5


def rounding():
    """Return (asked, read back, expected, what was said) for limits that are not in the table."""
    (clock,) = cpufreq.policies(ROOT)
    found = []
    for limit in (1, 1_300_000, 1_500_000, 2_799_999, 9_999_999):
        said = clock.write({clock.maximum: str(limit)})
        kept = clock.read()[clock.maximum]
        found.append((limit, int(kept), clock.rounded(clock.maximum, limit), said))
    assert clock.write({clock.maximum: str(clock.table[-1])}) == ()
    return found


def gpu_that_fails(journal):
    """Return how a clock that refuses to move shows, and whether everything came back."""
    control = open_control(ROOT, dvfs=True, settle_s=0.5)
    base = control.current()
    with Switch(control, journal) as switch:
        FAIL.write_text(str(_EIO))
        try:
            said = " ".join(switch.use("gpu1200MHz"))
        except PowerError as error:
            said = str(error)
        FAIL.write_text("0")
    return {"said": said, "back": control.current() == base}


def userspace():
    """Return whether a speed that somebody set by hand comes back with its governor."""
    (clock,) = cpufreq.policies(ROOT)
    own = open_control(ROOT).current()
    speed = clock.extras[1]
    assert clock.write({clock.governor: "userspace", speed: "1600000"}) == ()
    control = open_control(ROOT)
    base = control.current()
    control.apply("performance", base)
    left = control.restore(base)
    back = control.current() == base and base.values[speed] == "1600000"
    control.restore(State(values=own.values))
    return back and not left


def main():
    """Try everything."""
    own = open_control(ROOT, dvfs=True)
    before = own.current()
    found = {
        "offered": offered(own),
        "rounding": rounding(),
        "gpu": gpu_that_fails(Path("/tmp/power-journal.json")),
        "userspace": userspace(),
        "unchanged": own.current() == before,
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
