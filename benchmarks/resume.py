"""Kill searches with SIGKILL, resume them, and compare what they recommend with unbroken ones.

    python benchmarks/resume.py --seeds 50

Every search replays a modelled table of `tables.py` in a process of its own with its study in
SQLite. The broken one is killed after a random trial, at a random moment of the next, and started
again with the same study.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tables import Table, held_out

from autotuner.search import Search

_LONGEST_TRIAL_S = 0.06


def search(table: Table, url: str, trials: int, seed: int) -> None:
    """Search *table* until *trials* are done; print each, and the regret of the recommendation."""
    rows = {tuple(config.values()): row for row, config in enumerate(table.space.configs)}
    with Search(table.space, table.objective, storage=url, seed=seed) as study:
        while (done := len(study.trials())) < trials:
            trial = study.ask()
            # The noise belongs to the trial's number, whoever runs it.
            rng = np.random.default_rng([seed, done])
            study.tell(trial, table.measure(rows[tuple(trial.config.values())], rng))
            print("trial", flush=True)
        best = study.best()
    regret = 1.0 if best is None else table.regret()[rows[tuple(best.config.values())]]
    print(regret, flush=True)


def run(arguments: list[str], kill_after: int | None, moment: random.Random) -> float | None:
    """Run a search in a process; return its regret, None when it was killed."""
    command = [sys.executable, __file__, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = ""
        for number, line in enumerate(process.stdout, start=1):
            if number == kill_after:
                time.sleep(moment.uniform(0.0, _LONGEST_TRIAL_S))
                process.kill()
                return None
            said = line
    return float(said)


def main() -> None:
    """Run the searches that the command line asks for and print what they recommend."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--redraw", type=int, default=0, help="draw other held-out tables")
    parser.add_argument("--study", nargs=2, metavar=("URL", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    tables = held_out(options.redraw)
    if options.study is not None:
        url, seed = options.study[0], int(options.study[1])
        search(tables[seed % len(tables)], url, options.trials, seed)
        return
    regrets: dict[str, list[float]] = {"unbroken": [], "killed once": []}
    moment = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            for name, found in regrets.items():
                url = f"sqlite:///{Path(folder, f'{seed}-{name[:6]}.db')}"
                arguments = ["--study", url, str(seed), "--trials", str(options.trials)]
                arguments += ["--redraw", str(options.redraw)]
                regret = None
                if name == "killed once":
                    run(arguments, moment.randrange(1, options.trials), moment)
                while regret is None:
                    regret = run(arguments, None, moment)
                found.append(regret)
    for name, found in regrets.items():
        near = np.mean(np.asarray(found) <= 0.03)
        print(
            f"{name:<12} {len(found)} searches of {options.trials} trials: "
            f"mean regret {np.mean(found):.4f}, within 3 % {near:.0%}"
        )


if __name__ == "__main__":
    main()
