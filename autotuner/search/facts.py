"""What earlier studies measured: facts, whatever they were wanted for."""

from __future__ import annotations

import json
from collections.abc import Mapping

import optuna
from optuna.trial import TrialState

from autotuner.core import Outcome, Value
from autotuner.core.encoding import encode
from autotuner.search.identity import SCHEMA
from autotuner.search.judge import stored_outcome
from autotuner.search.storage import close_storage, open_storage, reported

IMPORTED = "imported"
"""Why there is a trial that was measured for another study."""


def stored_facts(
    storage: str, *, fingerprint: str
) -> tuple[tuple[Mapping[str, Value], Outcome], ...]:
    """Return what every study in *storage* with this *fingerprint* measured, oldest study first.

    Raises StateError when the storage cannot be used.
    """
    facts: list[tuple[Mapping[str, Value], Outcome]] = []
    opened = open_storage(storage)
    try:
        with reported(storage):
            for study in optuna.get_all_study_names(opened):
                loaded = optuna.load_study(study_name=study, storage=opened)
                attributes = loaded.user_attrs
                if attributes.get("fingerprint") != fingerprint or attributes["schema"] > SCHEMA:
                    continue
                for frozen in loaded.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
                    stored = frozen.user_attrs
                    if stored.get("why") != IMPORTED and "outcome" in stored:
                        facts.append((stored["config"], stored_outcome(frozen)))
    finally:
        close_storage(opened)
    return tuple(facts)


def fact_key(config: Mapping[str, Value], outcome: Outcome | None) -> str:
    """Return the same text for the same measurement of the same configuration."""
    return json.dumps([dict(config), encode(outcome)], sort_keys=True)
