"""Follow a job: a line that tells how it stands on a terminal, and only the news elsewhere."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, replace

from rich.console import Console
from rich.live import Live
from rich.text import Text

from autotuner.cli.tables import known
from autotuner.client import Client
from autotuner.core.events import (
    Candidate,
    Ending,
    Event,
    Note,
    Started,
    TrialDone,
    TrialStarted,
    Working,
)
from autotuner.core.judgement import Judgement
from autotuner.core.outcome import Failed
from autotuner.core.wording import counted

_PHASES = {"baseline": "baseline", "search": "search", "proof": "final round", "measure": "measure"}


def follow(daemon: Client, job: str, console: Console, *, cancels: bool = True) -> Ending:
    """Show the events of *job* until its ending and return that.

    The first Ctrl-C asks the job to end with what it has, the second raises KeyboardInterrupt; the
    first does so already when it *cancels* nothing.
    """
    view = _View(began=time.monotonic())
    stop_asked = False

    def ask_to_stop(_signal: int, _frame: object) -> None:
        nonlocal stop_asked
        if stop_asked:
            raise KeyboardInterrupt
        stop_asked = True
        daemon.cancel(job)
        console.print("Stopping; the best so far is kept. Ctrl-C again leaves at once.")

    caught = _STOP_SIGNALS if cancels else ()
    former = {number: signal.signal(number, ask_to_stop) for number in caught}
    try:
        with Live(console=console, auto_refresh=False, transient=True) as line:
            for event in daemon.events(job):
                if isinstance(event, Ending):
                    return event
                if event is not None:
                    view.take(event, time.monotonic())
                if isinstance(event, Note):
                    console.print(event.text)
                elif isinstance(event, Working) and event.elapsed_s and not console.is_terminal:
                    console.print(str(event))
                elif isinstance(event, Judgement):
                    console.print(f"Accuracy: {event}.")
                elif isinstance(event, TrialDone) and isinstance(event.outcome, Failed):
                    console.print(_failure(event.outcome, event))
                if console.is_terminal:
                    line.update(view.lines(time.monotonic()), refresh=True)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    raise AssertionError("events end with an ending")


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True, kw_only=True)
class _View:
    """What the line shows."""

    began: float
    started: Started | None = None
    working: Working | None = None
    working_since: float = 0.0
    now: TrialStarted | None = None
    best: Candidate | None = None
    trials: int = 0
    ends_at: float | None = None

    def take(self, event: Event, now: float) -> None:
        """Remember what *event* tells at the time *now*."""
        if isinstance(event, Started):
            self.started = event
            self.ends_at = now + event.max_seconds if event.max_seconds is not None else None
        elif isinstance(event, Working):
            self.working, self.working_since = event, now - (event.elapsed_s or 0.0)
        elif isinstance(event, TrialStarted):
            self.now, self.working = event, None
        elif isinstance(event, TrialDone):
            self.trials = max(self.trials, event.trials)
            self.best = event.best or self.best
            if event.seconds_left is not None:
                self.ends_at = now + event.seconds_left

    def lines(self, now: float) -> Text:
        """Return how the job stands at the time *now*, and below it the best so far."""
        words = [f"{now - self.began:4.0f} s"]
        if self.started is not None and self.started.simulated is not None:
            words.append(f"simulated {self.started.simulated}")
        if self.now is None:
            words.append(self._at_work(now) or "getting ready")
        else:
            words.append(_PHASES[self.now.phase])
            if self.now.phase == "search" and self.started is not None:
                of = f" of {self.started.max_trials}" if self.started.max_trials else ""
                words.append(f"{counted(self.trials, 'trial')}{of}")
            elif self.now.number is not None and self.started is not None:
                words.append(f"{self.now.number + 1} of {self.started.space_size}")
            if self.ends_at is not None and self.now.phase in {"search", "proof"}:
                words.append(f"{max(0.0, self.ends_at - now):.0f} s left")
            words.append(self._at_work(now) or f"now {self.now.config}")
        lines = [" | ".join(words)]
        if self.best is not None:
            measured = self.best.measurement
            lines.append(
                f"  best | {known(measured.throughput_ips, '{:.1f}/s')} | "
                f"p99 {known(measured.p99_ms, '{:.1f} ms')} | {self.best.config}"
            )
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _at_work(self, now: float) -> str:
        """Return what goes on that is no measurement, empty when nothing does."""
        event = self.working
        if event is not None and event.elapsed_s is not None:
            event = replace(event, elapsed_s=now - self.working_since)
        return "" if event is None else str(event)


def _failure(failed: Failed, event: TrialDone) -> str:
    detail = f": {failed.detail}" if failed.detail else ""
    return f"Not measured ({event.config}): {failed.reason}{detail}"
