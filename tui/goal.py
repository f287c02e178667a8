"""What a job wants, read back from the words of its first event."""

from __future__ import annotations

import re

from autotuner.core.errors import SpaceError
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Measurement, Outcome
from tui.figures import plain
from tui.glyphs import Glyphs

_WHOLE = re.compile(r"(maximize|minimize) (\S+?)(?:(?: with|,) (.+))?")
_BOUND = re.compile(r"(\S+) (<=|>=) (\S+)")
_NAMES = {"throughput_ips": "throughput", "memory_mib": "memory", "power_w": "power"}
_UNITS = {"throughput_ips": "/s", "memory_mib": " MiB", "power_w": " W", "energy_j": " J"}


def read(text: str | None) -> Objective | None:
    """Return the objective that prints as *text*, None when it cannot be read."""
    whole = _WHOLE.fullmatch(text or "")
    if whole is None:
        return None
    bounds = []
    for part in (whole[3] or "").split(" and "):
        if found := _BOUND.fullmatch(part.strip()):
            side = "at_most" if found[2] == "<=" else "at_least"
            try:
                bounds.append(Constraint(found[1], **{side: float(found[3])}))
            except ValueError:
                return None
    if whole[1] == "maximize":
        return Objective.maximize(whole[2], bounds)
    return Objective.minimize(whole[2], bounds)


def feasible(objective: Objective | None, outcome: Outcome | None) -> bool:
    """Say whether *outcome* keeps what *objective* demands; what is not known is not kept."""
    if not isinstance(outcome, Measurement):
        return False
    try:
        return objective is None or objective.feasible(outcome)
    except SpaceError:
        return False


def latency_metric(objective: Objective | None) -> str:
    """Return the name of the latency that counts, such as ``p99_ms``."""
    return f"p{(objective.percentile if objective else 99.0):g}_ms"


def latency(objective: Objective | None, measurement: Measurement) -> float | None:
    """Return the latency that counts, None when it was not measured."""
    name = latency_metric(objective)
    return measurement.extra.get(name, getattr(measurement, name, None))


def words(objective: Objective | None, glyphs: Glyphs) -> str:
    """Return the objective in a few words: ``max throughput, p99 ≤ 50 ms``."""
    if objective is None:
        return ""
    bounds = []
    for bound in objective.constraints:
        sign = glyphs.at_most if bound.at_least is None else glyphs.at_least
        bounds.append(f"{_name(bound.metric)} {sign} {plain(bound.bound)}{_unit(bound.metric)}")
    return ", ".join([f"{objective.direction[:3]} {_name(objective.metric)}", *bounds])


def _name(metric: str) -> str:
    return _NAMES.get(metric, metric.removesuffix("_ms").removesuffix("_j"))


def _unit(metric: str) -> str:
    return _UNITS.get(metric, " ms" if metric.endswith("_ms") else "")
