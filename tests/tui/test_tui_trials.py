"""What is kept of a job's trials: without Textual."""

import gc
import tracemalloc
from dataclasses import replace

from made_up_jobs import add_trial, view_with

from autotuner.core.config import Config
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed, Histogram, Measurement
from tui.trials import WHOLE, Trial, Trials

BUDGET = Objective.maximize("throughput_ips", [Constraint("p90_ms", at_most=9.0)])
RUNNING = Trial(key=7, phase="search", number=3, config=Config(workers=2), why="seed", began_t=1.0)
MEASURED = Measurement(
    throughput_ips=50.0,
    p50_ms=4.0,
    p90_ms=8.0,
    p99_ms=12.0,
    memory_mib=80.0,
    disturbed="somebody",
    histogram=Histogram(low_ms=1.0, high_ms=9.0, counts=(1, 2)),
)


def test_a_trial_comes_back_as_it_was_put():
    """Figures, words and what is not known: all of it, whether it runs or has ended."""
    ended = RUNNING.ended(2.0, MEASURED, BUDGET)
    failed = replace(RUNNING, key=9).ended(3.0, Failed("oom", "killed"), BUDGET)
    trials = Trials()
    trials.put(ended)
    trials.put(failed)
    assert list(trials) == [ended, failed]
    assert (ended.latency_ms, ended.kept, ended.disturbed, ended.power_w) == (8.0, True, True, None)
    assert (failed.failed, failed.measured, failed.running) == ("oom", False, False)


def test_what_runs_is_replaced_when_it_ends():
    """The newest trial is one, before and after it ended."""
    trials = Trials()
    trials.put(RUNNING)
    assert trials[-1].running
    trials.put(RUNNING.ended(2.0, MEASURED, BUDGET))
    assert [trial.throughput_ips for trial in trials] == [50.0]


def test_a_trial_is_found_by_its_key():
    """Keys grow with the trials, and one that is not there is not found."""
    view = view_with((1.0, 1.0), (2.0, 2.0), (3.0, 3.0))
    keys = [trial.key for trial in view.trials]
    assert [view.trials.place(key) for key in keys] == [0, 1, 2]
    assert view.trials.place(keys[1] + 1) is None
    assert view.trial(10**9) is None


def test_the_newest_outcomes_are_kept_whole():
    """An old one is forgotten, and kept again when it was fetched."""
    trials = Trials()
    for key in range(WHOLE + 2):
        trials.keep(key, MEASURED)
    assert [trials.outcome(key) for key in (0, 1, 2, WHOLE + 1)] == [None, None, MEASURED, MEASURED]
    trials.keep(0, MEASURED)
    assert trials.outcome(0) is MEASURED


def test_a_trial_more_costs_little():
    """Beyond those kept whole a trial takes less than half a kibibyte, log and table included."""
    view = view_with()
    rest = [{"workers": n % 32 + 1, "intra_op_threads": n // 32 % 16 + 1} for n in range(3000)]
    tracemalloc.start()
    try:
        sizes = []
        for part in (rest[:1500], rest[1500:]):
            for n, config in enumerate(part):
                add_trial(view, 1.0 + n, 2.0 + n, batch_size=n % 200 + 1, **config)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert (sizes[1] - sizes[0]) / 1500 < 512
