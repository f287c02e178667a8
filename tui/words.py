"""Events in words: what the log says."""

from __future__ import annotations

import re

from autotuner.core.config import Config
from autotuner.core.events import (
    Event,
    JobFailed,
    MeasureDone,
    Note,
    PlanDone,
    Started,
    TrialDone,
    TuneDone,
    VerifyDone,
    Working,
    encode_event,
)
from autotuner.core.judgement import Judgement
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed, Measurement, Outcome
from tui import figures, goal
from tui.glyphs import Glyphs
from tui.state import Entry

ROUNDS = {
    "baseline": "baseline",
    "search": "search",
    "proof": "final round",
    "measure": "measurement",
}


def entry(entry: Entry, objective: Objective | None, glyphs: Glyphs, width: int) -> tuple[str, str]:
    """Return the ink and the words for one entry of the log, briefer where that saves a line."""
    event = entry.event
    if isinstance(event, Note):
        return "note", event.text
    if isinstance(event, Started):
        return "", _started(event)
    if isinstance(event, Working):
        return "note", str(event)
    if isinstance(event, TrialDone):
        found = result(event.outcome, objective)
        found += f" {glyphs.dot} best so far" if entry.best else ""
        text = f"{_trial(event, width - len(found) - 2)}: {found}"
        if isinstance(event.outcome, Failed):
            return "over", text
        if entry.best:
            return "best", text
        return ("", text) if goal.feasible(objective, event.outcome) else ("over", text)
    if isinstance(event, TuneDone):
        return ("good" if event.status == "ok" else "over"), event.message
    if isinstance(event, VerifyDone):
        return ("good" if event.status == "kept" else "over"), event.message
    if isinstance(event, MeasureDone):
        return "good", f"{event.config}: {result(event.outcome, objective)}"
    if isinstance(event, PlanDone):
        return "good", f"{event.size} configurations for {event.model}"
    if isinstance(event, JobFailed):
        return "over", event.message
    return "", _other(event)


def brief(config: Config, width: int) -> str:
    """Return *config* in words, the fewer the narrower *width* is."""
    text = str(config)
    if len(text) > width:
        text = re.sub(r" x (\w+) threads?", r" x \1", text)
    if len(text) > width:
        text = re.sub(r" workers?", "w", text).replace("batch ", "b")
    return text


def result(outcome: Outcome | None, objective: Objective | None) -> str:
    """Return an outcome in a few words."""
    if isinstance(outcome, Measurement):
        metric = goal.latency_metric(objective).removesuffix("_ms")
        throughput = figures.rate(outcome.throughput_ips)
        latency = figures.milliseconds(goal.latency(objective, outcome))
        return f"{throughput}, {metric} {latency}"
    if isinstance(outcome, Failed):
        return f"{outcome.reason}: {outcome.detail}" if outcome.detail else outcome.reason
    return "being measured"


def _started(event: Started) -> str:
    parts = [event.model]
    if event.space_size is not None:
        parts.append(f"{event.space_size} configurations")
    if event.known_trials:
        parts.append(f"{event.known_trials} trials known from before")
    if event.max_trials is not None:
        parts.append(f"at most {event.max_trials} trials")
    if event.max_seconds is not None:
        parts.append(f"{figures.plain(event.max_seconds)} s of search")
    return ", ".join(parts)


def _other(event: Event) -> str:
    """Return a word for an event of a job without trials: its message, or what it is."""
    if isinstance(event, Judgement):
        return str(event)
    named = encode_event(event)
    kind = str(named["event"]).replace("_", " ")
    told = named.get("message") or named.get("what") or named.get("model")
    return f"{kind}: {told}" if isinstance(told, str) else kind


def _trial(event: TrialDone, width: int) -> str:
    numbered = event.phase == "search" and event.number is not None
    name = f"trial {event.number}" if numbered else ROUNDS[event.phase]
    return f"{name} ({brief(event.config, width - len(name) - 3)})"
