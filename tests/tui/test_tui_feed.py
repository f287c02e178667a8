"""The feed: what it asks of the daemon, and what it makes of the answers."""

import contextlib
import queue
import threading

import pytest

import tui.feed
from autotuner.client import DaemonGone
from autotuner.core.config import Config
from autotuner.core.errors import InputError, ProtocolError
from autotuner.core.events import JobFailed, Note, TrialDone, TrialStarted
from autotuner.core.outcome import Failed
from tui.feed import DaemonFeed
from tui.news import Answer, Happened, Lost, Profiles, Recalled, Shown, Standing, Watching

PATIENCE_S = 20.0
BEGUN = TrialStarted(phase="search", number=0, config=Config())
DONE = TrialDone(phase="search", number=0, config=Config(), outcome=Failed("oom", "killed"))


class _Daemon:
    """A daemon of its own words; *events* are those of its one job, an error where one breaks."""

    def __init__(self, *events, jobs=("j",), running="j"):
        self.events = list(events)
        self.ids = list(jobs)
        self.running = running
        self.asked = []
        self.lives = 0
        self.refuses = False
        self.dies = 0
        self.quiet = threading.Event()

    def status(self):
        return {"running": self.running}

    def jobs(self):
        return [{"job": job, "state": "running", "model": "m"} for job in self.ids]

    def profiles(self):
        return []

    def pause(self, job):
        if self.refuses:
            raise InputError("You may not.")
        self.asked.append(("pause", job))

    def show(self, name):
        if self.dies:
            self.dies -= 1
            raise DaemonGone
        return {"path": name}

    def stamped_events(self, job, first=0):
        assert job in self.ids
        while first < len(self.events):
            event = self.events[first]
            if isinstance(event, Exception):
                if isinstance(event, DaemonGone):
                    self.events[first] = Note(text="back again")
                raise event
            yield first, float(first), event
            first += 1

    def telemetry(self, _interval_s):
        self.quiet.wait()
        yield from ()


@pytest.fixture
def follow(monkeypatch):
    """Start a feed of a daemon; return it and the function that waits for a kind of news."""
    feeds = []

    def start(daemon, **settings):
        @contextlib.contextmanager
        def connected(_state, _host):
            daemon.lives += 1
            yield daemon

        monkeypatch.setattr(tui.feed, "connected", connected)
        monkeypatch.setattr(tui.feed, "_FIRST_RETRY_S", 0.01)
        news = queue.SimpleQueue()
        feed = DaemonFeed("/state", standing_s=0.02, **settings)
        feeds.append((feed, daemon))
        feed.start(lambda *came: [news.put(one) for one in came])

        def wait_for(kind):
            while True:
                found = news.get(timeout=PATIENCE_S)
                if isinstance(found, kind):
                    return found

        return feed, wait_for

    yield start
    for feed, daemon in feeds:
        feed.stop()
        daemon.quiet.set()


def test_it_tells_how_things_stand_and_follows_what_runs(follow):
    """From the first moment come profiles, jobs and the events of the running job."""
    _, wait_for = follow(_Daemon(Note(text="a"), JobFailed(message="b"), jobs=("i", "j")))
    assert isinstance(wait_for(Profiles), Profiles)
    assert wait_for(Standing).status == {"running": "j"}
    assert wait_for(Watching).job == "j"
    assert [wait_for(Happened).n for _ in range(2)] == [0, 1]


def test_a_named_job_is_followed(follow):
    """Whoever asks for a job gets that one, whatever runs."""
    _, wait_for = follow(_Daemon(jobs=("i", "j")), job="i")
    assert wait_for(Watching).job == "i"


def test_a_job_that_is_not_there_is_said(follow):
    """An unknown job is told, and what runs is shown instead."""
    _, wait_for = follow(_Daemon(), job="x")
    assert "no job x" in wait_for(Answer).text
    assert wait_for(Watching).job == "j"


def test_what_cannot_be_read_is_passed_over(follow):
    """An event of a newer version is told as such, and those behind it come."""
    daemon = _Daemon(Note(text="a"), ProtocolError("newer"), JobFailed(message="b"))
    _, wait_for = follow(daemon)
    assert [wait_for(Happened).event for _ in range(3)] == [
        Note(text="a"),
        None,
        JobFailed(message="b"),
    ]


def test_a_daemon_that_went_away_is_found_again(follow):
    """No event is lost by it and none comes twice."""
    daemon = _Daemon(Note(text="a"), DaemonGone(), JobFailed(message="b"))
    _, wait_for = follow(daemon)
    assert wait_for(Happened).n == 0
    wait_for(Lost)
    assert [wait_for(Happened).n for _ in range(2)] == [1, 2]


def test_a_wish_is_carried_out_and_told(follow):
    """What the user asks for goes to the daemon, and the answer comes as news."""
    daemon = _Daemon()
    feed, wait_for = follow(daemon)
    feed.ask("pause", "j")
    assert wait_for(Answer).done
    assert daemon.asked == [("pause", "j")]


def test_what_is_only_looked_up_is_asked_again(follow):
    """A daemon that dies over a question is asked once more when it is back."""
    daemon = _Daemon()
    daemon.dies = 1
    feed, wait_for = follow(daemon)
    feed.ask("show", "p")
    wait_for(Lost)
    assert wait_for(Shown).name == "p"


def test_a_refusal_is_told_in_the_daemons_words(follow):
    """What the daemon refuses is said, and the feed goes on."""
    daemon = _Daemon()
    daemon.refuses = True
    feed, wait_for = follow(daemon)
    feed.ask("pause", "j")
    assert wait_for(Answer) == Answer(text="You may not.", done=False)
    assert isinstance(wait_for(Standing), Standing)


def test_what_came_of_a_trial_is_asked_for_again(follow):
    """The daemon has every event, so that nothing has to be kept here."""
    feed, wait_for = follow(_Daemon(Note(text="a"), BEGUN, Note(text="b"), DONE, Note(text="c")))
    while wait_for(Happened).n < 4:
        pass
    feed.ask("outcome", "1")
    assert wait_for(Recalled) == Recalled(job="j", key=1, outcome=DONE.outcome)


def test_trials_are_exported_from_the_record(follow, tmp_path):
    """All that was told is written, whatever cannot be read among it, and nothing is waited for."""
    feed, wait_for = follow(_Daemon(Note(text="a"), BEGUN, ProtocolError("newer"), DONE))
    while wait_for(Happened).n < 3:
        pass
    feed.ask("export", str(tmp_path))
    assert wait_for(Answer).done
    assert (tmp_path / "trials.csv").read_text().count("oom") == 1


def test_a_job_that_the_daemon_forgot_is_said(follow, tmp_path):
    """What cannot be looked up any more is answered in one sentence."""
    daemon = _Daemon(BEGUN, DONE)
    feed, wait_for = follow(daemon)
    while wait_for(Happened).n < 1:
        pass
    daemon.ids = []
    feed.ask("export", str(tmp_path))
    assert "does not know the job j" in wait_for(Answer).text
