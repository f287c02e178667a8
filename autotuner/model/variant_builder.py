"""The process that makes a variant, as its parent sees it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import IO

from autotuner.core.errors import ModelError
from autotuner.core.outcome import Failed
from autotuner.model.precision.messages import Answer, Built, Order, Progress, Refused, Rejected

_ASK_EVERY_S = 0.1
_TAIL_CHARACTERS = 300


def run(
    order: Order, on_progress: Callable[[Progress], None], cancelled: Callable[[], bool]
) -> Built | Failed | None:
    """Have *order* made by a process of its own, which dies with this one.

    None when *cancelled* said yes; Failed when there is no such variant or the process died.
    Raises ModelError for data that cannot be used.
    """
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as words, Connection(ours.detach()) as connection:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "autotuner.model.precision", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        try:
            connection.send(order)
            while not cancelled():
                if not connection.poll(_ASK_EVERY_S):
                    continue
                answer: Answer = connection.recv()
                match answer:
                    case Progress():
                        on_progress(answer)
                    case Refused(failed):
                        return failed
                    case Rejected(message):
                        raise ModelError(message)
                    case Built():
                        return answer
        except (EOFError, OSError):
            return _obituary(order, process.wait(), words)
        finally:
            process.kill()
            process.wait()
    return None


def _obituary(order: Order, code: int, words: IO[bytes]) -> Failed:
    words.seek(0)
    said = " ".join(words.read().decode(errors="replace").split())[-_TAIL_CHARACTERS:]
    if code == -signal.SIGKILL:
        how = "was ended by SIGKILL, perhaps because memory ran out"
    elif code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
    else:
        how = f"ended with status {code}"
    return Failed("crashed", f"{order.variant}: the process that makes it {how}: {said}")
