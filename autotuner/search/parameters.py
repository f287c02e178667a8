"""Configurations as Optuna sees them: ladders as integer indices, the rest as categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from autotuner.core import SearchSpace, Value


def distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return one distribution for each dimension of *space*."""
    return {
        dimension.name: IntDistribution(0, len(dimension.values) - 1)
        if dimension.ordered
        else CategoricalDistribution(dimension.values)
        for dimension in space.dimensions
    }


def to_params(space: SearchSpace, config: Mapping[str, Value]) -> dict[str, Any]:
    """Return *config*, a configuration of *space*, as Optuna's parameters."""
    return {
        dimension.name: dimension.values.index(config[dimension.name])
        if dimension.ordered
        else config[dimension.name]
        for dimension in space.dimensions
    }


def from_params(space: SearchSpace, params: Mapping[str, Any]) -> dict[str, Value]:
    """Return the configuration of *space* that Optuna's *params* stand for."""
    return {
        dimension.name: dimension.values[params[dimension.name]]
        if dimension.ordered
        else params[dimension.name]
        for dimension in space.dimensions
    }


def describe(space: SearchSpace) -> list[dict[str, Any]]:
    """Return the dimensions of *space* as plain JSON data, to tell one space from another."""
    return [
        {"name": d.name, "values": list(d.values), "ordered": d.ordered} for d in space.dimensions
    ]
