"""What is known of a job: without Textual."""

import random

import pytest
from conftest import MIDWAY, recorded_news, stamped_lines
from made_up_jobs import add_trial, view_of

from autotuner.core.config import Config
from autotuner.core.events import Candidate, Note, Started, TrialDone
from autotuner.core.outcome import Failed, Measurement
from tui import goal
from tui.glyphs import BRAILLE
from tui.news import Happened, Lost, Readings, Recalled, Standing, recalled, take
from tui.session import Session
from tui.state import LOGGED, JobView


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
    assert list(view.trials) == list(expected.trials)
    assert (view.winner, view.baseline, view.ending) == (
        expected.winner,
        expected.baseline,
        expected.ending,
    )


def test_events_that_come_twice_count_once():
    """A feed that begins again from the first event changes nothing."""
    lines = stamped_lines()
    once, twice = view_of(lines), view_of([*lines, *lines])
    assert (list(once.trials), once.logged) == (list(twice.trials), twice.logged)


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


@pytest.mark.parametrize(
    ("throughput", "latency", "standing"), [(10.0, 20.0, "good"), (10.0, 60.0, "over")]
)
def test_a_trial_stands_as_its_constraints_say(throughput, latency, standing):
    """A trial within the budget is good, one beyond it over."""
    view = JobView(job="j")
    wanted = "maximize throughput_ips with p99_ms <= 50"
    view.take(0, 0.0, Started(model="m", objective=wanted, fingerprint="f"))
    add_trial(view, throughput, latency)
    assert view.standing(view.trials[0]) == standing


def test_a_failed_trial_is_no_measurement():
    """A trial that failed has its reason and no figures."""
    view = JobView(job="j")
    done = TrialDone(phase="search", number=0, config=Config(), outcome=Failed("oom", "killed"))
    view.take(0, 0.0, done)
    trial = view.trials[0]
    assert view.standing(trial) == "failed"
    assert (trial.throughput_ips, view.trials.outcome(trial.key)) == (None, done.outcome)


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
    assert (session.job.job, len(session.job.trials), len(session.rows())) == ("other", 0, 0)


def test_the_log_keeps_its_newest_entries():
    """A job that tells much does not fill the memory, and how much it told is known."""
    view = JobView(job="j")
    for n in range(LOGGED + 5):
        view.take(n, float(n), Note(text=f"note {n}"))
    assert (len(view.log), view.logged) == (LOGGED, LOGGED + 5)
    assert (view.log[0].event.text, view.log[-1].event.text) == ("note 5", f"note {LOGGED + 4}")


def test_the_trial_of_the_winner_is_known_without_looking_through_all():
    """It is the newest of the recommended configuration, also when the recommendation changes."""
    view = JobView(job="j")
    configs = [Config(workers=1), Config(workers=2), Config(workers=1), Config(workers=3)]
    bests = [configs[0], configs[1], configs[1], configs[0]]
    found = []
    for n, (config, best) in enumerate(zip(configs, bests, strict=True)):
        outcome = Measurement(throughput_ips=1.0 + n)
        candidate = Candidate(config=best, measurement=outcome)
        done = TrialDone(phase="search", number=n, config=config, outcome=outcome, best=candidate)
        view.take(n, float(n), done)
        found.append(view.winning_trial().number)
    assert found == [0, 1, 1, 2]


def test_what_came_of_a_trial_is_looked_up_in_its_events():
    """From a trial's first event on, the next result is its own; one that runs has none."""
    lines = stamped_lines()[:5]
    told = [(n.n, n.t, n.event) for n in recorded_news(4) if isinstance(n, Happened)]
    job, key = lines[0]["job"], view_of(lines).trials[-1].key
    (found,) = recalled(job, key, told[key:])
    assert found == Recalled(job=job, key=key, outcome=told[4][2].outcome)
    assert recalled(job, key, told[key:4]) == []


def test_what_was_fetched_again_is_kept_for_its_job_alone():
    """An outcome that comes late does not get into another job."""
    session = Session()
    for news in recorded_news():
        take(session, news)
    outcome = Failed("crashed")
    take(session, Recalled(job=session.job.job, key=900, outcome=outcome))
    take(session, Recalled(job="other", key=901, outcome=outcome))
    assert [session.job.trials.outcome(key) for key in (900, 901)] == [outcome, None]
