"""The table of trials: what was tried, what came of it; only the rows in sight are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui import figures, goal
from tui.paint import Line, Piece, fit, marked
from tui.session import Session
from tui.trials import Trial

_MARK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its title, its width, the sort it stands for, and its text for a trial."""

    title: str
    width: int
    text: Callable[[Session, Trial], str]
    sort: str = ""
    least: int = 0
    left: bool = False


def _throughput(_: Session, trial: Trial) -> str:
    return figures.number(trial.throughput_ips, 7) if trial.measured else ""


def _latency(_: Session, trial: Trial) -> str:
    return figures.number(trial.latency_ms, 7) if trial.measured else ""


def _median(_: Session, trial: Trial) -> str:
    return figures.number(trial.p50_ms, 7) if trial.measured else ""


def _memory(_: Session, trial: Trial) -> str:
    return figures.mebibytes(trial.memory_mib) if trial.measured else ""


def _power(_: Session, trial: Trial) -> str:
    return figures.number(trial.power_w, 6) if trial.measured else ""


def _threads(_: Session, trial: Trial) -> str:
    threads = trial.config.intra_op_threads
    return "dflt" if threads is None else str(threads)


def _took(session: Session, trial: Trial) -> str:
    if trial.began_t is None:
        return ""
    ended = trial.ended_t if trial.ended_t is not None else session.job_now
    return figures.clock(ended - trial.began_t)


def _rest(_: Session, trial: Trial) -> str:
    config = trial.config
    words = [config.precision, config.affinity, config.provider.removeprefix("onnxruntime-")]
    words += [config.power_mode] if config.power_mode != "present" else []
    words += ["disturbed"] if trial.disturbed else []
    return " ".join(word for word in words if word != "none")


COLUMNS: tuple[Column, ...] = (
    Column(title="trial", width=6, text=lambda _, t: t.name, sort="order"),
    Column(title="thrput/s", width=10, text=_throughput, sort="throughput"),
    Column(title="latency", width=9, text=_latency, sort="latency"),
    Column(title="p50", width=8, text=_median, least=100),
    Column(title="batch", width=6, text=lambda _, t: str(t.config.batch_size), sort="batch"),
    Column(title="wrk", width=4, text=lambda _, t: str(t.config.workers), sort="workers"),
    Column(title="thr", width=5, text=_threads, sort="threads"),
    Column(title="memory", width=9, text=_memory, sort="memory", least=78),
    Column(title="watt", width=7, text=_power, sort="power", least=92),
    Column(title="took", width=6, text=_took, least=84),
    Column(title="more", width=18, text=_rest, least=60, left=True),
    Column(title="why", width=16, text=lambda _, t: t.why, least=112, left=True),
)


def columns(width: int) -> list[Column]:
    """Return the columns that *width* has room for; the last takes what is left."""
    kept = [column for column in COLUMNS if column.least <= width]
    left = width - _MARK - sum(column.width for column in kept)
    if kept[-1].left and left > 0:
        kept[-1] = replace(kept[-1], width=kept[-1].width + left)
    return kept


def heading(session: Session, width: int) -> Line:
    """Return the titles; a click on one sorts by it."""
    glyphs = session.glyphs
    pieces = [Piece(" " * _MARK)]
    for column in columns(width):
        title = column.title
        if column.sort == "latency" and session.job is not None:
            title = goal.latency_metric(session.job.objective).replace("_", " ")
        if column.sort and column.sort == session.sort:
            title += glyphs.rising if session.reverse else glyphs.falling
        text = f" {title:<{column.width - 1}}" if column.left else f"{title:>{column.width}}"
        target = f"sort:{column.sort}" if column.sort else ""
        pieces.append(
            Piece(text, "label sorted" if column.sort == session.sort else "label", target)
        )
    return fit(pieces, width, glyphs)


def rows(
    session: Session, trials: Sequence[Trial], first: int, cursor: int, width: int, height: int
) -> list[Line]:
    """Return *height* rows from number *first* on; the row number *cursor* is marked."""
    if not trials:
        text = "no trial has these words" if session.words else "no trial yet"
        return [(Piece(f" {text}", "dim"),)]
    return [
        _row(session, trial, width, chosen=first + place == cursor)
        for place, trial in enumerate(trials[first : first + height])
    ]


def _row(session: Session, trial: Trial, width: int, *, chosen: bool) -> Line:
    view, glyphs = session.job, session.glyphs
    assert view is not None
    standing = view.standing(trial)
    mark = {
        "best": glyphs.best,
        "good": glyphs.good,
        "over": glyphs.over,
        "failed": glyphs.failed,
        "running": glyphs.now,
    }[standing]
    ink = "live" if standing == "running" else "over" if standing == "failed" else standing
    target = f"trial:{trial.key}"
    pieces = [Piece(f"{mark} ", ink, target)]
    for column in columns(width):
        text = column.text(session, trial)
        if trial.failed is not None and column.sort == "throughput":
            text = trial.failed[: column.width]
        shaped = (
            f" {text[: column.width - 1]:<{column.width - 1}}"
            if column.left
            else f"{text:>{column.width}}"
        )
        strong = column.sort in {"throughput", "latency"}
        colour = ink if strong else "dim" if column.left or not column.sort else ""
        pieces.append(Piece(shaped, colour, target))
    line = fit(pieces, width, glyphs)
    return marked(line, "cursor", width) if chosen else line
