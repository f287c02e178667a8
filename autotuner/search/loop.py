"""The whole search in one call: ask, evaluate, tell, until a reason to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autotuner.core import Objective, Outcome, SearchSpace, Value
from autotuner.search.study import Search, Trial

Config = Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a search found: the recommended configuration, if any, and every trial in order.

    *reason* says in words why the search ended.
    """

    best: dict[str, Value] | None
    trials: tuple[Trial, ...]
    reason: str


def search(
    space: SearchSpace,
    evaluate: Callable[[Config], Outcome],
    objective: Objective,
    *,
    max_trials: int = 60,
    max_seconds: float | None = None,
    first: bool = False,
    seed: int | None = 0,
    sampler: str = "auto",
    storage: str | None = None,
    on_trial: Callable[[Trial, dict[str, Value] | None], None] | None = None,
) -> Result:
    """Search *space* for the best configuration that is sure to keep its constraints.

    *evaluate* measures one configuration. *max_trials* counts every measurement, repeated ones
    and those of a resumed study too. *first* stops as soon as one configuration can be
    recommended. *sampler* is one of ``auto tpe gp random``; *storage* is a URL of Optuna's, None
    is memory. *on_trial* is called after every trial with it and the recommendation so far. An
    interrupt (Ctrl-C) ends the search with what is known by then.
    """
    ends = None if max_seconds is None else time.monotonic() + max_seconds
    with Search(space, objective, storage=storage, sampler=sampler, seed=seed) as study:
        reason = None
        try:
            while reason is None:
                reason = _reason_to_stop(study, max_trials, ends, first=first)
                if reason is None:
                    started = time.monotonic()
                    trial = study.ask()
                    outcome = evaluate(trial.config)
                    told = study.tell(trial, outcome, seconds=time.monotonic() - started)
                    if on_trial is not None:
                        on_trial(told, _config(study.best()))
        except KeyboardInterrupt:
            reason = "interrupted"
        return Result(best=_config(study.best()), trials=study.trials(), reason=reason)


def _reason_to_stop(
    study: Search, max_trials: int, ends: float | None, *, first: bool
) -> str | None:
    if len(study.trials()) >= max_trials:
        return f"{max_trials} trials are done"
    if ends is not None and time.monotonic() >= ends:
        return "the time is up"
    if first and study.best() is not None:
        return "a configuration within the constraints is found"
    return study.exhausted()


def _config(trial: Trial | None) -> dict[str, Value] | None:
    return None if trial is None else dict(trial.config)
