"""What a study is about: its name, and what stands in it so that no other search takes it."""

from __future__ import annotations

import hashlib
import json
import warnings
from typing import Any

import optuna

from autotuner.core import Objective, SearchSpace
from autotuner.core.errors import StateError
from autotuner.search.parameters import describe

SCHEMA = 1
"""Version of what a study and its trials hold; older ones are migrated, newer ones refused."""


def study_name(fingerprint: str, space: SearchSpace, objective: Objective) -> str:
    """Return a name that only searches of the same fingerprint, space and objective share."""
    text = json.dumps([fingerprint, describe(space), str(objective)])
    return f"{fingerprint}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def introduce(
    study: optuna.Study, space: SearchSpace, objective: Objective, *, fingerprint: str | None
) -> None:
    """Write what *study* is about, or check that it is what this search wants.

    Raises StateError when it is about something else or was written by a newer version.
    """
    attributes = study.user_attrs
    schema = attributes.get("schema", SCHEMA)
    if schema > SCHEMA:
        raise StateError(
            f"The study {study.study_name!r} was written by a newer version (schema {schema}, "
            f"this one knows {SCHEMA}); update, or choose another study."
        )
    wanted: dict[str, Any] = {
        "schema": SCHEMA,
        "fingerprint": fingerprint,
        "objective": str(objective),
        "space": describe(space),
    }
    for key in ("objective", "space"):
        if attributes.get(key, wanted[key]) != json.loads(json.dumps(wanted[key])):
            raise StateError(
                f"The study {study.study_name!r} is about another {key}; "
                "choose another name and import its trials."
            )
    for key, value in wanted.items():
        if key not in attributes:
            study.set_user_attr(key, value)
    if not study.metric_names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([objective.metric])
