"""The daemon's news, gathered by threads of its own; a lost connection comes back by itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autotuner.client import Client, DaemonGone, connected
from autotuner.core.errors import AutotunerError, InputError
from autotuner.core.events import Ending
from tui import export
from tui.news import (
    Answer,
    Checked,
    Deliver,
    Happened,
    Lost,
    News,
    Profiles,
    Readings,
    Shown,
    Standing,
    Told,
    Watching,
    recalled,
)

_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 10.0
_MOST_UNREADABLE = 100
_LOOKED_UP = frozenset({"profiles", "doctor", "show", "outcome", "export"})
"""What may be asked again unasked, as it changes nothing on the box."""


class DaemonFeed:
    """News of the daemon that keeps its state in *state*, or of that on *host* through ssh.

    It follows *job*, or else whatever runs, and the newest when nothing does.
    """

    def __init__(
        self,
        state: Path,
        *,
        job: str | None = None,
        host: str | None = None,
        interval_s: float = 1.0,
        standing_s: float = 2.0,
    ) -> None:
        self._state = state
        self._pinned = job
        self._host = host
        self._interval_s = interval_s
        self._standing_s = standing_s
        self._wishes: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._job_chosen = threading.Event()
        self._job: str | None = None
        self._next: dict[str, int] = {}
        self._unreadable = 0
        self._deliver: Deliver = _nowhere

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver news."""
        self._deliver = deliver
        for work in (self._attend, self._follow, self._listen):
            # They wait in the kernel for the daemon; the end of the program ends them.
            threading.Thread(target=self._for_ever, args=(work,), daemon=True).start()

    def ask(self, wish: str, subject: str) -> None:
        """Ask the daemon for something; the answer comes as news."""
        self._wishes.put((wish, subject))

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()
        self._deliver = _nowhere

    def _for_ever(self, work: Callable[[Client], None]) -> None:
        """Do *work* with a connection, and again with the next one when that is lost."""
        wait_s = _FIRST_RETRY_S
        while not self._stopped.is_set():
            try:
                with connected(self._state, self._host) as client:
                    wait_s = _FIRST_RETRY_S
                    work(client)
            except (AutotunerError, OSError) as error:
                self._send(Lost(t=time.time()))
                if not isinstance(error, DaemonGone):
                    self._send(Answer(text=str(error), done=False))
            self._stopped.wait(wait_s)
            wait_s = min(_LONGEST_RETRY_S, wait_s * 2)

    def _attend(self, client: Client) -> None:
        """Tell how the daemon stands, and carry out wishes as they come."""
        self._send(Profiles(profiles=client.profiles()))
        while not self._stopped.is_set():
            self._tell_standing(client)
            try:
                wish, subject = self._wishes.get(timeout=self._standing_s)
            except queue.Empty:
                continue
            self._carry_out(client, wish, subject)

    def _tell_standing(self, client: Client) -> None:
        status, jobs = client.status(), client.jobs()
        self._send(Standing(status=status, jobs=jobs))
        self._choose(status, jobs)

    def _choose(self, status: Mapping[str, Any], jobs: list[dict[str, Any]]) -> None:
        """Follow the pinned job, else the running one, else the newest."""
        if self._pinned is not None and self._pinned not in {job["job"] for job in jobs}:
            text = f"There is no job {self._pinned} any more; this shows what runs instead."
            self._send(Answer(text=text, done=False))
            self._pinned = None
        newest = jobs[-1]["job"] if jobs else None
        wanted = self._pinned or status.get("running") or self._job or newest
        if wanted is not None and wanted != self._job:
            self._job = wanted
            self._send(Watching(job=wanted))
            self._job_chosen.set()

    def _carry_out(self, client: Client, wish: str, subject: str) -> None:
        try:
            text = self._asked(client, wish, subject)
        except InputError as error:
            self._send(Answer(text=str(error), done=False))
        except DaemonGone:
            if wish in _LOOKED_UP:
                self._wishes.put((wish, subject))  # for the next connection
            raise
        else:
            if text:
                self._send(Answer(text=text, done=True))

    def _asked(self, client: Client, wish: str, subject: str) -> str:
        """Ask for *wish* and return what to tell the user, nothing where the news says it."""
        if wish == "profiles":
            self._send(Profiles(profiles=client.profiles()))
            return ""
        if wish == "doctor":
            self._send(Checked(checks=client.doctor()))
            return ""
        if wish == "show":
            self._send(Shown(name=subject, document=client.show(subject)))
            return ""
        if wish == "outcome":
            job, key = self._job or "", int(subject)
            found = recalled(job, key, self._told_so_far(job, key))
            gone = Answer(text="What came of this trial cannot be read any more.", done=False)
            self._send(*(found or [gone]))
            return ""
        if wish == "export":
            self._send(export.write(self._told_so_far(self._job or "", 0), Path(subject)))
            return ""
        if wish == "apply":
            verified = client.apply(subject).get("verified")
            return f"Applied {subject}{'' if verified else '; it could not be verified'}."
        if wish == "restore":
            client.restore()
            return "What was there before is back."
        if wish == "cancel":
            client.call_off(subject)
            return "Asked the job to end with what it has."
        if wish == "pause":
            client.pause(subject)
            return "The job pauses after the trial in hand; p lets it go on."
        client.resume(subject)
        return "The job goes on."

    def _told_so_far(self, job: str, first: int) -> Iterator[Told]:
        """Yield the events of *job* from number *first* to the newest that was told here already.

        They come over connections of their own, as those that are open have their subscriptions.
        """
        end = self._next.get(job, 0)
        while first < end:
            with connected(self._state, self._host) as client:
                if job not in {known["job"] for known in client.jobs()}:
                    raise InputError(f"The daemon does not know the job {job} any more.")
                try:
                    for stamped in client.stamped_events(job, first):
                        if stamped is not None:
                            yield stamped
                            first = stamped[0] + 1
                        if first >= end:
                            return
                except DaemonGone:
                    raise
                except AutotunerError:  # it is of a newer version
                    yield first, time.time(), None
                    first += 1

    def _follow(self, client: Client) -> None:
        """Tell the events of the chosen job, from where it was left."""
        while not self._stopped.is_set():
            self._job_chosen.wait()
            self._job_chosen.clear()
            while (job := self._job) is not None and self._followed(client, job):
                pass

    def _followed(self, client: Client, job: str) -> bool:
        """Follow *job* until its ending; return whether to go on after what could not be read."""
        try:
            for stamped in client.stamped_events(job, self._next.get(job, 0)):
                if self._stopped.is_set() or self._job != job:
                    return self._job != job
                if stamped is not None:
                    n, t, event = stamped
                    self._next[job] = n + 1
                    self._send(Happened(job=job, n=n, t=t, event=event))
                    if isinstance(event, Ending):
                        self._wishes.put(("profiles", ""))
        except DaemonGone:
            self._job_chosen.set()  # the next connection goes on with it
            raise
        except AutotunerError:
            # Events have no gaps, so the one that this version cannot read is the next.
            self._unreadable += 1
            if self._unreadable > _MOST_UNREADABLE:
                raise
            n = self._next.get(job, 0)
            self._next[job] = n + 1
            self._send(Happened(job=job, n=n, t=time.time(), event=None))
            return True
        return False

    def _listen(self, client: Client) -> None:
        """Tell what the sensors say."""
        for message in client.telemetry(self._interval_s):
            if self._stopped.is_set():
                return
            self._send(Readings(message=message))

    def _send(self, *news: News) -> None:
        self._deliver(*news)


def _nowhere(*_: News) -> None:
    pass
