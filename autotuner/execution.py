"""Carry out a request in this process, alone on the box; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from autotuner import locations
from autotuner.bench.harness import Cancelled
from autotuner.core.events import Event, Note
from autotuner.core.request import Request, TuneRequest, VerifyRequest
from autotuner.lock import HostLock
from autotuner.measuring import measure
from autotuner.tuning import Places, tune
from autotuner.verify import verify

_POLL_S = 0.2


def execute(request: Request, cancelled: Callable[[], bool]) -> Iterator[Event]:
    """Yield what happens while *request* is carried out, its ending last.

    Whatever measures waits until nobody else does on this box. Raises AutotunerError for what the
    user can mend and Cancelled when *cancelled* said yes before there was a result.
    """
    state = locations.make_folder(locations.state_dir())
    cache = locations.make_folder(locations.cache_dir())
    if isinstance(request, TuneRequest) and request.dry_run:
        yield from tune(request, places=_places(request, state, cache), cancelled=cancelled)
        return
    with HostLock(locations.lock_file()) as host:
        if not host.acquire():
            yield Note(text=f"Waiting for process {host.holder}, which measures on this box.")
            while not host.acquire():
                if cancelled():
                    raise Cancelled
                time.sleep(_POLL_S)
        if isinstance(request, TuneRequest):
            yield from tune(request, places=_places(request, state, cache), cancelled=cancelled)
        elif isinstance(request, VerifyRequest):
            yield from verify(request, cache_dir=cache, cancelled=cancelled)
        else:
            yield from measure(request, cache_dir=cache, cancelled=cancelled)


def _places(request: TuneRequest, state: Path, cache: Path) -> Places:
    storage = request.storage or f"sqlite:///{state / 'studies.db'}"
    return Places(profiles=state / "profiles", storage=storage, cache=cache)
