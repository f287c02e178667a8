"""Power, clocks and heat of a stretch of time, from the samples around it. Pure."""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from autotuner.host.sensors.sampler import Sample

Device = Literal["cpu", "gpu"]
"""What runs the model, and whose clock counts therefore."""

_TOTAL = "power.total_w"
_PLATFORM = "power.psys_w"
_PARTS = ("package", "dram", "gpu")
_CLOCKS = {"cpu.clock_mhz": "cpu", "gpu.clock_mhz": "gpu", "memory.clock_mhz": "memory"}
_HEAT = ("temperature.",)
_DIES = tuple(f"temperature.{die}" for die in ("cpu", "gpu", "tj", "soc", "x86_pkg"))
"""What throttles when it gets warm; a disk may be warmer."""
_NS_PER_S = 1e9
_LONGEST_GAP_S = 1.5
"""Samples further apart than this say nothing about the time between them."""


def total_rails(names: Iterable[str]) -> tuple[str, ...]:
    """Return the power readings whose sum is the most complete total among *names*.

    That is a board's own total, else the platform's counter, else processor packages, their memory
    and graphics cards together; empty when there are none.
    """
    names = sorted(name for name in names if name.startswith("power.") and name.endswith("_w"))
    for whole in (_TOTAL, _PLATFORM):
        if whole in names:
            return (whole,)
    return tuple(n for n in names if n.removeprefix("power.").startswith(_PARTS))


def mean_between(samples: Sequence[Sample], name: str, begin_ns: int, end_ns: int) -> float | None:
    """Return the mean of the reading *name* over a stretch of time, by the trapezoid rule.

    None when the reading is missing for long somewhere in it.
    """
    points = [(s.at_ns, s.values[name]) for s in samples if name in s.values]
    inside = [point for point in points if begin_ns < point[0] < end_ns]
    first, last = _at(points, begin_ns), _at(points, end_ns)
    if first is None or last is None or end_ns <= begin_ns:
        return None
    line = [(begin_ns, first), *inside, (end_ns, last)]
    area = 0.0
    for (left_ns, left), (right_ns, right) in itertools.pairwise(line):
        if right_ns - left_ns > _LONGEST_GAP_S * _NS_PER_S:
            return None
        area += (left + right) / 2.0 * (right_ns - left_ns)
    return area / (end_ns - begin_ns)


def power_between(samples: Sequence[Sample], begin_ns: int, end_ns: int) -> float | None:
    """Return the mean total power in W, None when it is not known throughout."""
    rails = total_rails({name for sample in samples for name in sample.values})
    means = [mean_between(samples, rail, begin_ns, end_ns) for rail in rails]
    known = [mean for mean in means if mean is not None]
    return sum(known) if known and len(known) == len(means) else None


def figures(
    samples: Sequence[Sample],
    begin_ns: int,
    end_ns: int,
    *,
    device: Device = "cpu",
    idle_w: float | None = None,
) -> dict[str, float]:
    """Return what the samples show of a window.

    Names are metrics of a Measurement; what is not known is left out. ``power_w`` is the mean of
    the total, told with ``idle_power_w`` where *idle_w* is known; ``power_w.RAIL`` are the rails'
    means. ``clock_mhz`` is the mean clock of *device*, ``throttled`` 1 where anything was.
    """
    found = _clocks_and_heat(samples, begin_ns, end_ns, device)
    names = {name for sample in samples for name in sample.values}
    for name in sorted(n for n in names if n.startswith("power.") and n.endswith("_w")):
        mean = mean_between(samples, name, begin_ns, end_ns)
        if mean is not None and name != _TOTAL:
            found[f"power_w.{name.removeprefix('power.').removesuffix('_w')}"] = mean
    power_w = power_between(samples, begin_ns, end_ns)
    if power_w is None:
        return found
    found["power_w"] = power_w
    if idle_w is not None:
        found["idle_power_w"] = idle_w
    return found


def _clocks_and_heat(
    samples: Sequence[Sample], begin_ns: int, end_ns: int, device: Device
) -> dict[str, float]:
    inside = [sample.values for sample in samples if begin_ns <= sample.at_ns <= end_ns]
    found: dict[str, float] = {}
    for name, key in _CLOCKS.items():
        if seen := _seen(inside, name):
            found[f"{key}_clock_mhz"] = statistics.fmean(seen)
            found[f"{key}_clock_min_mhz"] = min(seen)
    if f"{device}_clock_mhz" in found:
        found["clock_mhz"] = found[f"{device}_clock_mhz"]
    for name in ("cpu.utilisation_percent", "gpu.utilisation_percent"):
        if seen := _seen(inside, name):
            found[name.replace(".", "_")] = statistics.fmean(seen)
    for heat in (_DIES, _HEAT):
        if warm := [v for values in inside for n, v in values.items() if n.startswith(heat)]:
            found["temperature_c"] = max(warm)
            break
    flags = [v for values in inside for n, v in values.items() if n.endswith(".throttle")]
    if flags:
        found["throttled"] = float(any(flags))
    return found


def _seen(inside: Iterable[Mapping[str, float]], name: str) -> list[float]:
    return [values[name] for values in inside if name in values]


def _at(points: Sequence[tuple[int, float]], at_ns: int) -> float | None:
    """Return the value at a moment, on the line between its neighbours; at an end the last known.

    None when no point is near.
    """
    index = bisect.bisect_left(points, (at_ns, float("-inf")))
    left = points[index - 1] if index > 0 else None
    right = points[index] if index < len(points) else None
    if left and right and right[0] > left[0]:
        share = (at_ns - left[0]) / (right[0] - left[0])
        return left[1] + share * (right[1] - left[1])
    near = right or left
    if near is None or abs(near[0] - at_ns) > _LONGEST_GAP_S * _NS_PER_S:
        return None
    return near[1]
