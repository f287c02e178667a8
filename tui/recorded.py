"""A feed that replays what was recorded: for pictures, benchmarks and tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotuner.core.errors import AutotunerError
from autotuner.core.events import decode_event
from tui import export
from tui.news import (
    Deliver,
    Happened,
    News,
    Profiles,
    Readings,
    Shown,
    Standing,
    Told,
    recalled,
)


@dataclass(slots=True, kw_only=True)
class RecordedFeed:
    """Delivers all *news* at once, and keeps what was asked of it in *asked*.

    What only has to be looked up in the record is carried out.
    """

    news: Sequence[News]
    asked: list[tuple[str, str]] = field(default_factory=list)
    _deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        """Deliver everything."""
        self._deliver = deliver
        deliver(*self.news)

    def ask(self, wish: str, subject: str) -> None:
        """Keep the wish, and answer where the record has the answer."""
        self.asked.append((wish, subject))
        if self._deliver is None:
            return
        if wish == "outcome":
            self._deliver(*recalled(self._job(), int(subject), self._events(int(subject))))
        elif wish == "export":
            self._deliver(export.write(self._events(0), Path(subject)))

    def stop(self) -> None:
        """Deliver nothing more."""
        self._deliver = None

    def _job(self) -> str:
        return next(news.job for news in self.news if isinstance(news, Happened))

    def _events(self, first: int) -> Iterator[Told]:
        told = (news for news in self.news if isinstance(news, Happened))
        yield from ((news.n, news.t, news.event) for news in told if news.n >= first)


def read(folder: Path) -> list[News]:
    """Return the news that *folder* keeps.

    ``events.jsonl`` is a job's own record; ``telemetry.jsonl``, ``standing.json`` and
    ``profiles.json`` hold what the daemon answered; each may be missing.
    """
    news: list[News] = []
    if (document := _document(folder / "standing.json")) is not None:
        news.append(Standing(status=document["status"], jobs=document["jobs"]))
    if (document := _document(folder / "profiles.json")) is not None:
        news.append(Profiles(profiles=document["profiles"]))
        news += [Shown(name=name, document=one) for name, one in document["shown"].items()]
    news += [Readings(message=message) for message in _lines(folder / "telemetry.jsonl")]
    news += [happened(stamped) for stamped in _lines(folder / "events.jsonl")]
    return news


def happened(stamped: Mapping[str, Any]) -> Happened:
    """Return the event in one line of a job's record; None in it stands for one not known."""
    fields = {k: v for k, v in stamped.items() if k not in {"job", "n", "t"}}
    try:
        event = decode_event(fields)
    except AutotunerError:
        event = None
    return Happened(job=stamped["job"], n=stamped["n"], t=stamped["t"], event=event)


def _document(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def _lines(path: Path) -> list[Mapping[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
