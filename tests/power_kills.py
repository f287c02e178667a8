"""Kill what changes power modes, again and again: ``power_kills.py JOURNAL COUNT SEED``.

Every second time its guardian is killed with it and the next start has to restore. Writes how
long each restoring took, in s, as JSON; its status is 1 when the machine did not come back. This
is for a machine that may be changed: a rig.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from autotuner.host.power import open_control, recover

_ROOT = Path("/")
_PATIENCE_S = 30.0
_LONGEST_WORK_S = 0.6


def main():
    """Kill so many times; return the exit status."""
    journal, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    own = open_control(_ROOT).current()
    took_s = []
    for number in range(count):
        process = start(journal, chance.randrange(1 << 30))
        guardian = child_of(process.pid)
        time.sleep(chance.uniform(0.0, _LONGEST_WORK_S))
        if number % 2:
            os.kill(guardian, signal.SIGKILL)
        process.kill()
        process.wait()
        killed = time.monotonic()
        if number % 2:
            recover(journal, root=_ROOT)
        while journal.exists() or open_control(_ROOT).current() != own:
            if time.monotonic() - killed > _PATIENCE_S:
                sys.stdout.write(f"kill {number}: {open_control(_ROOT).current()} is not {own}\n")
                return 1
            time.sleep(0.01)
        took_s.append(round(time.monotonic() - killed, 3))
    sys.stdout.write(json.dumps(took_s) + "\n")
    return 0


def start(journal, seed):
    """Start what changes modes; return its process when it has changed one."""
    program = Path(__file__).with_name("power_run.py")
    process = subprocess.Popen(
        [sys.executable, program, _ROOT, journal, str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(process.pid)
    return process


def child_of(number):
    """Return the number of the guardian that the process *number* has started."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().split(b"\0")
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(number) and b"autotuner.host.guardian" in command:
                return int(entry.name)
    raise AssertionError(f"process {number} has no guardian")


if __name__ == "__main__":
    sys.exit(main())
