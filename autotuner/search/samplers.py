"""The samplers by the names that a user may choose."""

from __future__ import annotations

import optuna

from autotuner.core import Objective, SearchSpace
from autotuner.core.errors import InputError, MachineError
from autotuner.search.proposals import OptunaProposer, Proposer, RandomProposer

SAMPLERS = ("auto", "tpe", "gp", "random")


def make_sampler(
    name: str, space: SearchSpace, objective: Objective, *, seed: int | None
) -> Proposer:
    """Return the sampler called *name*, one of SAMPLERS.

    Raises InputError for another name and MachineError when ``gp`` lacks PyTorch.
    """
    if name == "random":
        return RandomProposer(space, seed=seed)
    if name in ("tpe", "auto"):
        return OptunaProposer(space, optuna.samplers.TPESampler(seed=seed), name="tpe", seed=seed)
    if name == "gp":
        try:
            import torch  # noqa: F401, PLC0415
        except ImportError as error:
            raise MachineError(
                "The sampler 'gp' needs PyTorch and SciPy; "
                "install torch and scipy, or use the sampler 'auto'."
            ) from error
        return OptunaProposer(space, optuna.samplers.GPSampler(seed=seed), name="gp", seed=seed)
    raise InputError(f"There is no sampler {name!r}; choose one of {', '.join(SAMPLERS)}.")
