"""The public Python interface, for those who would rather not go through the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotuner.core import quantity
from autotuner.core.events import Event, TuneDone
from autotuner.core.request import TuneRequest, Workload
from autotuner.execution import execute
from autotuner.serve import open_profile

__all__ = ["open_profile", "tune"]


def tune(
    model: str | Path | None = None,
    *,
    max_latency: str | None = None,
    device: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    **options: Any,
) -> TuneDone:
    """Tune *model*, a path or the name of a reference model, in this process and return the result.

    *max_latency* is the budget with its unit, such as ``"50ms"``, *device* one that is not there,
    such as ``"sim:jetson-tx2"``; *options* are further fields of
    :class:`~autotuner.core.request.TuneRequest`. *on_event* is called with every event. The profile
    lies where the result says. Raises AutotunerError for what can be mended.
    """
    if model is not None:
        path = Path(model)
        model = str(path.absolute()) if path.exists() else str(model)
    request = TuneRequest(
        workload=Workload(model=model, device=device),
        max_latency_ms=quantity.milliseconds(max_latency) if max_latency else None,
        **options,
    )
    for event in execute(request, cancelled):
        if on_event is not None:
            on_event(event)
        if isinstance(event, TuneDone):
            return event
    raise AssertionError("tuning ends with TuneDone")
