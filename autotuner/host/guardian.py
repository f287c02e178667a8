"""The guardian process: restores the power state from the journal when its standard input ends.

``python -m autotuner.host.guardian JOURNAL [ROOT]`` with nothing on standard input restores at
once, which is what a service manager may run after it has killed a job.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from autotuner.host.power.journal import Journal
from autotuner.host.power.machine import open_control
from autotuner.host.power.recovery import put_back


def main() -> None:
    """Say that the watch has begun, wait for the end of input, restore."""
    path, root = Path(sys.argv[1]), Path(*sys.argv[2:] or "/")
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)  # it has to outlive whom it watches
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while os.read(sys.stdin.fileno(), 1):
        pass
    for sentence in put_back(Journal(path), lambda: open_control(root)):
        sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
