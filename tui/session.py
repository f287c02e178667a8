"""Everything the pages show, in one place: the job, the machine, the profiles, the connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autotuner.core.actions import Situation
from autotuner.core.events import TuneDone
from tui.glyphs import BRAILLE, Glyphs
from tui.ranking import Ranking
from tui.sensors import Sensors
from tui.state import JobView
from tui.trials import Trial, Trials

_STALE_AFTER_S = 5.0

JobState = Literal["none", "queued", "running", "paused", "ended"]


@dataclass(slots=True, kw_only=True)
class Session:
    """What is known at the time *now*, in seconds since 1970, and what the user has chosen."""

    box: str = ""
    now: float = 0.0
    glyphs: Glyphs = BRAILLE
    read_only: bool = False
    job: JobView | None = None
    jobs: list[Mapping[str, Any]] = field(default_factory=list)
    sensors: Sensors = field(default_factory=Sensors)
    status: Mapping[str, Any] | None = None
    profiles: list[Mapping[str, Any]] = field(default_factory=list)
    shown: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    checks: list[Mapping[str, Any]] = field(default_factory=list)
    lost_since: float | None = None
    frozen_at: float | None = None
    profile: int = 0
    marked: str | None = None
    trial: int | None = None
    sort: str = "order"
    reverse: bool = False
    words: str = ""
    _rows: Ranking = field(default_factory=lambda: Ranking(Trials()))
    _rows_as: tuple[object, ...] = ()

    @property
    def job_state(self) -> JobState:
        """How the watched job stands, from its own events first."""
        if self.job is None:
            return "none"
        if self.job.ending is not None:
            return "ended"
        for summary in self.jobs:
            if summary.get("job") == self.job.job:
                state: JobState = summary.get("state", "running")
                return state
        return "running"

    @property
    def job_model(self) -> str:
        """The model of the watched job as the daemon's list names it."""
        for summary in self.jobs:
            if self.job is not None and summary.get("job") == self.job.job:
                return str(summary.get("model", ""))
        return ""

    @property
    def job_now(self) -> float:
        """The time up to which the job's clock has run: it stands still once the job has ended."""
        if self.job is not None and self.job.ending is not None:
            return self.job.last_t or self.now
        if self.frozen_at is not None:
            return self.frozen_at
        return self.now

    @property
    def stale_s(self) -> float | None:
        """For how long nothing was heard of the sensors, None while they are fresh or unknown."""
        if self.sensors.t is None or self.now - self.sensors.t < _STALE_AFTER_S:
            return None
        return self.now - self.sensors.t

    @property
    def chosen_profile(self) -> Mapping[str, Any] | None:
        """The summary of the profile under the cursor."""
        if not self.profiles:
            return None
        return self.profiles[max(0, min(len(self.profiles) - 1, self.profile))]

    @property
    def marked_profile(self) -> Mapping[str, Any] | None:
        """The summary of the profile that was marked, to see others beside it."""
        return next((p for p in self.profiles if p.get("name") == self.marked), None)

    @property
    def applied(self) -> Mapping[str, Any] | None:
        """What the daemon says is applied."""
        found = (self.status or {}).get("applied")
        return found if isinstance(found, Mapping) else None

    def rows(self) -> Ranking:
        """Return the trials of the table, filtered and sorted as chosen."""
        job = self.job.job if self.job is not None else None
        wanted = (job, self.sort, self.reverse, self.words)
        if wanted != self._rows_as:
            trials = self.job.trials if self.job is not None else Trials()
            self._rows = Ranking(trials, self.sort, self.words, reverse=self.reverse)
            self._rows_as = wanted
        self._rows.catch_up()
        return self._rows

    def cursor(self) -> int:
        """Return the number of the chosen row, -1 while none is."""
        return self.rows().row_of(self.trial)

    def chosen_trial(self) -> Trial | None:
        """Return the trial under the cursor; without one the best, else the newest."""
        if self.job is None or not self.job.trials:
            return None
        return self.job.trial(self.trial) or self.job.winning_trial() or self.job.trials[-1]

    def profile_in_question(self, page: str) -> str | None:
        """Return the name of the profile that apply would take on *page*."""
        if page == "profiles":
            chosen = self.chosen_profile
            return str(chosen["name"]) if chosen and not chosen.get("damaged") else None
        ending = self.job.ending if self.job else None
        if isinstance(ending, TuneDone) and ending.profile:
            return ending.profile.rsplit("/", 1)[-1].removesuffix(".yaml")
        return None

    def _simulated(self, page: str) -> str | None:
        """Return the device of the profile in question on *page* when it was not there."""
        if page == "profiles":
            found = (self.chosen_profile or {}).get("simulated")
            return None if found is None else str(found)
        ending = self.job.ending if self.job else None
        return ending.simulated if isinstance(ending, TuneDone) else None

    def situation(self, page: str) -> Situation:
        """Return what decides on *page* whether an action makes sense."""
        may = (self.status or {}).get("may")
        levels = frozenset(map(str, may)) if isinstance(may, list) else None
        applied = self.applied
        return Situation(
            read_only=self.read_only,
            connected=self.lost_since is None,
            job=self.job_state,
            trials=len(self.job.trials) if self.job else 0,
            profile=self.profile_in_question(page),
            profiles=sum(not profile.get("damaged") for profile in self.profiles),
            simulated=self._simulated(page),
            applied=str(applied.get("profile")) if applied else None,
            **({} if levels is None else {"may": levels}),
        )
