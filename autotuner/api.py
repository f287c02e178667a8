"""The public Python interface, for those who would rather not go through the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from autotuner.core import quantity
from autotuner.core.errors import InputError
from autotuner.core.events import CharacterizeDone, Event, TuneDone
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.core.request import CharacterizeRequest, TuneRequest, Workload
from autotuner.core.space import Value
from autotuner.core.sweep import Sweep
from autotuner.execution import execute
from autotuner.report import rows
from autotuner.serve import open_profile

__all__ = ["frame", "open_profile", "sweep", "tune"]


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
    request = TuneRequest(
        workload=Workload(model=None if model is None else _absolute(model), device=device),
        max_latency_ms=quantity.milliseconds(max_latency) if max_latency else None,
        **options,
    )
    for event in execute(request, cancelled):
        if on_event is not None:
            on_event(event)
        if isinstance(event, TuneDone):
            return event
    raise AssertionError("tuning ends with TuneDone")


def sweep(
    models: str | Path | Iterable[str | Path],
    dimensions: Mapping[str, Iterable[Value]],
    *,
    device: str | None = None,
    on_event: Callable[[Event], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    **options: Any,
) -> Sweep:
    """Measure a whole grid of configurations for each of *models* and return what they showed.

    *dimensions* has their values by name, such as ``{"batch_size": range(1, 17)}``;
    *options* are further fields of :class:`~autotuner.core.request.CharacterizeRequest`. The rest
    is as in :func:`tune`. What is known is not measured again.
    """
    several = [models] if isinstance(models, str | Path) else models
    request = CharacterizeRequest(
        models=tuple(map(_absolute, several)),
        workload=Workload(device=device),
        dimensions={name: tuple(values) for name, values in dimensions.items()},
        **options,
    )
    for event in execute(request, cancelled):
        if on_event is not None:
            on_event(event)
        if isinstance(event, CharacterizeDone):
            return event.sweep
    raise AssertionError("a sweep ends with CharacterizeDone")


def frame(found: Sweep | LayerProfile | Partition) -> Any:
    """Return what was *found* as a pandas frame, a row for each measurement, layer or cut.

    Units stand in the names of the columns. Raises InputError where pandas is not installed.
    """
    try:
        import pandas as pd  # noqa: PLC0415 - optional, and heavy
    except ImportError:
        raise InputError("Frames need pandas; install it beside this package.") from None
    if isinstance(found, LayerProfile):
        return pd.DataFrame(rows.of_layers(found))
    if isinstance(found, Partition):
        return pd.DataFrame(rows.of_partition(found))
    return pd.DataFrame(rows.of_sweeps([found]))


def _absolute(model: str | Path) -> str:
    """Return the path of *model*, or its name where it is no file."""
    path = Path(model)
    return str(path.absolute()) if path.exists() else str(model)
