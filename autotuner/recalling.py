"""The job that looks back upon a tuning run; a generator of events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autotuner import history, store
from autotuner.core.config import Config
from autotuner.core.events import Event, RecallDone
from autotuner.core.profile import Evidence, Profile
from autotuner.core.request import RecallRequest
from autotuner.core.sweep import Point, Sweep
from autotuner.core.tuning_run import TuningRun
from autotuner.search import stored_facts


def recall(request: RecallRequest, *, storage: str) -> Iterator[Event]:
    """Find what *storage* knows beside the profile of *request* and end with RecallDone.

    Raises StateError when the profile or the storage cannot be used.
    """
    profile = store.read(Path(request.profile))
    key = history.store_key(profile.fingerprint, profile.workload, profile.objective)
    facts = stored_facts(storage, fingerprint=key)
    points = [
        Point(model=profile.model.name, config=Config.from_mapping(config), outcome=outcome)
        for config, outcome in facts
    ]
    yield RecallDone(
        run=TuningRun(
            profile=profile,
            measured=Sweep(
                tool_version=profile.tool_version,
                created=profile.created,
                box=profile.simulated or profile.fingerprint.cpu or "this box",
                simulated=profile.simulated is not None,
                models=(),
                points=tuple(points or _kept(profile)),
            ),
        )
    )


def _kept(profile: Profile) -> Iterator[Point]:
    """Yield what the profile itself has, where it comes from another box."""
    known: tuple[Evidence, ...] = (profile.baseline, profile.winner, *profile.front)
    for evidence in known:
        seen = evidence.search_measurement or evidence.measurement
        yield Point(model=profile.model.name, config=evidence.config, outcome=seen)
