from __future__ import annotations

from autotuner.cli.progress import _View
from autotuner.core.config import Config
from autotuner.core.events import Candidate, Note, Started, TrialDone, TrialStarted, Working
from autotuner.core.outcome import Failed, Measurement

STARTED = Started(model="net", fingerprint="0" * 12, max_trials=8, max_seconds=40.0)
NOW = TrialStarted(phase="search", number=2, config=Config(batch_size=8))
BEST = Candidate(
    config=Config(batch_size=4), measurement=Measurement(throughput_ips=123.45, p99_ms=9.87)
)


def done(**fields):
    """Return the end of a trial."""
    fields = {"phase": "search", "config": Config(), "outcome": Failed("oom")} | fields
    return TrialDone(**fields)


def line_after(*events, seconds=7.0):
    """Return the line *seconds* after the start, when the last of *events* was just told."""
    view = _View(began=100.0)
    for event in events:
        view.take(event, 100.0 + seconds)
    return view.lines(100.0 + seconds).plain


def test_it_says_that_it_is_getting_ready():
    """Before anything is measured."""
    assert line_after(STARTED, Note(text="x")) == "   7 s | getting ready"


def test_it_tells_trials_time_left_the_best_and_what_runs_now():
    """All that a person may want to know while waiting."""
    line = line_after(STARTED, done(trials=3, seconds_left=20.0, best=BEST), NOW)
    assert line == (
        "   7 s | search | 3 trials of 8 | 20 s left | now batch 8, 1 worker x default threads\n"
        "  best | 123.5/s | p99 9.9 ms | batch 4, 1 worker x default threads"
    )


def test_without_a_limit_no_total_is_named():
    """Trials are counted all the same."""
    started = Started(model="net", fingerprint="0" * 12)
    assert "| 3 trials |" in line_after(started, done(trials=3), NOW)


def test_the_time_left_runs_down_between_events():
    """And never below zero."""
    view = _View(began=100.0)
    for now, event in ((90.0, STARTED), (100.0, done(seconds_left=20.0)), (103.0, NOW)):
        view.take(event, now)
    assert "| 15 s left" in view.lines(105.0).plain
    assert "| 0 s left" in view.lines(200.0).plain


def test_the_first_trial_has_a_countdown_too():
    """The time of the search is known from the start."""
    baseline = done(phase="baseline", outcome=BEST.measurement)
    assert "| 40 s left |" in line_after(STARTED, baseline, NOW)


def test_the_baseline_has_no_countdown():
    """Its time is not that of the search."""
    line = line_after(STARTED, TrialStarted(phase="baseline", config=Config()))
    assert line == "   7 s | baseline | now batch 1, 1 worker x default threads"


def test_a_failed_trial_does_not_lose_the_best():
    """It stays until there is a better one."""
    line = line_after(STARTED, done(best=BEST), NOW, done(best=None), NOW)
    assert "best | 123.5/s" in line


def test_a_best_without_p99_is_no_mishap():
    """What is not known is shown as such."""
    best = Candidate(config=Config(), measurement=Measurement(throughput_ips=2.0))
    assert "best | 2.0/s | p99 ? " in line_after(STARTED, done(best=best), NOW)


BUILDING = Working(what="batch 8, fp16", step="building the engine", elapsed_s=12.0)


def test_an_engine_that_is_built_is_told_with_the_time_that_it_has_taken():
    """Which goes on between two events; nothing is measured meanwhile."""
    view = _View(began=100.0)
    for now, event in ((100.0, STARTED), (101.0, NOW), (113.0, BUILDING)):
        view.take(event, now)
    assert "batch 8, fp16: building the engine, 12 s so far" in view.lines(113.0).plain
    assert "building the engine, 42 s so far" in view.lines(143.0).plain
    view.take(done(outcome=BEST.measurement), 150.0)
    view.take(NOW, 151.0)
    assert "now batch 8" in view.lines(152.0).plain
