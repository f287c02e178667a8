"""The job process: carries out one request and writes its events to standard output.

Standard input says ``cancel``; its end means that the daemon is gone, and the job ends then too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

from autotuner.bench.harness import Cancelled
from autotuner.core.encoding import decode
from autotuner.core.errors import AutotunerError
from autotuner.core.events import Ending, Event, JobFailed, encode_event
from autotuner.core.request import KINDS, Request
from autotuner.execution import execute

_LAST_MOMENT_S = 10.0


def main() -> None:
    """Carry out the request in the job folder given as first argument."""
    # Whatever a library prints goes to the log; the events have standard output to themselves.
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    folder = Path(sys.argv[1])
    cancel = threading.Event()
    threading.Thread(target=_listen, args=(cancel,), daemon=True).start()
    ended = False
    for event in _guarded(folder, cancel):
        out.write(json.dumps(encode_event(event)) + "\n")
        ended = isinstance(event, Ending)
    assert ended, "a job ends with an ending"


def _guarded(folder: Path, cancel: threading.Event) -> Iterator[Event]:
    """Yield the events of the job; whatever goes wrong becomes a JobFailed."""
    log = str(folder / "log")
    try:
        yield from execute(_request(folder), cancel.is_set)
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


def _request(folder: Path) -> Request:
    submitted = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    request: Request = decode(KINDS[submitted["kind"]], submitted["request"])
    return request


def _listen(cancel: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "cancel":
            cancel.set()
    cancel.set()
    # Nobody listens any more. What a moment allows is kept; then nothing may be left behind.
    threading.Event().wait(_LAST_MOMENT_S)
    os._exit(1)


if __name__ == "__main__":
    main()
