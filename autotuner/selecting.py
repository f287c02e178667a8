"""The job that finds the most accurate model within the constraints; a generator of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from autotuner import accuracy_table
from autotuner.core.errors import ModelError
from autotuner.core.events import Event, Note, SelectDone, TuneDone
from autotuner.core.request import SelectRequest, TuneRequest
from autotuner.core.selection import Option, choose
from autotuner.tuning import Places, tune


def select(
    request: SelectRequest, *, places: Places, cancelled: Callable[[], bool]
) -> Iterator[Event]:
    """Tune every model of *request* in turn and end with SelectDone.

    A model that cannot be used costs itself alone. Raises InputError for a bad accuracy table.
    """
    began = time.monotonic()
    table = request.accuracy_table
    accuracies = accuracy_table.read(Path(table), request.models) if table else {}
    options: list[Option] = []
    for number, model in enumerate(request.models, start=1):
        yield Note(text=f"Model {number} of {len(request.models)}: {model}")
        asked = replace(request.tune, workload=replace(request.tune.workload, model=model))
        options.append((yield from _tuned(asked, accuracies.get(model), places, cancelled)))
        if options[-1].status == "interrupted":
            break
    chosen = choose(options)
    interrupted = options[-1].status == "interrupted"
    yield SelectDone(
        status="interrupted" if interrupted else _status(options),
        message=_message(options, chosen, known=bool(accuracies)),
        model=chosen.model if chosen else None,
        options=tuple(options),
        elapsed_s=time.monotonic() - began,
    )


def _tuned(
    request: TuneRequest, accuracy: float | None, places: Places, cancelled: Callable[[], bool]
) -> Generator[Event, None, Option]:
    """Tune one model; return what it showed."""
    name = str(request.workload.model)
    try:
        for event in tune(request, places=places, cancelled=cancelled):
            if not isinstance(event, TuneDone):
                yield event
                continue
            winner = event.winner
            return Option(
                model=name,
                status=event.status,
                accuracy=accuracy,
                config=winner.config if winner else None,
                measurement=winner.measurement if winner else None,
                profile=event.profile,
                why="" if event.status == "ok" else event.message,
            )
    except ModelError as error:
        yield Note(text=str(error))
        return Option(model=name, status="failed", accuracy=accuracy, why=str(error))
    raise AssertionError("tuning ends with TuneDone")


def _status(options: Sequence[Option]) -> Literal["ok", "infeasible"]:
    return "ok" if any(option.status == "ok" for option in options) else "infeasible"


def _message(options: Sequence[Option], chosen: Option | None, *, known: bool) -> str:
    if chosen is not None:
        return f"{Path(chosen.model).stem} is the most accurate model that keeps the constraints."
    if any(option.status == "ok" for option in options) and not known:
        return (
            "Which of them is the most accurate is not known; give the accuracies with "
            "--accuracy-table FILE."
        )
    return "No model keeps the constraints; allow more, or try a smaller model."
