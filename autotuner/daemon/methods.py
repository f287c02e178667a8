"""What clients may ask of the daemon: methods by name, their parameters, who may call them."""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import autotuner
from autotuner import wire
from autotuner.active import ActiveProfile, Standing
from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError, InputError, ProtocolError
from autotuner.core.request import KINDS
from autotuner.daemon.access import GROUP, LEVELS, Level
from autotuner.daemon.jobs import Job
from autotuner.daemon.queue import JobQueue
from autotuner.daemon.record import Submitted
from autotuner.daemon.shelf import Shelf
from autotuner.model import reference

_PRIORITIES = range(-100, 101)

_DEEDS: Mapping[Level, str] = {
    "watch": "watch",
    "submit": "submit or change jobs",
    "apply": "apply profiles",
}
_LEVELS: Mapping[str, Level] = {
    "hello": "watch",
    "status": "watch",
    "models": "watch",
    "doctor": "watch",
    "jobs": "watch",
    "profiles": "watch",
    "show": "watch",
    "submit": "submit",
    "cancel": "submit",
    "pause": "submit",
    "resume": "submit",
    "apply": "apply",
    "restore": "apply",
}


class ForbiddenError(AutotunerError):
    """Whoever asks may not do that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what they may do."""

    name: str
    may: frozenset[Level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """What the methods work on; *kept* tells how the models stand that are kept tuned."""

    queue: JobQueue
    shelf: Shelf
    active: ActiveProfile
    state: Path
    system: bool
    kept: Callable[[], list[dict[str, Any]]] = list


class Methods:
    """Answers the requests of *caller*."""

    def __init__(self, daemon: Daemon, caller: Caller) -> None:
        self._daemon = daemon
        self._queue = daemon.queue
        self._shelf = daemon.shelf
        self._caller = caller

    def find(self, name: str) -> Callable[..., Any] | None:
        """Return what carries out the method *name*, None for an unknown one.

        Raises ForbiddenError when the caller may not use it.
        """
        level = _LEVELS.get(name)
        if level is None:
            return None
        self.require(level)
        method: Callable[..., Any] = getattr(self, name)
        return method

    def require(self, level: Level) -> None:
        """Raise ForbiddenError unless the caller has *level*."""
        if level not in self._caller.may:
            raise ForbiddenError(
                f"The user {self._caller.name} may not {_DEEDS[level]} here; ask for membership in "
                f"the group {GROUP}, or see `access` in the daemon's configuration."
            )

    def hello(self, protocol: int) -> dict[str, Any]:
        """Make sure that both sides speak the same protocol; raises ProtocolError."""
        if protocol != wire.PROTOCOL:
            raise ProtocolError(
                f"The daemon (process {os.getpid()}) speaks protocol {wire.PROTOCOL}, the client "
                f"{protocol}; let it finish or end it, then run the command again."
            )
        return {"protocol": wire.PROTOCOL, "version": autotuner.__version__, "pid": os.getpid()}

    async def status(self) -> dict[str, Any]:
        """Return how the daemon and the box stand."""
        standing = await asyncio.to_thread(self._daemon.active.standing)
        running = self._queue.running
        return {
            "version": autotuner.__version__,
            "protocol": wire.PROTOCOL,
            "pid": os.getpid(),
            "state": str(self._daemon.state),
            "system": self._daemon.system,
            "user": self._caller.name,
            "may": [level for level in LEVELS if level in self._caller.may],
            "running": running.id if running else None,
            "queued": sum(job.state == "queued" for job in self._queue),
            "notes": list(self._queue.notes),
            "kept": self._daemon.kept(),
            "applied": _standing(standing),
        }

    def models(self) -> dict[str, Any]:
        """Return the reference models."""
        return {"default": reference.DEFAULT, "models": dict(reference.DESCRIPTIONS)}

    async def doctor(self) -> dict[str, Any]:
        """Return what this machine offers, what is missing and what would mend it."""
        from autotuner import doctor  # noqa: PLC0415 - an idle daemon does without it

        return {"checks": await asyncio.to_thread(doctor.ask)}

    def jobs(self) -> dict[str, Any]:
        """Return the jobs, the newest last."""
        return {"jobs": [_summary(job) for job in self._queue]}

    def submit(self, kind: str, request: Mapping[str, Any], priority: int = 0) -> dict[str, Any]:
        """Queue a request; it is on disk when this returns."""
        if kind not in KINDS:
            raise InputError(f"There is no kind of job {kind!r}; there are {', '.join(KINDS)}.")
        decode(KINDS[kind], request)
        if priority not in _PRIORITIES:
            raise InputError("The priority must lie between -100 and 100, higher first.")
        submitted = Submitted(
            kind=kind, request=request, priority=priority, submitted=round(time.time(), 3)
        )
        job, new = self._queue.submit(submitted)
        return {"job": job.id, "new": new}

    def cancel(self, job: str) -> dict[str, Any]:
        """Ask a job to end with what it has."""
        self._queue[job].cancel()
        return {}

    def pause(self, job: str) -> dict[str, Any]:
        """Stop a job after the trial in hand."""
        self._queue[job].pause()
        return {}

    def resume(self, job: str) -> dict[str, Any]:
        """Put a paused job back into the queue."""
        self._queue[job].resume()
        return {}

    async def profiles(self) -> dict[str, Any]:
        """Return the profiles kept on this box, the newest first."""
        return {"profiles": await asyncio.to_thread(self._shelf.summaries)}

    async def apply(
        self, name: str | None = None, model: str | None = None, *, force: bool = False
    ) -> dict[str, Any] | None:
        """Put a profile in force and return how it stands."""
        standing = await asyncio.to_thread(
            self._daemon.active.apply, name, model=model, by=self._caller.name, force=force
        )
        return _standing(standing)

    async def restore(self) -> None:
        """Put back what was there before a profile was applied."""
        await asyncio.to_thread(self._daemon.active.restore)

    async def show(self, name: str) -> dict[str, Any]:
        """Return one profile whole."""
        return await asyncio.to_thread(self._shelf.show, name)


async def call(method: Callable[..., Any], params: Mapping[str, Any]) -> Any:
    """Return what *method* says to *params*.

    Raises InputError when they do not fit its signature: unknown, missing or of another type.
    """
    hints = get_type_hints(method)
    signature = inspect.signature(method).parameters
    for name in params:
        if name not in signature:
            raise InputError(f"There is no parameter {name!r}; remove it or check its name.")
    for name, parameter in signature.items():
        if name not in params and parameter.default is parameter.empty:
            raise InputError(f"The parameter {name!r} is missing; add it.")
    values = {name: decode(hints[name], value, where=name) for name, value in params.items()}
    answer = method(**values)
    return await answer if isinstance(answer, Awaitable) else answer


def _standing(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    applied = standing.applied
    return {
        "profile": applied.profile,
        "path": applied.path,
        "model": applied.model,
        "power_mode": applied.power_mode,
        "by": applied.by,
        "since": applied.since,
        "verified": standing.verified,
        "differences": list(standing.differences),
    }


def _summary(job: Job) -> dict[str, Any]:
    submitted = job.record.submitted
    workload = submitted.request.get("workload", {})
    model = workload.get("model") or submitted.request.get("profile") or reference.DEFAULT
    return {
        "job": job.id,
        "kind": submitted.kind,
        "state": job.state,
        "model": Path(model).name,
        "submitted": submitted.submitted,
        "priority": submitted.priority,
    }
