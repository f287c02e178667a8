from __future__ import annotations

import itertools

import pytest

from autotuner.core import Constraint, Dimension, Failed, Measurement, Objective, SearchSpace
from autotuner.core.errors import InputError, SpaceError, StateError
from autotuner.search import Search, search, study_name

SPACE = SearchSpace(
    [
        Dimension("batch_size", (1, 2, 4, 8), ordered=True),
        Dimension("workers", (1, 2, 3), ordered=True),
        Dimension("precision", ("fp32", "int8")),
        Dimension("provider", ("simulated",)),
    ],
    [lambda config: config["batch_size"] * config["workers"] <= 16],
)
OBJECTIVE = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=40.0)])


def measured(config):
    """Return an exact measurement, or out of memory for the largest INT8 batch."""
    batch, workers = config["batch_size"], config["workers"]
    if batch == 8 and config["precision"] == "int8":
        return Failed("oom")
    service_ms = (2.0 + batch) * (1.0 if config["precision"] == "int8" else 2.0)
    return Measurement(
        throughput_ips=1000.0 * workers * batch / service_ms, p99_ms=service_ms * workers
    )


def run(study, trials):
    """Run *trials* trials of *study*."""
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, measured(trial.config))


def test_a_trial_carries_its_configuration_and_outcome():
    """What was told stands in the finished trial."""
    with Search(SPACE, OBJECTIVE) as study:
        trial = study.ask()
        assert trial.outcome is None
        assert trial.config in SPACE
        told = study.tell(trial, measured(trial.config))
        assert study.trials() == (told,)
        assert told.outcome == measured(trial.config)


def test_seeds_are_measured_first_and_once():
    """The given seeds come first, in order, without repeats."""
    seeds = [SPACE.configs[3], SPACE.configs[0], SPACE.configs[3]]
    with Search(SPACE, OBJECTIVE, seeds=seeds) as study:
        asked = [study.ask() for _ in range(3)]
    assert [dict(trial.config) for trial in asked[:2]] == [SPACE.configs[3], SPACE.configs[0]]
    assert [trial.why for trial in asked[:2]] == ["seed", "seed"]
    assert asked[2].why != "seed"


def test_a_seed_outside_the_space_is_refused():
    """A seed that is no configuration is the caller's mistake."""
    with pytest.raises(SpaceError, match="not in the search space"):
        Search(SPACE, OBJECTIVE, seeds=[{"batch_size": 3}])


def test_a_metric_that_was_not_measured_is_named():
    """An objective over a metric that is None fails loudly, naming it."""
    with Search(SPACE, OBJECTIVE) as study:
        trial = study.ask()
        with pytest.raises(SpaceError, match="p99_ms"):
            study.tell(trial, Measurement(throughput_ips=1.0))


def test_a_metric_may_be_a_key_of_extra():
    """Objectives and constraints may name what has no field of its own."""
    objective = Objective.minimize("joules", [Constraint("p99.9_ms", at_most=3.0)])
    result = search(
        SPACE,
        lambda c: Measurement(extra={"joules": float(c["batch_size"]), "p99.9_ms": 2.0}),
        objective,
        max_trials=12,
    )
    assert result.best is not None
    assert result.best["batch_size"] == 1


def test_failures_are_infeasible_but_known():
    """A failure counts as a trial, and is never recommended."""
    with Search(SPACE, OBJECTIVE) as study:
        trial = study.ask()
        study.tell(trial, Failed("oom", "killed"))
        assert study.best() is None
        assert study.finalists(3) == ()
        assert study.trials()[0].outcome == Failed("oom", "killed")


def test_a_released_trial_is_forgotten():
    """A trial that was given up leaves no trace and may be asked for again."""
    with Search(SPACE, OBJECTIVE) as study:
        study.release(study.ask())
        assert study.trials() == ()


def test_finalists_are_distinct_and_start_with_the_recommendation():
    """Those worth proving are different configurations, the recommendation first."""
    with Search(SPACE, OBJECTIVE) as study:
        run(study, 16)
        finalists = study.finalists(4)
        configs = [tuple(trial.config.values()) for trial in finalists]
        assert len(set(configs)) == len(configs) > 1
        assert study.best().config in [trial.config for trial in finalists]


def test_facts_are_scored_anew_for_another_objective():
    """What was measured for one budget answers at once for another."""
    with Search(SPACE, OBJECTIVE) as study:
        run(study, 16)
        facts = [(trial.config, trial.outcome) for trial in study.trials()]
    tighter = Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=15.0)])
    with Search(SPACE, tighter) as study:
        assert study.import_trials(facts) == len({str(fact) for fact in facts})
        assert study.import_trials(facts) == 0
        assert study.best().outcome.p99_ms <= 15.0


def test_facts_that_do_not_fit_are_left_out():
    """Other spaces' configurations and facts without the metric are not imported."""
    with Search(SPACE, OBJECTIVE) as study:
        stranger = {**SPACE.configs[0], "batch_size": 64}
        whole = Measurement(throughput_ips=1.0, p99_ms=1.0)
        facts = [(stranger, whole), (SPACE.configs[0], Measurement(throughput_ips=1.0))]
        assert study.import_trials(facts) == 0


def test_the_name_of_a_study_tells_objectives_and_spaces_apart():
    """Only the same fingerprint, space and objective share a study."""
    other_space = SearchSpace(SPACE.dimensions[:2])
    other_objective = Objective.minimize("p99_ms")
    names = {
        study_name(*parts)
        for parts in itertools.product(
            ("f", "g"), (SPACE, other_space), (OBJECTIVE, other_objective)
        )
    }
    assert len(names) == 8
    assert study_name("f", SPACE, OBJECTIVE) in names


def test_an_unknown_sampler_is_refused_with_the_choices():
    """The message of a wrong sampler lists the right ones."""
    with pytest.raises(InputError, match="auto, tpe, gp, random"):
        Search(SPACE, OBJECTIVE, sampler="magic")


def test_search_reports_every_trial_and_why_it_ended():
    """The callback sees each trial with the best so far; the reason is in words."""
    seen = []
    result = search(
        SPACE,
        measured,
        OBJECTIVE,
        max_trials=9,
        on_trial=lambda trial, best: seen.append((trial.number, best)),
    )
    assert [number for number, _ in seen] == [trial.number for trial in result.trials]
    assert seen[-1][1] == result.best
    assert result.reason == "9 trials are done"


def test_search_stops_at_the_first_configuration_within_the_constraints():
    """With *first* nothing is measured after something can be recommended."""
    result = search(SPACE, measured, OBJECTIVE, first=True)
    assert result.best is not None
    assert "within the constraints" in result.reason
    assert len(result.trials) < 8


def test_search_without_time_measures_nothing():
    """A budget of no seconds ends the search before the first trial."""
    result = search(SPACE, measured, OBJECTIVE, max_seconds=0.0)
    assert (result.best, result.trials, result.reason) == (None, (), "the time is up")


def test_an_interrupt_keeps_what_is_known():
    """Ctrl-C in a trial ends the search with the finished ones."""
    calls = itertools.count()

    def interrupted(config):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return measured(config)

    result = search(SPACE, interrupted, OBJECTIVE)
    assert (len(result.trials), result.reason) == (5, "interrupted")


def test_another_objective_under_the_same_name_is_refused(tmp_path):
    """One study is about one objective; the message says what to do."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    Search(SPACE, OBJECTIVE, storage=url).close()
    with pytest.raises(StateError, match="another objective"):
        Search(SPACE, Objective.maximize("throughput_ips"), storage=url)


def test_a_cheaper_switch_is_preferred_among_equals():
    """With a switching cost, the search changes the dear axis less often."""

    def changes(cost):
        with Search(SPACE, OBJECTIVE, switching_cost=cost) as study:
            run(study, 14)
            precisions = [trial.config["precision"] for trial in study.trials()]
        return sum(a != b for a, b in itertools.pairwise(precisions))

    dear = changes(lambda a, b: 0.0 if a is None else 9.0 * (a["precision"] != b["precision"]))
    assert dear <= changes(None)


@pytest.mark.parametrize("sampler", ["auto", "random", "tpe"])
def test_dimensions_of_one_value_may_come_first(sampler):
    """Who pins everything but the last dimension still gets a search."""
    pinned = SearchSpace(
        [
            Dimension("batch_size", (4,), ordered=True),
            Dimension("workers", (1,), ordered=True),
            Dimension("precision", ("fp32", "int8")),
        ]
    )
    with Search(pinned, OBJECTIVE, sampler=sampler) as study:
        run(study, 3)
        assert {trial.config["precision"] for trial in study.trials()} == {"fp32", "int8"}
