"""The study of a request, opened with all that earlier ones found out."""

from __future__ import annotations

from datetime import datetime, timezone

from autotuner import plan
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Objective
from autotuner.core.request import TuneRequest, Workload
from autotuner.core.space import SearchSpace
from autotuner.search import Search, stored_facts, study_name
from autotuner.subject import Subject


def store_key(fingerprint: Fingerprint, workload: Workload, objective: Objective) -> str:
    """Return what the facts of a subject are kept under, as far as they depend on what is asked."""
    key = fingerprint.digest
    if workload.scenario == "server":
        # What is measured there depends on the budget: it decides on the highest rate.
        key += f" {objective.latency_bound}"
    if workload.tiles is not None:
        key += f" {workload.tiles} tiles"
    return key


def open_search(
    request: TuneRequest, subject: Subject, space: SearchSpace, storage: str, asked_s: float
) -> Search:
    """Open the study of this request with all that earlier ones found out about the subject.

    A fresh one is known by *asked_s*, when it was asked for, so that it goes on after an end.
    """
    fingerprint = store_key(subject.fingerprint, request.workload, request.objective)
    name = study_name(fingerprint, space, request.objective)
    facts = () if request.fresh else stored_facts(storage, fingerprint=fingerprint)
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
        seeds=plan.seeds(space, subject.topology),
        fingerprint=fingerprint,
    )
    search.import_trials(facts)
    return search
