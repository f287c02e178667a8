"""One trial in full: configuration, latencies with their intervals, the machine meanwhile."""

from __future__ import annotations

from autotuner.core.config import BASELINE
from autotuner.core.events import TuneDone
from autotuner.core.outcome import Failed, Measurement
from tui import figures, sensors
from tui.paint import BLANK, Line, Piece, fit, label, labelled, strip
from tui.panes.latencies import in_words, latencies
from tui.session import Session
from tui.state import JobView
from tui.trials import Trial
from tui.words import ROUNDS


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
        "best": (glyphs.best, _best(session.job)),
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


def _best(view: JobView) -> str:
    """Return what the search calls its best."""
    if not isinstance(view.ending, TuneDone):
        return "best so far" if view.ending is None else "best"
    names = {"ok": "the winner", "infeasible": "the closest", "interrupted": "the best"}
    return names[view.ending.status]


def _configuration(trial: Trial, width: int) -> list[Line]:
    usual = BASELINE.to_mapping()
    cells: list[tuple[Piece, ...]] = []
    for name, value in trial.config.to_mapping().items():
        if value is None and name != "intra_op_threads":
            continue
        ink = "dim" if value == usual.get(name) else "strong"
        shown = "default" if value is None else str(value)
        cells.append((Piece(f" {name:<18}", "label"), Piece(f"{shown:<16}", ink)))
    if width < 70:
        return list(cells)
    half = (len(cells) + 1) // 2
    rights = [*cells[half:], *[()] * (half - len(cells[half:]))]
    return [(*left, *right) for left, right in zip(cells[:half], rights, strict=True)]


def _outcome(session: Session, trial: Trial, width: int) -> list[Line]:
    assert session.job is not None
    outcome = session.job.trials.outcome(trial.key)
    if trial.running:
        since = session.job_now - trial.began_t if trial.began_t is not None else 0.0
        text = f"loading, warming up and measuring for {figures.clock(since)} so far"
        return [*labelled("now", text, width), BLANK, *_meanwhile(session, trial, width)]
    if outcome is None:
        return labelled("outcome", "being fetched from the daemon", width)
    if isinstance(outcome, Failed):
        return [
            *labelled("failed", outcome.reason, width, "strong over"),
            *labelled("detail", outcome.detail or "nothing more is known", width, ""),
            BLANK,
            *_meanwhile(session, trial, width),
        ]
    return [
        *latencies(session.job.objective, outcome, width, session.glyphs),
        BLANK,
        *_figures(outcome, width),
        BLANK,
        *_meanwhile(session, trial, width),
    ]


def _figures(measured: Measurement, width: int) -> list[Line]:
    interval = in_words(measured.intervals.get("throughput_ips"))
    facts: list[tuple[str, str, str]] = [
        ("throughput", f"{figures.rate(measured.throughput_ips)}", interval),
    ]
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
        value, unit = figures.reading(mean, reading.unit, glyphs.degree)
        low, high = (0.0, 100.0) if reading.unit in {"%", "percent"} else (min(values), max(values))
        lines.append(
            (
                Piece(f" {name:<30}", "dim"),
                Piece(f"{value} {unit:<5}"),
                Piece(
                    strip(values, min(len(values), max(0, width - 46)), low, high, glyphs), "bar"
                ),
            )
        )
    if not lines:
        return labelled("machine", "no readings of that time; this view was not open then", width)
    return [(Piece(" the machine meanwhile, means of the readings", "label"),), *lines]
