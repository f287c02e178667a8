"""The study of a request, opened with all that earlier ones found out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

from autotuner import plan
from autotuner.core.config import Config
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed, Outcome
from autotuner.core.request import TuneRequest, Workload
from autotuner.core.space import SearchSpace, Value
from autotuner.search import Search, stored_facts, study_name
from autotuner.subject import Subject

Fact = tuple[Mapping[str, Value], Outcome]
"""A configuration and what it showed, whatever that was wanted for."""


def store_key(fingerprint: Fingerprint, workload: Workload, objective: Objective) -> str:
    """Return what the facts of a subject are kept under, as far as they depend on what is asked."""
    key = fingerprint.digest
    if workload.scenario == "server":
        # What is measured there depends on the budget: it decides on the highest rate.
        key += f" {objective.latency_bound}"
    if workload.tiles is not None:
        key += f" {workload.tiles} tiles"
    return key


def within(space: SearchSpace, facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Return the *facts* about configurations of *space*, with its dimensions.

    What is no choice somewhere is no dimension there and has its default. That a precision was
    refused as inaccurate is no fact about a configuration: another rule may take it.
    """
    found: list[Fact] = []
    for settings, outcome in facts:
        config = Config.from_mapping(settings)
        known = config.to_mapping()
        point = {name: known[name] for name in space.names}
        refused = isinstance(outcome, Failed) and outcome.reason == "inaccurate"
        if point in space and Config.from_mapping(point) == config and not refused:
            found.append((point, outcome))
    return tuple(found)


def open_search(
    request: TuneRequest, subject: Subject, space: SearchSpace, storage: str, asked_s: float
) -> Search:
    """Open the study of this request with all that earlier ones found out about the subject.

    A fresh one is known by *asked_s*, when it was asked for, so that it goes on after an end.
    """
    fingerprint = store_key(subject.fingerprint, request.workload, request.objective)
    name = study_name(fingerprint, space, request.objective)
    facts = () if request.fresh else stored_facts(storage, fingerprint=fingerprint)
    facts = within(space, facts)
    known = [config for config, _ in facts]
    if request.fresh:
        asked = datetime.fromtimestamp(asked_s, timezone.utc)
        name += asked.strftime("-fresh-%Y%m%dT%H%M%S.%f")
    search = Search(
        space,
        request.objective,
        name=name,
        storage=storage,
        sampler=request.sampler,
        seed=request.workload.seed,
        seeds=[seed for seed in plan.seeds(space, subject) if seed not in known],
        fingerprint=fingerprint,
    )
    search.import_trials(facts)
    return search
