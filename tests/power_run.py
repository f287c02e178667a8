"""A process that changes power modes until it is killed: ``power_run.py ROOT JOURNAL SEED``.

It says its number when it has changed the first one.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from autotuner.host.power import Switch, offered, open_control, recover


def main():
    """Change modes at random."""
    root, journal = Path(sys.argv[1]), Path(sys.argv[2])
    chance = random.Random(int(sys.argv[3]))
    for sentence in recover(journal, root=root):
        sys.stderr.write(f"{sentence}\n")
    control = open_control(root, dvfs=True, settle_s=0.0)
    names = offered(control)
    with Switch(control, journal, root=root) as switch:
        switch.use(names[1])
        sys.stdout.write(f"{os.getpid()}\n")
        sys.stdout.flush()
        while True:
            switch.use(chance.choice(names))


if __name__ == "__main__":
    main()
