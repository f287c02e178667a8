"""What is on disk of a job: the request, its events in order, and what was wished of it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotuner import durable
from autotuner.core.encoding import decode, encode
from autotuner.core.errors import InputError, StateError
from autotuner.core.events import ENDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A request as it came; *submitted* is the time in seconds since 1970."""

    kind: str
    request: Mapping[str, Any]
    priority: int = 0
    submitted: float = 0.0

    def asks_the_same_as(self, other: Submitted) -> bool:
        """Say whether one job can serve both."""
        return (self.kind, self.request) == (other.kind, other.request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody asked of a job that is not carried out yet."""

    paused: bool = False
    cancelled: bool = False


@dataclass(slots=True, kw_only=True)
class JobRecord:
    """The folder of one job. Its events are numbered from 0; a number is given once."""

    folder: Path
    submitted: Submitted
    wishes: Wishes = field(default_factory=Wishes)
    next_number: int = 0
    ended: bool = False

    @classmethod
    def create(cls, jobs: Path, submitted: Submitted) -> JobRecord:
        """Make the folder of a new job; it survives a power cut from here on. Raises OSError."""
        folder = jobs / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"
        folder.mkdir(parents=True)
        durable.write(folder / "request.json", json.dumps(encode(submitted)).encode())
        durable.sync_folder(jobs)
        return cls(folder=folder, submitted=submitted)

    @classmethod
    def read(cls, folder: Path) -> JobRecord:
        """Return the job that an earlier daemon kept in *folder*, a torn last event cut off.

        Raises StateError when it cannot be understood, OSError when it cannot be read.
        """
        try:
            submitted = decode(Submitted, json.loads((folder / "request.json").read_bytes()))
            wishes = Wishes()
            with contextlib.suppress(FileNotFoundError):
                wishes = decode(Wishes, json.loads((folder / "wishes.json").read_bytes()))
        except (ValueError, InputError) as error:
            raise StateError(f"The job in {folder} is damaged: {error}") from error
        record = cls(folder=folder, submitted=submitted, wishes=wishes)
        events = record.events()
        if events:
            record.next_number = events[-1]["n"] + 1
            record.ended = events[-1]["event"] in ENDINGS
        return record

    @property
    def id(self) -> str:
        """The job's name."""
        return self.folder.name

    @property
    def log(self) -> Path:
        """What the job's process and its libraries print."""
        return self.folder / "log"

    def wish(self, wishes: Wishes) -> None:
        """Keep *wishes*, also for the next daemon. Raises OSError."""
        self.wishes = wishes
        durable.write(self.folder / "wishes.json", json.dumps(encode(wishes)).encode())

    def stamp(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return *event* with the job's name, its number and the time."""
        number, self.next_number = self.next_number, self.next_number + 1
        return {"job": self.id, "n": number, "t": round(time.time(), 3), **event}

    def append(self, stamped: Mapping[str, Any]) -> None:
        """Add an event and wait until the disk has it. Raises OSError."""
        with self._events_file.open("ab") as file:
            file.write(json.dumps(stamped).encode() + b"\n")
            file.flush()
            os.fdatasync(file.fileno())

    def events(self) -> list[dict[str, Any]]:
        """Return the events on disk; what follows the first damaged one is cut off."""
        try:
            content = self._events_file.read_bytes()
        except FileNotFoundError:
            return []
        events: list[dict[str, Any]] = []
        whole = 0
        for line in content.splitlines(keepends=True):
            event = _event(line)
            if event is None:
                break
            events.append(event)
            whole += len(line)
        if whole < len(content):
            if content.count(b"\n", whole):  # more than one torn line
                (self.folder / "events.damaged").write_bytes(content[whole:])
            os.truncate(self._events_file, whole)
        return events

    @property
    def _events_file(self) -> Path:
        return self.folder / "events.jsonl"


def _event(line: bytes) -> dict[str, Any] | None:
    """Return the event in *line*, None when it is torn or damaged."""
    if not line.endswith(b"\n"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    stamped = isinstance(event, dict) and isinstance(event.get("n"), int) and "event" in event
    return event if stamped else None
