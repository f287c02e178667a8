"""What every sampler must obey."""

from __future__ import annotations

import importlib.util

import pytest

from autotuner.core import Constraint, Dimension, Failed, Measurement, Objective, SearchSpace
from autotuner.search import Search

LADDERS = SearchSpace(
    [
        Dimension("batch_size", (1, 2, 4, 8, 16), ordered=True),
        Dimension("intra_op_threads", (None, 1, 2), ordered=True),
        Dimension("precision", ("fp32", "fp16", "int8")),
        Dimension("fuse", (False, True)),
    ],
    [lambda config: not (config["fuse"] and config["precision"] == "int8")],
)
STRANGE = SearchSpace([Dimension("tile", (16, -1, 0.5)), Dimension("order", ("rows", "columns"))])
SINGLE = SearchSpace([Dimension("only", ("one",))])
SPACES = {"ladders": LADDERS, "strange": STRANGE, "single": SINGLE}
OBJECTIVES = {
    "throughput": Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=20.0)]),
    "latency": Objective.minimize("p99_ms", [Constraint("throughput_ips", at_least=50.0)]),
    "unconstrained": Objective.minimize("energy_j"),
}


@pytest.fixture(params=["auto", "tpe", "gp", "random"])
def sampler(request):
    """Return each sampler's name; ``gp`` where PyTorch is."""
    if request.param == "gp" and importlib.util.find_spec("torch") is None:
        pytest.skip("gp needs PyTorch")
    return request.param


def measured(config):
    """Return something that depends on every setting, and fails for some."""
    cost = 1.0 + sum(len(str(value)) * (i + 1) for i, value in enumerate(config.values()))
    if config.get("batch_size") == 16 and config.get("precision") == "fp32":
        return Failed("oom")
    return Measurement(throughput_ips=1000.0 / cost, p99_ms=cost, energy_j=cost / 10.0)


def asked(space, objective, sampler, trials, seed=0):
    """Return the configurations of *trials* trials in order."""
    with Search(space, objective, sampler=sampler, seed=seed) as study:
        configs = []
        for _ in range(trials):
            trial = study.ask()
            configs.append(dict(trial.config))
            assert trial.why
            study.tell(trial, measured(trial.config))
    return configs


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_only_legal_configurations_are_proposed(sampler, space, objective):
    """Restrictions hold, whatever the axes and the objective are."""
    configs = asked(SPACES[space], OBJECTIVES[objective], sampler, 12)
    assert all(config in SPACES[space] for config in configs)


def test_the_same_seed_proposes_the_same(sampler):
    """A search can be repeated."""
    objective = OBJECTIVES["throughput"]
    first, again = (asked(LADDERS, objective, sampler, 14, seed=3) for _ in range(2))
    assert first == again


def test_all_configurations_are_proposed_before_trials_outnumber_them_by_far(sampler):
    """A small space is covered: repeats are decided, not stumbled into."""
    configs = asked(STRANGE, OBJECTIVES["throughput"], sampler, 3 * len(STRANGE))
    assert len({str(config) for config in configs}) == len(STRANGE)


def test_trials_that_run_at_the_same_time_differ(sampler):
    """A proposal that still runs is taken into account."""
    with Search(LADDERS, OBJECTIVES["throughput"], sampler=sampler) as study:
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, measured(trial.config))
        running = [study.ask() for _ in range(4)]
    assert len({str(trial.config) for trial in running}) == 4


def test_a_space_where_everything_fails_is_survived(sampler):
    """Failures alone are no reason to break."""
    with Search(STRANGE, OBJECTIVES["throughput"], sampler=sampler) as study:
        for _ in range(8):
            study.tell(study.ask(), Failed("crashed"))
        assert study.best() is None
        assert study.exhausted() == "every configuration failed"
