"""Keeps models tuned: checks their profiles, tunes again what is stale, only when it may."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from autotuner import durable
from autotuner.active import ActiveProfile
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import AutotunerError, InputError, StateError
from autotuner.core.request import TuneRequest, VerifyRequest
from autotuner.daemon.jobs import Job
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.record import Submitted
from autotuner.settings import KeptModel, Settings

PRIORITY = -10
"""Unattended work comes after what people ask for."""

_DAY_S = 86_400.0

State = Literal["missing", "unchecked", "kept", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a kept model stands: its *profile*, when it was last *checked*, and what was found.

    *job* is the one that works on it; *message* says the last finding in a sentence.
    """

    model: str
    state: State = "missing"
    profile: str | None = None
    checked: float | None = None
    job: str | None = None
    message: str = ""


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Looks after the models of *settings* whenever :meth:`look` is called.

    *may_work* says what speaks against unattended work now. Its own jobs are paused while it must
    not work. What was found out is kept in *path*.
    """

    settings: Settings
    queue: JobQueue
    active: ActiveProfile
    path: Path
    may_work: Callable[[], tuple[str, ...]]
    clock: Callable[[], float] = time.time
    standings: dict[str, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            found = json.loads(self.path.read_bytes())
            known = {s["model"]: decode(Standing, s) for s in found["models"]}
        except FileNotFoundError:
            known = {}
        except (ValueError, KeyError, TypeError, InputError):
            self.path.replace(self.path.with_suffix(".damaged"))
            self.queue.notes.append(f"{self.path} was damaged and moved aside.")
            known = {}
        for model in self.settings.models:
            self.standings[model.model] = known.get(model.model, Standing(model=model.model))

    def look(self) -> None:
        """Take up what jobs found, and start, pause or resume what is due."""
        before = dict(self.standings)
        reasons = self.may_work()
        for model in self.settings.models:
            standing = self._taken_up(model, self.standings[model.model])
            if standing.job is not None:
                self._pause_or_resume(self.queue[standing.job], waits=bool(reasons))
            elif not reasons and (request := self._due(model, standing)):
                standing = replace(standing, job=self._submit(request))
            self.standings[model.model] = standing
        if self.standings != before:
            document = {"models": [encode(standing) for standing in self.standings.values()]}
            durable.write(self.path, json.dumps(document, indent=1).encode())

    def summary(self) -> list[dict[str, Any]]:
        """Return how every kept model stands, as plain data."""
        return [encode(standing) for standing in self.standings.values()]

    def _due(self, model: KeptModel, standing: Standing) -> TuneRequest | VerifyRequest | None:
        """Return the job that *standing* asks for, if any."""
        if standing.state == "stale":
            return model.request(self.settings.storage)
        # A clock that was set back must not keep a profile from ever being checked again.
        age_s = self.clock() - (standing.checked or 0.0)
        fresh = 0.0 <= age_s < self.settings.tuning.recheck_days * _DAY_S
        if standing.profile is not None and Path(standing.profile).is_file():
            return None if fresh else VerifyRequest(profile=standing.profile)
        failed_lately = standing.profile is None and standing.checked is not None and fresh
        return None if failed_lately else model.request(self.settings.storage)

    def _submit(self, request: TuneRequest | VerifyRequest) -> str:
        kind = "tune" if isinstance(request, TuneRequest) else "verify"
        submitted = Submitted(
            kind=kind, request=encode(request), priority=PRIORITY, submitted=self.clock()
        )
        return self.queue.submit(submitted)[0].id

    def _pause_or_resume(self, job: Job, *, waits: bool) -> None:
        if waits and job.state in {"running", "queued"}:
            job.pause()
        elif not waits and job.state == "paused":
            job.resume()

    def _taken_up(self, model: KeptModel, standing: Standing) -> Standing:
        """Return *standing* with what its job has found, if that has ended."""
        if standing.job is None:
            return standing
        try:
            job = self.queue[standing.job]
        except InputError:
            return replace(standing, job=None)
        if job.state != "ended":
            return standing
        ending = (job.record.events() or [{"event": "job_failed"}])[-1]
        return self._judged(model, replace(standing, job=None, checked=self.clock()), ending)

    def _judged(self, model: KeptModel, standing: Standing, ending: Mapping[str, Any]) -> Standing:
        said = str(ending.get("message", ""))
        if ending["event"] == "verify_done":
            kept = ending["status"] == "kept"
            return replace(standing, state="kept" if kept else "stale", message=said)
        if ending["event"] == "tune_done" and ending.get("profile"):
            profile = str(ending["profile"])
            if model.apply and ending["status"] == "ok":
                said = self._apply(profile) or said
            return replace(standing, state="kept", profile=profile, message=said)
        # It failed; it is tried again when the next check is due.
        state: State = "unchecked" if standing.profile else "missing"
        return replace(standing, state=state, message=said)

    def _apply(self, profile: str) -> str | None:
        """Put *profile* in force; return why that did not work."""
        try:
            self.active.apply(profile, by="autotuned")
        except (AutotunerError, StateError) as error:
            return str(error)
        return None
