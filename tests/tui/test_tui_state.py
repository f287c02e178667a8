"""What is known of a job: without Textual."""

import random

import pytest
from conftest import MIDWAY, recorded_news, stamped_lines

from autotuner.core.config import Config
from autotuner.core.events import Started, TrialDone, TrialStarted
from autotuner.core.outcome import Failed, Measurement
from tui import goal
from tui.glyphs import BRAILLE
from tui.news import Happened, Lost, Readings, Standing, take
from tui.recorded import happened
from tui.session import Session
from tui.state import JobView, front, ordered, selected


def view_of(lines):
    """Return the view of a job whose record has these lines."""
    session = Session()
    for line in lines:
        take(session, happened(line))
    return session.job


def trials(*throughputs_and_latencies):
    """Return a view with one search trial for each pair, in this order."""
    view = JobView(job="j")
    for n, (throughput, latency) in enumerate(throughputs_and_latencies):
        config = Config(batch_size=n + 1)
        outcome = Measurement(throughput_ips=throughput, p99_ms=latency)
        begun = TrialStarted(phase="search", number=n, config=config)
        done = TrialDone(phase="search", number=n, config=config, outcome=outcome)
        view.take(2 * n, float(n), begun)
        view.take(2 * n + 1, n + 0.5, done)
    return view


def test_the_recorded_job_is_told_whole():
    """From a real record come all its trials, the winner, the baseline and the gain."""
    view = view_of(stamped_lines())
    assert (len(view.trials), view.measured) == (22, 13)
    assert view.winner.config == Config(
        batch_size=1, workers=2, intra_op_threads=1, affinity="compact"
    )
    assert view.speedup == pytest.approx(1.046, abs=1e-3)
    assert view.objective.latency_bound == (99.0, 50.0)


def test_the_trial_that_runs_is_known():
    """Between its two events a trial is the present one, and its reason is known."""
    view = view_of(stamped_lines()[: MIDWAY + 1])
    assert (view.now.number, view.now.why) == (12, "expected improvement")


@pytest.mark.parametrize("seed", range(5))
def test_events_may_come_in_any_order(seed):
    """Late events find their place: the same job comes of them in whatever order."""
    lines = stamped_lines()
    shuffled = random.Random(seed).sample(lines, len(lines))
    expected, view = view_of(lines), view_of(shuffled)
    assert [(t.number, t.config, t.outcome, t.why) for t in view.trials] == [
        (t.number, t.config, t.outcome, t.why) for t in expected.trials
    ]
    assert (view.winner, view.baseline, view.ending) == (
        expected.winner,
        expected.baseline,
        expected.ending,
    )


def test_events_that_come_twice_count_once():
    """A feed that begins again from the first event changes nothing."""
    lines = stamped_lines()
    once, twice = view_of(lines), view_of([*lines, *lines])
    assert (once.trials, len(once.log)) == (twice.trials, len(twice.log))


def test_an_event_of_a_newer_version_is_passed_over():
    """What this version cannot read is counted, and everything else is shown."""
    lines = stamped_lines()
    lines[10] = {**lines[10], "event": "trial_paused"}
    lines[20] = {**lines[20], "colour": "of a field that does not exist yet"}
    view = view_of(lines)
    assert view.passed_over == 2
    assert view.ending is not None


def test_a_best_is_said_once():
    """The log marks the trial that made a new best, and no other."""
    entries = view_of(stamped_lines()[: MIDWAY + 1]).log
    assert [entry.event.number for entry in entries if entry.best] == [None, 0, 2]


def test_the_front_has_what_nothing_beats():
    """A trial is on the front when no other has both less latency and more throughput."""
    view = trials((100.0, 10.0), (90.0, 20.0), (200.0, 30.0), (150.0, 30.0), (None, 5.0))
    assert [trial.number for trial in front(view.trials, "p99_ms")] == [0, 2]


def test_the_front_is_the_same_however_often_it_was_asked_for():
    """It is carried on from trial to trial, and the final round's word still counts."""
    lines = stamped_lines()
    asked = JobView(job="j")
    for place, line in enumerate(lines):
        news = happened(line)
        asked.take(news.n, news.t, news.event)
        assert asked.settled() == view_of(lines[: place + 1]).settled()
    searched, best_ones = asked.settled()
    assert searched[-2].phase == searched[-1].phase == "proof"
    assert best_ones == front(searched, "p99_ms")


def test_trials_are_sorted_best_first_and_unknown_last():
    """Whatever the column, what is not known stands at the end, in both orders."""
    view = trials((100.0, 10.0), (None, None), (200.0, 30.0))
    assert [t.number for t in ordered(view.trials, "throughput", "p99_ms")] == [2, 0, 1]
    backwards = ordered(view.trials, "throughput", "p99_ms", reverse=True)
    assert [t.number for t in backwards] == [0, 2, 1]
    assert [t.number for t in ordered(view.trials, "order", "p99_ms")] == [2, 1, 0]


def test_a_filter_needs_all_its_words():
    """Words are looked for in configuration, round and outcome, whatever their case."""
    view = view_of(stamped_lines())
    found = selected(view.trials, "COMPACT 2 workers")
    assert found
    assert all("2 workers" in str(t.config) and t.config.affinity == "compact" for t in found)


@pytest.mark.parametrize(
    ("throughput", "latency", "standing"), [(10.0, 20.0, "good"), (10.0, 60.0, "over")]
)
def test_a_trial_stands_as_its_constraints_say(throughput, latency, standing):
    """A trial within the budget is good, one beyond it over."""
    view = trials((throughput, latency))
    started = Started(
        model="m", objective="maximize throughput_ips with p99_ms <= 50", fingerprint="f"
    )
    view.take(2, 0.0, started)
    assert view.standing(view.trials[0]) == standing


def test_a_failed_trial_is_no_measurement():
    """A trial that failed has its reason and no figures."""
    view = JobView(job="j")
    done = TrialDone(phase="search", number=0, config=Config(), outcome=Failed("oom", "killed"))
    view.take(0, 0.0, done)
    assert view.standing(view.trials[0]) == "failed"
    assert view.trials[0].measurement is None


def test_an_event_that_never_comes_is_passed_over():
    """A gap holds nothing up for long: what follows is shown, and what is missing is counted."""
    view = JobView(job="j")
    measured = Measurement(throughput_ips=1.0)
    for n in range(1, 100):
        view.take(n, float(n), TrialDone(phase="search", config=Config(), outcome=measured))
    assert (len(view.trials), view.passed_over) == (99, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("maximize throughput_ips with p99_ms <= 50", "max throughput, p99 ≤ 50 ms"),
        ("minimize p50_ms with throughput_ips >= 100", "min p50, throughput ≥ 100/s"),
        ("maximize throughput_ips", "max throughput"),
        ("please everybody", ""),
        (None, ""),
    ],
)
def test_an_objective_is_read_from_its_words(text, words):
    """The objective comes as text; what cannot be read is left out."""
    assert goal.words(goal.read(text), BRAILLE) == words


def test_a_lost_daemon_is_told_from_the_first_moment():
    """The time counts from when it was lost; an answer ends it."""
    session = Session()
    for t in (10.0, 12.0):
        take(session, Lost(t=t))
    assert session.lost_since == 10.0
    take(session, Standing(status={}, jobs=[]))
    assert session.lost_since is None


def test_silent_sensors_are_stale_after_a_while():
    """Readings that do not come any more never look live."""
    session = Session(now=100.0)
    take(session, Readings(message={"t": 99.0, "readings": []}))
    assert session.stale_s is None
    session.now = 120.0
    assert session.stale_s == 21.0


def test_readings_that_make_no_sense_are_left_out():
    """A message of a newer daemon costs what cannot be read, not the rest."""
    session = Session()
    odd = [7, {"name": 3}, {"name": "a.b_w", "value": "much"}, {"name": "c.d_w", "value": 2}]
    take(session, Readings(message={"t": 1.0, "readings": odd}))
    take(session, Readings(message={"readings": odd}))
    assert (session.sensors.value("c.d_w"), session.sensors.value("a.b_w")) == (2.0, None)


def test_another_job_begins_with_nothing():
    """The trials of one job are never shown as those of another."""
    session = Session()
    for news in recorded_news():
        take(session, news)
    take(session, Happened(job="other", n=0, t=0.0, event=None))
    assert (session.job.job, session.job.trials) == ("other", [])
