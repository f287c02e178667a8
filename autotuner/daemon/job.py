"""The job process: ``python -m autotuner.daemon.job FOLDER [SOCKET]`` carries out one request.

It speaks with the daemon over standard input and output, or over the socket: it writes its events
and reads ``cancel``, ``pause`` and ``resume``. The end of its input means that the daemon is gone,
and the job ends then too.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from autotuner.bench.harness import Cancelled
from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError
from autotuner.core.events import Ending, Event, JobFailed, encode_event
from autotuner.core.request import KINDS, Request
from autotuner.daemon.process import PAUSED
from autotuner.execution import execute

_LAST_MOMENT_S = 10.0


def main() -> None:
    """Carry out the request in the job folder given as first argument."""
    folder = Path(sys.argv[1])
    words, out = _over_socket(sys.argv[2]) if len(sys.argv) > 2 else _over_standard_streams()
    wishes = _Wishes()
    threading.Thread(target=_listen, args=(wishes, words), daemon=True).start()
    ended = False
    try:
        for event in _guarded(folder, wishes):
            out.write(json.dumps(encode_event(event)) + "\n")
            ended = isinstance(event, Ending)
        if not ended:
            out.write(json.dumps({"event": PAUSED}) + "\n")
    except BrokenPipeError:
        sys.exit(1)  # nobody is there; the next daemon starts the job again


def _over_standard_streams() -> tuple[TextIO, TextIO]:
    # Whatever a library prints goes to the log; the events have standard output to themselves.
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    return sys.stdin, out


def _over_socket(path: str) -> tuple[TextIO, TextIO]:
    daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    daemon.connect(path)
    handle = daemon.detach()
    return (
        os.fdopen(handle, encoding="utf-8"),
        os.fdopen(os.dup(handle), "w", buffering=1, encoding="utf-8"),
    )


class _Wishes:
    """What the daemon wants of the job."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.paused = threading.Event()


def _guarded(folder: Path, wishes: _Wishes) -> Iterator[Event]:
    """Yield the events of the job; whatever goes wrong becomes a JobFailed."""
    log = str(folder / "log")
    try:
        request, asked_s = _submitted(folder)
        yield from execute(request, wishes.cancelled.is_set, wishes.paused.is_set, asked_s=asked_s)
    except Cancelled:
        yield JobFailed(message="The job was cancelled before it had a result.", interrupted=True)
    except AutotunerError as error:
        yield JobFailed(message=str(error), traceback=traceback.format_exc())
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _write_down(error)
        yield JobFailed(
            message=f"The system refused something ({what}); see {log} and mend it.",
            traceback=traceback.format_exc(),
            log=log,
        )
    except Exception as error:  # noqa: BLE001 - the last resort: said, logged, never a bare traceback
        _write_down(error)
        yield JobFailed(
            message=f"This is a fault of edge-autotune ({type(error).__name__}: {error}); "
            f"please report it with {log}.",
            unexpected=True,
            traceback=traceback.format_exc(),
            log=log,
        )


def _write_down(error: Exception) -> None:
    with contextlib.suppress(OSError):  # the log's disk may be what is wrong
        traceback.print_exception(error)


def _submitted(folder: Path) -> tuple[Request, float]:
    """Return the request and when it was handed in."""
    submitted = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    request: Request = decode(KINDS[submitted["kind"]], submitted["request"])
    return request, float(submitted["submitted"])


def _listen(wishes: _Wishes, words: TextIO) -> None:
    actions = {
        "cancel": wishes.cancelled.set,
        "pause": wishes.paused.set,
        "resume": wishes.paused.clear,
    }
    for line in words:
        actions[line.strip()]()
    wishes.cancelled.set()
    # Nobody listens any more. What a moment allows is kept; then nothing may be left behind.
    threading.Event().wait(_LAST_MOMENT_S)
    os._exit(1)


if __name__ == "__main__":
    main()
