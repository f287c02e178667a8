from __future__ import annotations

import numpy as np
import pytest

from autotuner.core import Constraint, Dimension, Failed, Measurement, Objective, SearchSpace
from autotuner.search import search
from autotuner.search.evidence import Evidence
from autotuner.search.seeds import first_rows
from autotuner.search.surrogate import Surrogate

DEVICE = SearchSpace(
    [
        Dimension("batch_size", (1, 2, 4, 8, 16, 32), ordered=True),
        Dimension("workers", (1, 2, 3, 4), ordered=True),
        Dimension("intra_op_threads", (1, 2, 3, 4), ordered=True),
        Dimension("precision", ("fp32", "fp16", "int8")),
        Dimension("power_mode", ("15W", "MAXN")),
    ]
)
BUDGET = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=60.0)])
STRANGE = SearchSpace(
    [
        Dimension("tile", (1, 2, 4, 8, 16, 32), ordered=True),
        Dimension("unroll", (1, 2, 3, 4, 5), ordered=True),
        Dimension("layout", ("rows", "columns", "blocks")),
    ]
)


def device(config):
    """Return what a device of four cores and little memory would show, without noise."""
    batch, workers, threads = (config[n] for n in ("batch_size", "workers", "intra_op_threads"))
    if batch * workers > 64:
        return Failed("oom")
    speed = {"fp32": 1.0, "fp16": 1.2, "int8": 2.0}[config["precision"]]
    clock = {"15W": 0.6, "MAXN": 1.0}[config["power_mode"]]
    crowded = max(workers * threads / 4.0, 1.0) ** 1.3
    service_ms = (2.0 + 6.0 * batch) * (0.2 + 0.8 / threads) * crowded / speed / clock
    return Measurement(
        throughput_ips=1000.0 * workers * batch / service_ms, p99_ms=1.1 * service_ms
    )


def strange(config):
    """Return a landscape with one valley over knobs that nobody has heard of."""
    cost = (np.log2(config["tile"]) - 3.2) ** 2 + 0.5 * (config["unroll"] - 2) ** 2
    cost += {"rows": 0.0, "columns": 0.4, "blocks": -0.3}[config["layout"]]
    return Measurement(energy_j=float(np.exp(0.3 * cost)))


def regret(space, objective, evaluate, best):
    """Return the share by which *best* misses the best feasible configuration."""
    outcomes = [evaluate(c) for c in space.configs]
    values = [objective.value(o) for o in outcomes if objective.feasible(o)]
    mine = objective.value(evaluate(best))
    if objective.direction == "maximize":
        return 1.0 - mine / max(values)
    return mine / min(values) - 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_usual_device_is_tuned_in_few_trials(seed):
    """Of 576 configurations, 25 trials find one within 5 % that keeps the budget."""
    result = search(DEVICE, device, BUDGET, max_trials=25, seed=seed)
    assert BUDGET.feasible(device(result.best))
    assert regret(DEVICE, BUDGET, device, result.best) < 0.05


def test_a_strange_space_is_searched_as_well():
    """Knobs of unknown names and no constraint are no obstacle."""
    objective = Objective.minimize("energy_j")
    result = search(STRANGE, strange, objective, max_trials=25)
    assert regret(STRANGE, objective, strange, result.best) < 0.05


def test_measurements_hold_against_noise_and_outliers():
    """With noise and wild outliers the recommendation still keeps the true budget."""
    rng = np.random.default_rng(0)

    def noisy(config):
        true = device(config)
        if isinstance(true, Failed):
            return true
        slower = float(np.exp(rng.normal(0.0, 0.04)) * (1.6 if rng.random() < 0.05 else 1.0))
        return Measurement(throughput_ips=true.throughput_ips / slower, p99_ms=true.p99_ms * slower)

    result = search(DEVICE, noisy, BUDGET, max_trials=40)
    assert device(result.best).p99_ms <= 60.0 * 1.02
    assert regret(DEVICE, BUDGET, device, result.best) < 0.1


def test_a_small_space_ends_when_everything_is_known():
    """No trial is spent once nothing promises an improvement."""
    objective = Objective.minimize("energy_j")
    result = search(STRANGE, strange, objective, max_trials=500)
    assert len({str(trial.config) for trial in result.trials}) <= len(STRANGE)
    assert len(result.trials) < 500
    assert regret(STRANGE, objective, strange, result.best) == 0.0


def test_what_needs_more_memory_than_a_failure_is_never_tried():
    """Out of memory rules out larger batches and more workers of the same precision."""
    failed = DEVICE.configs.index(
        {
            "batch_size": 8,
            "workers": 2,
            "intra_op_threads": 1,
            "precision": "fp32",
            "power_mode": "MAXN",
        }
    )
    measured = {row: device(DEVICE.configs[row]) for row in range(0, 40, 7)}
    evidence = Evidence.gathered([*measured.items(), (failed, Failed("oom"))])
    runs = Surrogate(DEVICE, BUDGET).believe(evidence).runs
    for row, config in enumerate(DEVICE.configs):
        larger = config["batch_size"] >= 8 and config["workers"] >= 2
        if larger and config["precision"] == "fp32":
            assert runs[row] == 0.0
    assert all(runs[row] == 1.0 for row in measured)


def test_every_precision_is_among_the_first():
    """The first configurations show each precision, at the highest power."""
    first = [DEVICE.configs[row] for row in first_rows(DEVICE)]
    assert {config["precision"] for config in first} == {"fp32", "fp16", "int8"}
    assert {config["power_mode"] for config in first} == {"MAXN"}


def test_a_space_of_unusual_axes_has_no_telling_shapes():
    """Nothing is presumed of knobs that nobody knows."""
    assert first_rows(STRANGE) == []


def test_a_metric_that_may_be_zero_or_negative_is_searched():
    """Metrics without a logarithm are modelled as they are."""
    objective = Objective.maximize("score", [Constraint("balance", at_least=-1.0)])
    result = search(
        STRANGE,
        lambda c: Measurement(
            extra={"score": float(c["unroll"] - 3), "balance": 2.0 - np.log2(c["tile"])}
        ),
        objective,
        max_trials=30,
    )
    assert result.best["unroll"] == 5


def test_a_dead_region_is_left_alone():
    """Crashes without any reason that memory explains are learnt too."""

    def crashing(config):
        return Failed("crashed") if config["layout"] == "rows" else strange(config)

    result = search(STRANGE, crashing, Objective.minimize("energy_j"), max_trials=60)
    crashed = [trial for trial in result.trials if isinstance(trial.outcome, Failed)]
    assert len(crashed) <= 6
    assert "no configuration promises" in result.reason
