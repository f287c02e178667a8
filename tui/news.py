"""What comes in from the daemon, as values, and what each changes in the session. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from autotuner.core.events import Event, TrialDone
from autotuner.core.outcome import Outcome
from tui.session import Session
from tui.state import JobView


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the daemon and its jobs stand."""

    status: Mapping[str, Any]
    jobs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The daemon does not answer since the time *t*."""

    t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The events that follow are those of *job*."""

    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Event number *n* of *job*; None is one that this version cannot read."""

    job: str
    n: int
    t: float
    event: Event | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """All that came of the trial *key* of *job*, which was asked for again."""

    job: str
    key: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One message of the machine's sensors."""

    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The profiles kept on the box, the newest first."""

    profiles: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The profile *name* whole."""

    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the check-up of the machine found: name, area, status, detail, fix."""

    checks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of something the user asked for."""

    text: str
    done: bool


News = (
    Standing
    | Lost
    | Watching
    | Happened
    | Recalled
    | Readings
    | Profiles
    | Shown
    | Checked
    | Answer
)

Told = tuple[int, float, Event | None]
"""Number and time of an event, and the event; None is one that this version cannot read."""


class Feed(Protocol):
    """Where news comes from and wishes go to; the terminal's own thread never waits for it."""

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver news, from any thread."""

    def ask(self, wish: str, subject: str) -> None:
        """Ask for a *wish* and return at once; what comes of it is delivered.

        It is ``pause resume cancel`` of a job, ``apply show`` of a profile, ``outcome`` of the
        trial with this key, ``export`` to a folder, or one of ``restore profiles doctor``.
        """

    def stop(self) -> None:
        """Deliver nothing more."""


class Deliver(Protocol):
    """Takes news from any thread."""

    def __call__(self, *news: News) -> None:
        """Take *news*, in this order."""


def take(session: Session, news: News) -> str:
    """Change *session* as *news* says and return which part of it changed."""
    if isinstance(news, Happened):
        if session.job is None or session.job.job != news.job:
            session.job, session.trial = JobView(job=news.job), None
        session.job.take(news.n, news.t, news.event)
        return "job"
    if isinstance(news, Recalled):
        if session.job is not None and session.job.job == news.job:
            session.job.trials.keep(news.key, news.outcome)
        return "job"
    if isinstance(news, Readings):
        session.sensors.take(news.message)
        return "machine"
    if isinstance(news, Standing):
        session.status, session.jobs = news.status, list(news.jobs)
        session.lost_since = None
        return "status"
    if isinstance(news, Lost):
        session.lost_since = news.t if session.lost_since is None else session.lost_since
        return "status"
    if isinstance(news, Watching):
        if session.job is None or session.job.job != news.job:
            session.job, session.trial = JobView(job=news.job), None
        return "job"
    if isinstance(news, Profiles):
        session.profiles = list(news.profiles)
        return "profiles"
    if isinstance(news, Shown):
        session.shown[news.name] = news.document
        return "profiles"
    if isinstance(news, Checked):
        session.checks = list(news.checks)
        return "status"
    return "answer"


def recalled(job: str, key: int, events: Iterable[Told]) -> list[News]:
    """Return what came of the trial *key*, with whose events *events* begin, if it has ended."""
    done = (event for _, _, event in events if isinstance(event, TrialDone))
    return [Recalled(job=job, key=key, outcome=event.outcome) for event in islice(done, 1)]
