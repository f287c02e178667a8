"""Samplers that propose whole configurations of a search space, never an illegal one."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from autotuner.core import SearchSpace, Value
from autotuner.search.parameters import distributions, from_params, to_params

_KNOWN = (TrialState.COMPLETE, TrialState.RUNNING)


class Proposer(BaseSampler):
    """A sampler that proposes one legal configuration of *space* at a time.

    *why* says in a few words why the last one was proposed.
    """

    def __init__(self, space: SearchSpace, *, seed: int | None) -> None:
        self.space = space
        self.why = ""
        self._rng = np.random.default_rng(seed)
        self._distributions = distributions(space)

    @abc.abstractmethod
    def propose(self, study: Study, trial: FrozenTrial) -> Mapping[str, Value]:
        """Return the next configuration and set *why*."""

    def infer_relative_search_space(
        self, _study: Study, _trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return every dimension: a configuration is proposed as a whole."""
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, _search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return a proposal, or nothing when the trial has its parameters already."""
        # Optuna settles dimensions of one value by itself, and may do so before it asks.
        chosen = (name for name in trial.params if not self._distributions[name].single())
        if "fixed_params" in trial.system_attrs or any(chosen):
            return {}
        return to_params(self.space, self.propose(study, trial))

    def sample_independent(
        self,
        _study: Study,
        _trial: FrozenTrial,
        param_name: str,
        _param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse: a parameter alone is not part of the space."""
        raise KeyError(f"{param_name!r} is no dimension of this search space")

    def reseed_rng(self) -> None:
        """Start an independent random stream, as Optuna asks after a fork."""
        self._rng = np.random.default_rng()

    def untried(self, study: Study, trial: FrozenTrial) -> list[dict[str, Value]]:
        """Return the configurations that no other trial measured or measures; all when none."""
        known = {
            tuple(from_params(self.space, other.params).values())
            for other in study.get_trials(deepcopy=False, states=_KNOWN)
            if other.number != trial.number and len(other.params) == len(self._distributions)
        }
        fresh = [config for config in self.space if tuple(config.values()) not in known]
        return fresh or list(self.space)


class RandomProposer(Proposer):
    """Propose an untried configuration at random."""

    def propose(self, study: Study, trial: FrozenTrial) -> Mapping[str, Value]:
        """Return an untried configuration; any one when all were tried."""
        self.why = "random"
        fresh = self.untried(study, trial)
        return fresh[self._rng.integers(len(fresh))]


class OptunaProposer(Proposer):
    """Let one of Optuna's own samplers propose, within the legal and untried configurations."""

    def __init__(
        self, space: SearchSpace, sampler: BaseSampler, *, name: str, seed: int | None
    ) -> None:
        super().__init__(space, seed=seed)
        self._sampler = sampler
        self._name = name

    def propose(self, study: Study, trial: FrozenTrial) -> Mapping[str, Value]:
        """Return the sampler's configuration, or an untried one when it finds nothing new."""
        fresh = self.untried(study, trial)
        search_space = self._sampler.infer_relative_search_space(study, trial)
        for _ in range(20):
            params = self._sampler.sample_relative(study, trial, search_space)
            if params:
                # Optuna leaves out a dimension of one value.
                whole = to_params(self.space, fresh[0]) | params
                config = from_params(self.space, whole)
                if config in fresh:
                    self.why = self._name
                    return config
        self.why = "random"
        return fresh[self._rng.integers(len(fresh))]
