"""The terminal interface, fed by what a real job told."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_readings import T0, histogram, telemetry

from autotuner.core.events import TrialDone
from tui.app import TerminalApp
from tui.glyphs import BRAILLE
from tui.news import Checked, Happened, Readings
from tui.recorded import RecordedFeed, read
from tui.session import Session

RECORDED = Path(__file__).parent / "recorded"
MIDWAY = 25
"""The number of the event at which trial 12 has just begun."""
CHECKS = [
    {"area": "CPU", "name": "processors", "status": "ok", "detail": "6 in 2 clusters"},
    {
        "area": "CPU",
        "name": "governor",
        "status": "attention",
        "detail": "clocks follow the load",
        "fix": "sudo cpupower frequency-set -g performance",
    },
    {"area": "GPU", "name": "driver", "status": "absent", "detail": "no NVIDIA driver"},
]


def recorded_news(upto=1000):
    """Return the recorded news with the job's events up to number *upto*."""
    told = [_told(n) for n in read(RECORDED) if not isinstance(n, Happened) or n.n <= upto]
    return [*told, *(Readings(message=m) for m in telemetry()), Checked(checks=CHECKS)]


def _told(news):
    """Return *news* with a histogram for what the search measured."""
    event = news.event if isinstance(news, Happened) else None
    if not isinstance(event, TrialDone) or event.phase != "search":
        return news
    outcome = replace(event.outcome, histogram=histogram(event.outcome))
    return replace(news, event=replace(event, outcome=outcome))


def stamped_lines():
    """Return the lines of the job's record as plain data."""
    text = (RECORDED / "events.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def make_app(upto=1000, *, glyphs=BRAILLE, theme="dark", news=None, **settings):
    """Return the application and its feed at the moment after event *upto*; its clock stands."""
    news = recorded_news(upto) if news is None else news
    last = max((n.t for n in news if isinstance(n, Happened)), default=T0)
    read_only = settings.pop("read_only", False)
    session = Session(box="edge-01", glyphs=glyphs, read_only=read_only)
    feed = RecordedFeed(news=news)
    settings.setdefault("clock", lambda: last + 1.4)
    return TerminalApp(session, feed, theme=theme, **settings), feed


def drive(app, scenario, size=(80, 24)):
    """Run *scenario*, a coroutine function of a pilot, in *app*; its result is returned."""

    async def run():
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            return await scenario(pilot)

    return asyncio.run(run())


def screen_text(app):
    """Return what the screen shows, as lines."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return ["".join(segment.text for segment in strip) for strip in strips]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch, tmp_path):
    """Keep the settings and colours of whoever runs the tests out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
