"""The samplers by the names that a user may choose."""

from __future__ import annotations

import importlib.util

from optuna.samplers import GPSampler, TPESampler

from autotuner.core.errors import InputError, MachineError
from autotuner.search.judge import Judge
from autotuner.search.proposals import OptunaProposer, Proposer, RandomProposer
from autotuner.search.sampler import SurrogateSampler, SwitchingCost

SAMPLERS = ("auto", "tpe", "gp", "random")


def make_sampler(
    name: str, judge: Judge, *, seed: int | None, switching_cost: SwitchingCost | None = None
) -> Proposer:
    """Return the sampler called *name*, one of SAMPLERS; *switching_cost* is for ``auto`` alone.

    Raises InputError for another name and MachineError when ``gp`` lacks what it needs.
    """
    if name == "auto":
        return SurrogateSampler(judge, seed=seed, switching_cost=switching_cost)
    if name == "tpe":
        return OptunaProposer(judge.space, TPESampler(seed=seed), name=name, seed=seed)
    if name == "gp":
        if any(importlib.util.find_spec(library) is None for library in ("torch", "scipy")):
            raise MachineError(
                "The sampler 'gp' needs PyTorch and SciPy; "
                "install torch and scipy, or use the sampler 'auto'."
            )
        return OptunaProposer(judge.space, GPSampler(seed=seed), name=name, seed=seed)
    if name == "random":
        return RandomProposer(judge.space, seed=seed)
    raise InputError(f"There is no sampler {name!r}; choose one of {', '.join(SAMPLERS)}.")
