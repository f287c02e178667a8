"""Runtimes whose batch times are known: they sleep; a worker process imports them by name."""

from __future__ import annotations

import os
import signal
import time

from faults import Scheduled

FIXED_MS, SAMPLE_MS = 4.0, 1.0
STALL_MS, STALL_EVERY_S = 200.0, 2.0


def batch_ms(size):
    """Return how long a batch of *size* takes."""
    return FIXED_MS + SAMPLE_MS * size


class _Sleep:
    def run(self, feeds):
        """Sleep for the time of a batch of this size."""
        time.sleep(batch_ms(len(feeds["x"])) / 1e3)
        return []

    def close(self):
        """Hold nothing."""


class Sleeper(Scheduled):
    """A batch takes 4 ms and 1 ms for each sample."""

    session = _Sleep


class _Stall(_Sleep):
    def __init__(self):
        self.stalled = time.monotonic()

    def run(self, feeds):
        """Sleep, and every other second for 200 ms more."""
        if time.monotonic() - self.stalled >= STALL_EVERY_S:
            time.sleep(STALL_MS / 1e3)
            self.stalled = time.monotonic()
        return super().run(feeds)


class Staller(Scheduled):
    """It stalls now and then."""

    session = _Stall


class _Crash(_Sleep):
    def __init__(self):
        self.turn = 0

    def run(self, feeds):
        """Sleep, and die in the 100th batch."""
        self.turn += 1
        if self.turn == 100:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().run(feeds)


class Crasher(Scheduled):
    """It crashes under load."""

    session = _Crash


class _Raise(_Crash):
    def run(self, feeds):
        """Sleep, and raise in the 100th batch."""
        if self.turn == 99:
            raise ZeroDivisionError("in a kernel")
        return super().run(feeds)


class Raiser(Scheduled):
    """It raises under load."""

    session = _Raise


class _Hang(_Crash):
    def run(self, feeds):
        """Sleep, and never return from the 100th batch."""
        if self.turn == 99:
            time.sleep(3600)
        return super().run(feeds)


class Hanger(Scheduled):
    """It hangs under load."""

    session = _Hang
