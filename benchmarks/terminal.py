"""What watching costs: the terminal interface in a pseudo terminal, beside a job that goes on.

    python benchmarks/terminal.py [--seconds 60] [--size 120x40] [--theme dark] [--quiet] [--lite]

A feed of its own plays a recorded job: a trial every five seconds and readings every second, or
with --quiet nothing after the start. The first five seconds are settling. Printed are the share of
one core, the memory, the bytes to the terminal, the time to the first whole picture and how long
a key takes to be answered.
"""

from __future__ import annotations

import argparse
import fcntl
import math
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import threading
import time
from pathlib import Path

from autotuner.core.config import Config
from autotuner.core.events import Candidate, Started, TrialDone, TrialStarted
from autotuner.core.outcome import Measurement
from tui.app import TerminalApp
from tui.news import Deliver, Happened, News, Readings, Standing
from tui.session import Session

SETTLING_S = 5.0
TRIAL_S = 5.0
STEADY_TRIALS = 100


class PlayedFeed:
    """A job that never ends; the same trials and readings at every run."""

    def __init__(self, *, quiet: bool, interval_s: float) -> None:
        self._quiet = quiet
        self._interval_s = interval_s
        self._stopped = threading.Event()

    def start(self, deliver: Deliver) -> None:
        """Deliver a hundred trials at once, and then one every five seconds."""
        deliver(*self._beginning())
        if not self._quiet:
            threading.Thread(target=self._play, args=(deliver,), daemon=True).start()

    def ask(self, wish: str, subject: str) -> None:
        """Do nothing: nobody is there to do it."""

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped.set()

    def _beginning(self) -> list[News]:
        began = time.time() - STEADY_TRIALS * TRIAL_S
        started = Started(
            model="squeezenet",
            objective="maximize throughput_ips with p99_ms <= 50",
            fingerprint="0",
            space_size=4000,
            max_seconds=None if self._quiet else 86400.0,
        )
        status = {"version": "0", "pid": 1, "running": "job", "queued": 0}
        jobs = [{"job": "job", "state": "running", "model": "squeezenet"}]
        news: list[News] = [Standing(status=status, jobs=jobs), _happened(0, began, started)]
        for number in range(STEADY_TRIALS):
            news += _trial(number, began + number * TRIAL_S)
        return news if self._quiet else [*news, *(_readings(i) for i in range(-200, 0))]

    def _play(self, deliver: Deliver) -> None:
        for second in range(10**9):
            if self._stopped.wait(self._interval_s):
                return
            deliver(_readings(second))
            passed = (second + 1) * self._interval_s
            if passed % TRIAL_S < self._interval_s:
                deliver(*_trial(STEADY_TRIALS + int(passed / TRIAL_S) - 1, time.time()))


def _happened(n: int, t: float, event: Started | TrialStarted | TrialDone) -> Happened:
    return Happened(job="job", n=n, t=t, event=event)


def _trial(number: int, t: float) -> list[News]:
    config = Config(batch_size=1 + number % 16, workers=1 + number % 4, intra_op_threads=1)
    latency = 4.0 + 60.0 * abs(math.sin(number * 1.7))
    measured = Measurement(
        throughput_ips=150.0 + 140.0 * abs(math.cos(number * 0.9)),
        p50_ms=latency / 2,
        p99_ms=latency,
        memory_mib=100.0,
    )
    best = Candidate(config=config, measurement=measured) if number == 0 else None
    why = "expected improvement"
    done = TrialDone(phase="search", number=number, config=config, outcome=measured, best=best)
    begun = TrialStarted(phase="search", number=number + 1, config=config, why=why)
    return [_happened(2 * number + 1, t, done), _happened(2 * number + 2, t, begun)]


def _readings(second: int) -> Readings:
    found = [("memory.used_mib", 4000.0 + 50 * math.sin(second / 9), "MiB")]
    for core in range(8):
        found.append((f"cpu{core}.utilisation_percent", 50 + 45 * math.sin(second + core), "%"))
        found.append((f"cpu{core}.clock_mhz", 2400.0 + 10 * (second % 3), "MHz"))
    found += [
        ("gpu.utilisation_percent", 60 + 30 * math.sin(second / 5), "%"),
        ("power.total_w", 12 + 2 * math.sin(second / 4), "W"),
        ("temperature.cpu_c", 55 + 3 * math.sin(second / 30), "C"),
    ]
    readings = [{"name": n, "value": v, "unit": u, "why": None} for n, v, u in found]
    return Readings(message={"t": time.time(), "readings": readings})


def play(options: argparse.Namespace) -> None:
    """Be the interface that is measured."""
    interval_s = 2.0 if options.lite else 1.0
    clock = (lambda: 1e9) if options.quiet else time.time
    feed = PlayedFeed(quiet=options.quiet, interval_s=interval_s)
    session = Session(box="bench")
    theme = "ansi" if options.lite else options.theme
    app = TerminalApp(
        session, feed, theme=theme, interval_s=interval_s, plot=not options.lite, clock=clock
    )
    app.run()


class Watched:
    """The interface, started by *command*, in a pseudo terminal; its output is counted.

    *size* is in columns and rows, such as ``120x40``.
    """

    def __init__(self, command: list[str], size: str) -> None:
        columns, rows = map(int, size.split("x"))
        self.began = time.monotonic()
        self.process_id, self._terminal = pty.fork()
        if self.process_id == 0:
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
            os.execv(command[0], command)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.bytes = 0

    def read_for(self, seconds: float, until: bytes | None = None) -> float | None:
        """Read for so long; return when *until* was seen, in seconds from the start of this."""
        began, seen = time.monotonic(), b""
        while (left := began + seconds - time.monotonic()) > 0:
            readable, _, _ = select.select([self._terminal], [], [], left)
            if readable:
                data = os.read(self._terminal, 1 << 16)
                self.bytes += len(data)
                seen = (seen + data)[-65536:]
                if until is not None and until in seen:
                    return time.monotonic() - began
        return None

    def type(self, keys: bytes) -> None:
        """Send *keys*."""
        os.write(self._terminal, keys)

    def close(self) -> None:
        """End the interface and close its terminal."""
        os.kill(self.process_id, signal.SIGKILL)
        os.waitpid(self.process_id, 0)
        os.close(self._terminal)

    def cpu_s(self) -> float:
        """Return the processor time that was used so far."""
        stat = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Return the resident memory, in 10^6 bytes."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024 / 1e6


def measure(options: argparse.Namespace) -> None:
    """Start the interface, let it settle, and print what it costs."""
    command = [sys.executable, __file__, "--play", *sys.argv[1:]]
    watched = Watched(command, options.size)
    painted = watched.read_for(20.0, until=b"quit")
    busy = watched.cpu_s()
    watched.read_for(SETTLING_S)
    first = watched.bytes
    cpu, began = watched.cpu_s(), time.monotonic()
    per_second = []
    for _ in range(options.seconds):
        before = watched.bytes
        watched.read_for(1.0)
        per_second.append(watched.bytes - before)
    passed = time.monotonic() - began
    used = (watched.cpu_s() - cpu) / passed
    rate = (watched.bytes - first) / passed
    answers = []
    for turn in range(40):
        watched.read_for(0.3)
        watched.type(b"j" if turn % 4 else b"k")
        answer = watched.read_for(2.0, until=b"\x1b")
        answers.append(2.0 if answer is None else answer)
    print(
        f"painted after        {1000 * (painted or math.nan):8.0f} ms ({1000 * busy:.0f} of work)"
    )
    print(f"share of a core      {100 * used:8.2f} %")
    print(f"memory               {watched.memory_mb():8.1f} MB")
    print(f"bytes, mean          {rate:8.0f} B/s")
    print(f"bytes, median second {statistics.median(per_second):8.0f} B/s (between trials)")
    print(f"bytes, first picture {first:8d} B")
    print(f"key answered, p90    {1000 * sorted(answers)[int(0.9 * len(answers))]:8.1f} ms")
    watched.close()


def main() -> None:
    """Measure, or be what is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--theme", choices=("dark", "light", "ansi"), default="dark")
    parser.add_argument("--quiet", action="store_true", help="nothing happens after the start")
    parser.add_argument("--lite", action="store_true")
    parser.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        play(options)
    else:
        measure(options)


if __name__ == "__main__":
    main()
