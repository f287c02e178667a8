"""Let one and two processes work on one PostgreSQL study; print wall time and quality.

    python benchmarks/shared_study.py --seeds 4

A modelled table of `tables.py` is searched; its evaluations take simulated time, that is, they
sleep. A server of its own is started and removed; Debian's package `postgresql` must be installed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tables import Table, held_out

from autotuner.search import Search

PROGRAMS = Path("/usr/lib/postgresql")


@contextmanager
def server() -> Iterator[str]:
    """Start an empty PostgreSQL on a socket of its own and yield its URL."""
    programs = max(PROGRAMS.glob("*/bin"))
    # The server refuses to run as root.
    owner = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if owner:
            shutil.chown(folder, owner)

        def do(program: str, *arguments: str) -> None:
            command = [programs / program, "-D", folder / "data", *arguments]
            subprocess.run(command, check=True, user=owner, cwd=folder, stdout=subprocess.DEVNULL)

        do("initdb", "-A", "trust", "-U", "postgres")
        options = f"-c listen_addresses='' -k {folder}"
        do("pg_ctl", "-s", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            do("pg_ctl", "-s", "-w", "-m", "immediate", "stop")


def work(table: Table, url: str, name: str, trials: int, seed: int, trial_s: float) -> None:
    """Take part in the study *name* until it has *trials* trials."""
    rows = {tuple(config.values()): row for row, config in enumerate(table.space.configs)}
    rng = np.random.default_rng([seed, os.getpid()])
    with Search(table.space, table.objective, storage=url, name=name, seed=seed) as study:
        while len(study.trials()) < trials:
            trial = study.ask()
            time.sleep(trial_s)
            study.tell(trial, table.measure(rows[tuple(trial.config.values())], rng))


def recommended(table: Table, url: str, name: str) -> float:
    """Return the true regret of what the study *name* recommends."""
    rows = {tuple(config.values()): row for row, config in enumerate(table.space.configs)}
    with Search(table.space, table.objective, storage=url, name=name) as study:
        best = study.best()
    return 1.0 if best is None else float(table.regret()[rows[tuple(best.config.values())]])


def main() -> None:
    """Run what the command line asks for and print a line for one process and one for two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--trial-s", type=float, default=0.6, help="simulated time of a trial")
    parser.add_argument("--redraw", type=int, default=0, help="draw other held-out tables")
    parser.add_argument("--join", nargs=3, metavar=("URL", "NAME", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    tables = held_out(options.redraw)
    if options.join is not None:
        url, name, text = options.join
        table = tables[int(text) % len(tables)]
        work(table, url, name, options.trials, int(text), options.trial_s)
        return
    wall_s: dict[int, list[float]] = {1: [], 2: []}
    regret: dict[int, list[float]] = {1: [], 2: []}
    with server() as url:
        for seed in range(options.seeds):
            for boxes, seconds in wall_s.items():
                name = f"{seed}-{boxes}"
                command = [sys.executable, __file__, "--join", url, name, str(seed)]
                command += ["--trials", str(options.trials), "--redraw", str(options.redraw)]
                command += ["--trial-s", str(options.trial_s)]
                began = time.monotonic()
                processes = [subprocess.Popen(command) for _ in range(boxes)]
                for process in processes:
                    process.wait()
                seconds.append(time.monotonic() - began)
                regret[boxes].append(recommended(tables[seed % len(tables)], url, name))
    for boxes, seconds in wall_s.items():
        print(
            f"{boxes} process{'es' if boxes > 1 else '  '} {options.seeds} searches of "
            f"{options.trials} trials of {options.trial_s:g} s: {np.sum(seconds):.0f} s, "
            f"mean regret {np.mean(regret[boxes]):.4f}"
        )
    print(f"wall time of two: {np.sum(wall_s[2]) / np.sum(wall_s[1]):.0%} of that of one")


if __name__ == "__main__":
    main()
