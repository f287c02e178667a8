"""One trial in full: configuration, latencies with their intervals, the machine meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from autotuner.core.config import BASELINE
from autotuner.core.outcome import Failed, Measurement
from tui import figures, goal, sensors
from tui.glyphs import Glyphs
from tui.paint import BLANK, LABEL, Line, Piece, fit, label, labelled, strip
from tui.session import Session
from tui.state import Trial
from tui.words import ROUNDS

_PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")


def title(trial: Trial | None) -> str:
    """Return what the pane of *trial* is called."""
    if trial is None:
        return "trial"
    if trial.phase == "search" and trial.number is not None:
        return f"trial {trial.number}"
    return ROUNDS[trial.phase]


def detail(session: Session, trial: Trial | None, width: int) -> list[Line]:
    """Return everything that is known of *trial*, as many lines as that takes."""
    if trial is None or session.job is None:
        return [BLANK, (Piece(" no trial yet", "dim"),)]
    lines = [
        *_headline(session, trial, width),
        BLANK,
        *_configuration(trial, width),
        BLANK,
        *_outcome(session, trial, width),
    ]
    return [fit(line, width, session.glyphs) for line in lines]


def _headline(session: Session, trial: Trial, width: int) -> list[Line]:
    assert session.job is not None
    glyphs = session.glyphs
    standing = session.job.standing(trial)
    words = {
        "best": (glyphs.best, "best so far" if session.job.ending is None else "the winner"),
        "good": (glyphs.good, "within the constraints"),
        "over": (glyphs.over, "breaks a constraint"),
        "failed": (glyphs.failed, "not measured"),
        "running": (glyphs.now, "being measured"),
    }
    mark, word = words[standing]
    ink = {"failed": "over", "running": "live"}.get(standing, standing)
    took = ""
    if trial.began_t is not None:
        ended = trial.ended_t if trial.ended_t is not None else session.job_now
        took = f"   took {figures.clock(ended - trial.began_t)}"
    began = trial.began_t if trial.began_t is not None else trial.ended_t
    at = ""
    if began is not None and session.job.began_t is not None:
        at = f"   at {figures.clock(began - session.job.began_t)}"
    lines: list[Line] = [
        (Piece(f" {mark} {word}", f"strong {ink}"), Piece(f"{at}{took}", "dim")),
    ]
    return [*lines, *labelled("why", trial.why, width)] if trial.why else lines


def _configuration(trial: Trial, width: int) -> list[Line]:
    usual = BASELINE.to_mapping()
    cells: list[tuple[Piece, ...]] = []
    for name, value in trial.config.to_mapping().items():
        if value is None and name == "max_queue_delay_ms":
            continue
        ink = "dim" if value == usual.get(name) else "strong"
        shown = "default" if value is None else str(value)
        cells.append((Piece(f" {name:<19}", "label"), Piece(f"{shown:<17}", ink)))
    if width < 78:
        return list(cells)
    half = (len(cells) + 1) // 2
    rights = [*cells[half:], *[()] * (half - len(cells[half:]))]
    return [(*left, *right) for left, right in zip(cells[:half], rights, strict=True)]


def _outcome(session: Session, trial: Trial, width: int) -> list[Line]:
    outcome = trial.outcome
    if outcome is None:
        since = session.job_now - trial.began_t if trial.began_t is not None else 0.0
        text = f"loading, warming up and measuring for {figures.clock(since)} so far"
        return [*labelled("now", text, width), BLANK, *_meanwhile(session, trial, width)]
    if isinstance(outcome, Failed):
        return [
            *labelled("failed", outcome.reason, width, "strong over"),
            *labelled("detail", outcome.detail or "nothing more is known", width, ""),
            BLANK,
            *_meanwhile(session, trial, width),
        ]
    return [
        *_latencies(session, outcome, width),
        BLANK,
        *_figures(outcome, width),
        BLANK,
        *_meanwhile(session, trial, width),
    ]


def _latencies(session: Session, measured: Measurement, width: int) -> list[Line]:
    """Return the percentiles on one scale, each with its interval as a whisker."""
    objective = session.job.objective if session.job else None
    bound = objective.latency_bound if objective else None
    extra = tuple(sorted(n for n in measured.extra if n.startswith("p") and n.endswith("_ms")))
    counted = goal.latency_metric(objective)
    values = {
        name: measured.extra.get(name, getattr(measured, name, None))
        for name in (*_PERCENTILES, *extra, "max_ms")
    }
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return labelled("latency", "not measured", width)
    sides = [s for name in known for s in measured.intervals.get(name, ()) if s is not None]
    low, high = 0.0, max([*known.values(), *sides]) * 1.04
    room = width - LABEL - 31
    budget = None
    if bound is not None and bound[1] <= high * 3:
        high = max(high, bound[1] * 1.04)
        budget = bound[1]
    lines = []
    for name, value in known.items():
        interval = measured.intervals.get(name)
        ink = "strong" if name == counted else ""
        over = bound is not None and name == counted and value > bound[1]
        lines.append(
            (
                label(name.removesuffix("_ms")),
                Piece(figures.milliseconds(value, 7), "strong over" if over else ink),
                Piece(f" {_interval(interval):<18}", "dim"),
                *_whisker(value, interval, (low, high), budget, room, session.glyphs),
            )
        )
    if bound is not None:
        lines.append((label("budget"), Piece(figures.milliseconds(bound[1], 7), "budget")))
    return lines


def _interval(interval: Sequence[float | None] | None) -> str:
    if interval is None:
        return ""
    low, high = ("?" if side is None else figures.number(side).strip() for side in interval)
    return f"{low} to {high}"


def _whisker(
    value: float,
    interval: Sequence[float | None] | None,
    span: tuple[float, float],
    budget: float | None,
    room: int,
    glyphs: Glyphs,
) -> list[Piece]:
    """Draw the interval with the value in it; an unknown upper side runs on to the edge."""
    if room < 8:
        return []

    def place(x: float) -> int:
        return max(0, min(room - 1, round((x - span[0]) / (span[1] - span[0]) * (room - 1))))

    cells = [Piece(" ")] * room
    if budget is not None:
        cells[place(budget)] = Piece(glyphs.budget, "budget")
    if interval is not None:
        low = place(interval[0]) if interval[0] is not None else 0
        high = place(interval[1]) if interval[1] is not None else room - 1
        for x in range(low, high + 1):
            unknown = interval[1] is None and x > place(value)
            cells[x] = Piece(glyphs.open_end if unknown else glyphs.floor, "interval")
        if interval[0] is not None:
            cells[low] = Piece(glyphs.low_end, "interval")
        if interval[1] is not None:
            cells[high] = Piece(glyphs.high_end, "interval")
    cells[place(value)] = Piece(glyphs.good, "good")
    return cells


def _figures(measured: Measurement, width: int) -> list[Line]:
    interval = _interval(measured.intervals.get("throughput_ips"))
    facts: list[tuple[str, str, str]] = [
        ("throughput", f"{figures.rate(measured.throughput_ips)}", interval),
    ]
    if measured.n is not None:
        window = f"in {measured.window_s:.2f} s" if measured.window_s is not None else ""
        facts.append(("batches", f"{measured.n}", window))
    if measured.memory_mib is not None:
        facts.append(("memory", figures.mebibytes(measured.memory_mib).strip(), "of all workers"))
    if measured.setup_s is not None:
        facts.append(("setup", f"{measured.setup_s:.2f} s", "before the first batch"))
    if measured.clock_mhz is not None:
        throttled = "throttled" if measured.throttled else ""
        facts.append(("clock", figures.megahertz(measured.clock_mhz).strip(), throttled))
    if measured.power_w is not None:
        energy = f"{measured.energy_j:.3g} J each" if measured.energy_j is not None else ""
        facts.append(("power", f"{figures.number(measured.power_w)} W", energy))
    lines: list[Line] = [
        (
            label(name),
            Piece(f"{value:<14}", "strong"),
            Piece(more, "dim"),
        )
        for name, value, more in facts
    ]
    if measured.disturbed:
        lines += labelled("disturbed", measured.disturbed, width, "warn")
    return lines


def _meanwhile(session: Session, trial: Trial, width: int) -> list[Line]:
    """Return what the sensors said while the trial ran, as far as somebody listened."""
    if trial.began_t is None:
        return []
    ended = trial.ended_t if trial.ended_t is not None else session.now
    glyphs, lines = session.glyphs, []
    for name, reading in session.sensors.now.items():
        values = session.sensors.between(name, trial.began_t, ended)
        if not values:
            continue
        mean = sensors.mean(values)
        low, high = (0.0, 100.0) if reading.unit in {"%", "percent"} else (min(values), max(values))
        lines.append(
            (
                Piece(f" {name:<30}", "dim"),
                Piece(f"{figures.number(mean, 8)} {reading.unit:<5}"),
                Piece(
                    strip(values, min(len(values), max(0, width - 46)), low, high, glyphs), "bar"
                ),
            )
        )
    if not lines:
        return labelled("machine", "no readings of that time; this view was not open then", width)
    return [(Piece(" the machine meanwhile, means of the readings", "label"),), *lines]
