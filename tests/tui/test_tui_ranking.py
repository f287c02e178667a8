"""The order and the filter of the table: without Textual."""

import random

import pytest
from conftest import stamped_lines
from made_up_jobs import add_trial, begin_trial, view_of, view_with

from autotuner.core.config import Config
from tui.ranking import SORTS, Ranking


def ranked(view, sort="order", words="", *, reverse=False):
    """Return the rows of *view* as a table would show them now."""
    ranking = Ranking(view.trials, sort, words, reverse=reverse)
    ranking.catch_up()
    return ranking


def numbers(ranking):
    """Return the numbers of the trials in the rows."""
    return [trial.number for trial in ranking]


def test_trials_are_sorted_best_first_and_unknown_last():
    """Whatever the column, what is not known stands at the end, in both orders."""
    view = view_with((100.0, 10.0), (None, None), (200.0, 30.0))
    assert numbers(ranked(view, "throughput")) == [2, 0, 1]
    assert numbers(ranked(view, "throughput", reverse=True)) == [0, 2, 1]
    assert numbers(ranked(view, "latency")) == [0, 2, 1]


def test_the_newest_trial_is_the_first():
    """Unless another column is chosen the table begins with what runs."""
    view = view_with((100.0, 10.0), (None, None))
    begin_trial(view, Config())
    assert numbers(ranked(view)) == [2, 1, 0]
    assert numbers(ranked(view, reverse=True)) == [0, 1, 2]


def test_what_runs_has_no_rank_yet():
    """A trial that runs is last in every other column, and finds its row when it ends."""
    view = view_with((100.0, 10.0), (200.0, 30.0))
    ranking = ranked(view, "throughput")
    begin_trial(view, Config(workers=2))
    ranking.catch_up()
    assert numbers(ranking) == [1, 0, 2]
    add_trial(view, 150.0, 20.0)
    ranking.catch_up()
    assert numbers(ranking) == [1, 3, 0, 2]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("words", ["", "2 workers", "done"])
def test_rows_are_the_same_however_they_came(sort, words, reverse):
    """A table that was carried on shows what one shows that begins now, and finds every row."""
    view, chance = view_with(), random.Random(3)
    ranking = Ranking(view.trials, sort, words, reverse=reverse)
    for turn in range(150):
        if turn % 3:
            throughput = chance.choice([None, 10.0, chance.uniform(1, 100)])
            add_trial(view, throughput, chance.uniform(1, 50), workers=chance.randint(1, 3))
        else:
            begin_trial(view, Config(workers=2, intra_op_threads=chance.choice([None, 1, 4])))
        if chance.random() < 0.7:
            ranking.catch_up()
            assert list(ranking) == list(ranked(view, sort, words, reverse=reverse))
    ranking.catch_up()
    assert [ranking.row_of(trial.key) for trial in ranking] == list(range(len(ranking)))
    missing = {trial.key for trial in view.trials} - {trial.key for trial in ranking}
    assert {ranking.row_of(key) for key in [*missing, None, 10**9]} == {-1}


def test_only_the_rows_in_sight_are_made():
    """A part of a table is a list of its trials."""
    view = view_with(*((float(n), 1.0) for n in range(300)))
    ranking = ranked(view, "throughput")
    assert [trial.number for trial in ranking[10:12]] == [289, 288]
    assert ranking[-1].number == 0


def test_a_filter_needs_all_its_words():
    """Words are looked for in configuration, round and outcome, whatever their case."""
    found = list(ranked(view_of(stamped_lines()), words="COMPACT 2 workers"))
    assert found
    assert all("2 workers" in str(t.config) and t.config.affinity == "compact" for t in found)
