"""The study of a request, opened with all that earlier ones found out."""

from __future__ import annotations

from datetime import datetime, timezone

from autotuner import plan
from autotuner.core.request import TuneRequest
from autotuner.core.space import SearchSpace
from autotuner.search import Search, stored_facts, study_name
from autotuner.subject import Subject


def open_search(request: TuneRequest, subject: Subject, space: SearchSpace, storage: str) -> Search:
    """Open the study of this request with all that earlier ones found out about the subject."""
    fingerprint = subject.fingerprint.digest
    if request.workload.scenario == "server":
        # What is measured there depends on the budget: it decides on the highest rate.
        fingerprint += f" {request.objective.latency_bound}"
    if request.workload.tiles is not None:
        fingerprint += f" {request.workload.tiles} tiles"
    name = study_name(fingerprint, space, request.objective)
    facts = () if request.fresh else stored_facts(storage, fingerprint=fingerprint)
    if request.fresh:
        name += datetime.now(timezone.utc).strftime("-fresh-%Y%m%dT%H%M%S")
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
