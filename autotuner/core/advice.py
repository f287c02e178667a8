"""What to do when no configuration keeps the constraints: in words, from what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from autotuner.core.events import Candidate
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement
from autotuner.core.space import Value

_MARGIN = 1.05
_OPTION = {
    "memory_mib": "--max-memory",
    "power_w": "--max-power",
    "throughput_ips": "--min-throughput",
}
_UNIT = {"memory_mib": "MiB", "power_w": "W", "throughput_ips": ""}


def closest(candidates: Iterable[Candidate], objective: Objective) -> Candidate | None:
    """Return the candidate that breaks the constraints least, relative to their bounds.

    Of several that break none it is the best.
    """
    found: Candidate | None = None
    for candidate in candidates:
        if found is None or _closer(candidate.measurement, found.measurement, objective):
            found = candidate
    return found


def when_infeasible(
    nearest: Candidate | None, objective: Objective, pinned: Mapping[str, tuple[Value, ...]]
) -> str:
    """Say which budget or which knob would help, given the *nearest* configuration.

    *pinned* are the dimensions that the user narrowed.
    """
    if nearest is None:
        return "No configuration could be measured; see the failures above."
    broken = [c for c in objective.constraints if not c.kept(nearest.measurement)]
    words = [f"the closest is {nearest.config}"]
    words += [_needed(constraint, nearest.measurement) for constraint in broken]
    if not broken:
        words.append(
            "it kept the budget but time was too short to prove it: "
            "ask for a lower --percentile or --confidence"
        )
    elif pinned:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(pinned))
        words.append(f"or widen what you narrowed ({options})")
    else:
        words.append("or use a smaller model or input")
    return f"No configuration keeps {objective}: {'; '.join(words)}."


def _needed(constraint: Constraint, measurement: Measurement) -> str:
    value = measurement.metric(constraint.metric)
    if constraint.metric.endswith("_ms"):
        return f"a budget of --max-latency {_rounded_up(value * _MARGIN)}ms would be kept"
    metric, _, rail = constraint.metric.partition(".")
    option = _OPTION.get(metric, metric)
    unit = _UNIT.get(metric, "")
    bound = value / _MARGIN if constraint.at_least is not None else value * _MARGIN
    digits = max(0, 2 - math.floor(math.log10(bound)))
    of = f"{rail}=" if rail else ""
    return f"{option} {of}{bound:.{digits}f}{unit} would be kept"


def _rounded_up(value: float) -> str:
    digits = 1 - math.floor(math.log10(value))
    scale = 10.0**digits
    return f"{math.ceil(value * scale) / scale:g}"


def _closer(left: Measurement, right: Measurement, objective: Objective) -> bool:
    ours, theirs = _excess(left, objective), _excess(right, objective)
    return ours < theirs if ours or theirs else objective.better(left, right)


def _excess(measurement: Measurement, objective: Objective) -> float:
    return sum(
        max(0.0, c.violation(measurement)) / abs(c.bound or 1.0) for c in objective.constraints
    )
