"""Replay searches on modelled tables and print how soon each comes near the true optimum.

    python benchmarks/replay.py --tables held-out --seeds 3 --samplers auto tpe random climb

The regret of a trial is the true loss of what would be recommended after it; nothing recommended,
or a true budget broken by more than 2 %, counts 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from climb import HillClimb
from tables import Table, development, held_out

from autotuner.core import Outcome
from autotuner.search import Search, Trial

MARKS = (20, 40, 60)
TOLERANCES = (0.05, 0.03, 0.01)


class Contender(Protocol):
    """Anything that proposes rows of a table and recommends one."""

    def ask(self) -> int:
        """Return the row to measure next."""

    def tell(self, outcome: Outcome) -> None:
        """Record what the row asked for showed."""

    def best(self) -> int | None:
        """Return the row to recommend, if any."""


class Sampled:
    """Our search with one of its samplers; all share the same rule for the recommendation."""

    def __init__(self, table: Table, sampler: str, seed: int) -> None:
        self._rows = {tuple(c.values()): row for row, c in enumerate(table.space.configs)}
        self._search = Search(table.space, table.objective, sampler=sampler, seed=seed)
        self._trial: Trial

    def ask(self) -> int:
        """Return the row to measure next."""
        self._trial = self._search.ask()
        return self._row(self._trial)

    def tell(self, outcome: Outcome) -> None:
        """Record what the row asked for showed."""
        self._search.tell(self._trial, outcome)

    def best(self) -> int | None:
        """Return the row to recommend, if any."""
        best = self._search.best()
        return None if best is None else self._row(best)

    def _row(self, trial: Trial) -> int:
        return self._rows[tuple(trial.config.values())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One replay: by trial, the regret of the recommendation and whether it breaks the budget."""

    regret: np.ndarray
    broken: np.ndarray
    ms_per_trial: float

    def trials_to(self, tolerance: float) -> float:
        """Return after how many trials the regret was first within *tolerance*."""
        near = np.flatnonzero(self.regret <= tolerance)
        return float(near[0] + 1) if len(near) else np.inf


def replay(table: Table, contender: Contender, *, trials: int, seed: int) -> Run:
    """Let *contender* search *table* with noise drawn from *seed*."""
    rng = np.random.default_rng(seed)
    true_regret, excess = table.regret(), table.excess()
    regret, broken = np.ones(trials), np.zeros(trials, dtype=bool)
    spent = 0.0
    for i in range(trials):
        started = time.perf_counter()
        outcome = table.measure(contender.ask(), rng)
        contender.tell(outcome)
        best = contender.best()
        spent += time.perf_counter() - started
        if best is not None:
            regret[i], broken[i] = true_regret[best], excess[best] > 0.02
    return Run(regret=regret, broken=broken, ms_per_trial=spent / trials * 1000.0)


def report(name: str, runs: list[Run]) -> str:
    """Return one line of figures over *runs*."""
    marks = [m for m in MARKS if m <= len(runs[0].regret)]
    near = " ".join(f"{np.median([r.trials_to(t) for r in runs]):5.0f}" for t in TOLERANCES)
    hits = " ".join(f"{np.mean([r.regret[m - 1] <= 0.03 for r in runs]):5.0%}" for m in marks)
    regret = " ".join(f"{np.mean([r.regret[m - 1] for r in runs]):.3f}" for m in marks)
    broken = np.mean([r.broken[marks[0] - 1 :].mean() for r in runs])
    cost = np.mean([r.ms_per_trial for r in runs])
    return f"{name:<16} {len(runs):4d}  {near}  {hits}  {regret}  {broken:6.2%}  {cost:6.1f}"


def contender(table: Table, sampler: str, seed: int) -> Contender:
    """Return a new contender of the kind *sampler*."""
    return HillClimb(table, seed) if sampler == "climb" else Sampled(table, sampler, seed)


def main(arguments: Iterable[str] | None = None) -> None:
    """Replay what the command line asks for and print it."""
    samplers = ["auto", "tpe", "random", "climb"]
    if importlib.util.find_spec("torch") is not None:
        samplers.insert(2, "gp")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", choices=("development", "held-out"), default="held-out")
    parser.add_argument("--redraw", type=int, default=0, help="draw other held-out tables")
    parser.add_argument("--seeds", type=int, default=3, help="replays of each table")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--samplers", nargs="+", default=samplers)
    options = parser.parse_args(arguments)
    tables = development() if options.tables == "development" else held_out(options.redraw)
    print(
        "                 runs  trials to 5/3/1 %  within 3 % at 20/40/60  regret at 20/40/60"
        "  broken  ms/trial"
    )
    for sampler in options.samplers:
        runs: dict[str, list[Run]] = defaultdict(list)
        for table in tables:
            for seed in range(options.seeds):
                one = contender(table, sampler, seed)
                run = replay(table, one, trials=options.trials, seed=seed)
                runs[table.name.split("-")[0]].append(run)
        for family, several in runs.items():
            print(report(f"{sampler}/{family}", several))
        print(report(sampler, [run for several in runs.values() for run in several]), flush=True)


if __name__ == "__main__":
    main()
