"""Carry out a request in this process, alone on the box; a generator of events."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from autotuner import locations
from autotuner.bench.harness import Cancelled
from autotuner.characterize.layers import time_layers
from autotuner.characterize.partitioning import partition
from autotuner.characterize.sweeping import characterize
from autotuner.core.events import Event, Note, TrialDone
from autotuner.core.request import (
    CacheRequest,
    CharacterizeRequest,
    InspectRequest,
    LayersRequest,
    MeasureRequest,
    PartitionRequest,
    RecallRequest,
    RecordRequest,
    Request,
    SelectRequest,
    TuneRequest,
    VerifyRequest,
)
from autotuner.host import mps
from autotuner.host.power import recover
from autotuner.housekeeping import keep_house
from autotuner.inspecting import look_into
from autotuner.lock import HostLock
from autotuner.measuring import measure
from autotuner.recalling import recall
from autotuner.recorder import record
from autotuner.search.storage import set_aside_if_damaged
from autotuner.selecting import select
from autotuner.tuning import Places, tune
from autotuner.verify import verify

_POLL_S = 0.2


def execute(
    request: Request,
    cancelled: Callable[[], bool],
    paused: Callable[[], bool] = lambda: False,
    *,
    asked_s: float | None = None,
) -> Iterator[Event]:
    """Yield what happens while *request* is carried out, its ending last.

    *asked_s* is when it was asked for, in seconds since 1970; None is now.
    Whatever measures waits until nobody else does on this box. When *paused* says yes after a trial
    there is no ending: workers, memory and power state are given back, and the same request goes on
    from there. Raises AutotunerError for what the user can mend and Cancelled
    when *cancelled* said yes before there was a result.
    """
    asked_s = time.time() if asked_s is None else asked_s
    state = locations.make_folder(locations.state_dir())
    cache = locations.make_folder(locations.cache_dir())
    if isinstance(request, TuneRequest) and request.dry_run:
        yield from tune(
            request, places=_places(request, state, cache, asked_s), cancelled=cancelled
        )
        return
    if isinstance(request, InspectRequest):
        yield from look_into(request)
        return
    if isinstance(request, CacheRequest):
        yield keep_house(request, cache)
        return
    if isinstance(request, RecallRequest):
        yield from recall(request, storage=request.storage or _own_storage(state))
        return
    with HostLock(locations.lock_file()) as host:
        yield from _wait_for(host, cancelled)
        for sentence in (
            *recover(locations.trial_journal()),
            *mps.recover(locations.trial_mps()),
            *_recover_studies(state),
        ):
            yield Note(text=sentence)
        with contextlib.closing(_measuring(request, state, cache, cancelled, asked_s)) as events:
            for event in events:
                yield event
                if isinstance(event, TrialDone) and paused():
                    return


def _wait_for(host: HostLock, cancelled: Callable[[], bool]) -> Iterator[Event]:
    """Take the lock, saying so when that takes a while; raises Cancelled."""
    if not host.acquire():
        yield Note(text=f"Waiting for process {host.holder}, which measures on this box.")
        while not host.acquire():
            if cancelled():
                raise Cancelled
            time.sleep(_POLL_S)


def _measuring(
    request: Request, state: Path, cache: Path, cancelled: Callable[[], bool], asked_s: float
) -> Generator[Event, None, None]:
    if isinstance(request, TuneRequest):
        yield from tune(
            request, places=_places(request, state, cache, asked_s), cancelled=cancelled
        )
    elif isinstance(request, VerifyRequest):
        yield from verify(request, cache_dir=cache, cancelled=cancelled)
    elif isinstance(request, CharacterizeRequest):
        yield from characterize(
            request, cache_dir=cache, storage=_own_storage(state), cancelled=cancelled
        )
    elif isinstance(request, PartitionRequest):
        yield from partition(request, cache_dir=cache, cancelled=cancelled)
    elif isinstance(request, LayersRequest):
        yield from time_layers(request, cache_dir=cache, cancelled=cancelled)
    elif isinstance(request, SelectRequest):
        places = _places(request.tune, state, cache, asked_s)
        yield from select(request, places=places, cancelled=cancelled)
    elif isinstance(request, RecordRequest):
        yield from record(request, cache_dir=cache, cancelled=cancelled)
    elif isinstance(request, MeasureRequest):
        yield from measure(request, cache_dir=cache, cancelled=cancelled)


def _places(request: TuneRequest, state: Path, cache: Path, asked_s: float) -> Places:
    storage = request.storage or _own_storage(state)
    return Places(profiles=state / "profiles", storage=storage, cache=cache, asked_s=asked_s)


def _recover_studies(state: Path) -> Iterator[str]:
    if aside := set_aside_if_damaged(_own_storage(state)):
        yield (
            f"The database of earlier searches was damaged and moved to {aside}; what they "
            "measured is not known any more."
        )


def _own_storage(state: Path) -> str:
    """Return where the studies of this box lie."""
    return f"sqlite:///{state / 'studies.db'}"
