"""Runtimes that misbehave, each in one way; a worker process imports them by name."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import threading
import time

from autotuner.backends.base import BackendFailure

_STEP = 32 * 1024 * 1024
FAST_S, SLOW_S = 0.004, 0.012


class Session:
    """Takes a known time: nine batches of 4 ms, then one of 12 ms."""

    def __init__(self):
        self.turn = 0

    def run(self, _):
        """Sleep for the time of this turn."""
        self.turn += 1
        time.sleep(SLOW_S if self.turn % 10 == 0 else FAST_S)
        return []

    def close(self):
        """Hold nothing."""


class Scheduled:
    """A runtime without a fault; those below differ from it in one place."""

    session = Session

    def providers(self):
        """Be usable."""
        return {"onnxruntime-cpu": None}

    def version(self):
        """Have one."""
        return "1"

    def start(self):
        """Import nothing."""

    def open(self, *_):
        """Need no model."""
        return self.session()


class _Slow(Session):
    def run(self, _):
        time.sleep(0.15)
        return []


class Slow(Scheduled):
    """A runtime that is no good for this model."""

    session = _Slow


class DiesAtStart(Scheduled):
    """Its import fails, as with a broken installation."""

    def start(self):
        """Raise what the import system raises."""
        raise ImportError("libfault.so: cannot open shared object file")


class HangsAtStart(Scheduled):
    """Its import never returns."""

    def start(self):
        """Wait for ever."""
        time.sleep(3600)


class ExitsAtLoad(Scheduled):
    """Native code calls exit, having said why."""

    def open(self, *_):
        """End the process."""
        os.write(2, b"fatal: no such kernel\n")
        os._exit(3)


class CrashesAtLoad(Scheduled):
    """Native code reads where it may not."""

    def open(self, *_):
        """End the process by the signal."""
        os.kill(os.getpid(), signal.SIGSEGV)


class RaisesAtLoad(Scheduled):
    """The runtime raises something of its own."""

    def open(self, *_):
        """Raise it."""
        raise ZeroDivisionError("in the optimiser")


class RefusesAtLoad(Scheduled):
    """The runtime says that it cannot."""

    def open(self, *_):
        """Refuse."""
        raise BackendFailure("unsupported", "no kernel for Loop")


class HangsAtLoad(Scheduled):
    """Compiling never ends."""

    def open(self, *_):
        """Wait for ever."""
        time.sleep(3600)


class _LaterFault(Session):
    """Misbehaves in the 30th batch."""

    def run(self, _):
        """Run, or fail when the turn has come."""
        if self.turn == 30:
            self.fault()
        return super().run(_)

    def fault(self):
        """Misbehave."""
        raise NotImplementedError


class _Crash(_LaterFault):
    def fault(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class _Raise(_LaterFault):
    def fault(self):
        raise ZeroDivisionError("in a kernel")


class _Hang(_LaterFault):
    def fault(self):
        time.sleep(3600)


class _Hog(_LaterFault):
    def __init__(self):
        super().__init__()
        self.held = []

    def fault(self):
        for _ in range(100):  # 3 GiB at most
            block = mmap.mmap(-1, _STEP)
            for page in range(0, _STEP, mmap.PAGESIZE):
                block[page] = 1
            self.held.append(block)
            time.sleep(0.02)


class _CrashAtClose(Session):
    def close(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class CrashesInARun(Scheduled):
    """A kernel reads where it may not."""

    session = _Crash


class RaisesInARun(Scheduled):
    """A kernel raises."""

    session = _Raise


class HangsInARun(Scheduled):
    """A kernel never returns."""

    session = _Hang


class HogsMemory(Scheduled):
    """A kernel takes ever more memory."""

    session = _Hog


class CrashesAtClose(Scheduled):
    """The session's destructor reads where it may not."""

    session = _CrashAtClose


class NeedsMps(Scheduled):
    """A runtime that refuses to run beside no MPS daemon of ours, and says where it looked."""

    def open(self, *_):
        """Look where CUDA would."""
        pipes = os.environ["CUDA_MPS_PIPE_DIRECTORY"]
        if not pipes.endswith("/ours/pipes"):
            raise BackendFailure("unsupported", f"no daemon of ours in {pipes}")
        return self.session()


class _Bound(Session):
    def run(self, _):
        """Run the first batch, before anything is bound, and no other."""
        if self.turn:
            raise BackendFailure("crashed", "a copy was made")
        return super().run(_)

    def bind(self, feeds):
        """Return what takes its time."""
        return lambda: Session.run(self, feeds)


class RunsBound(Scheduled):
    """A runtime whose batches stay on the device."""

    session = _Bound


class _Second(Session):
    """Differs from the first session of the process when its 30th batch has come."""

    opened = itertools.count()

    def __init__(self):
        super().__init__()
        self.is_second = next(self.opened) == 1

    def run(self, _):
        """Run, or fail when the turn of the second one has come."""
        if self.is_second and self.turn == 30:
            self.fault()
        return super().run(_)

    def fault(self):
        """Misbehave."""
        raise NotImplementedError


class _SecondRaises(_Second):
    def fault(self):
        raise ZeroDivisionError("in a kernel of the second stream")


class _SecondHangs(_Second):
    def fault(self):
        time.sleep(3600)


class RaisesInOneStream(Scheduled):
    """A kernel raises, in one of several streams."""

    session = _SecondRaises


class HangsInOneStream(Scheduled):
    """A kernel never returns, in one of several streams."""

    session = _SecondHangs


class _Meets(Session):
    """Once, after the runs that load it, waits for a batch of another session at the same time."""

    meeting = threading.Barrier(2)
    met = False

    def run(self, _):
        """Take the time of a batch, or raise when no other comes."""
        if self.turn >= 2 and not _Meets.met:
            self.meeting.wait(10.0)
            _Meets.met = True
        return super().run(_)


class RunsSideBySide(Scheduled):
    """A runtime that works only where batches of two sessions are under way at once."""

    session = _Meets
