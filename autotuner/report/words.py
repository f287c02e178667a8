"""What stands out in the lines of a sweep, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from autotuner.core.outcome import Measurement
from autotuner.report.series import Series

_SAME = 0.01


def remarks(lines: Sequence[Series]) -> tuple[str, ...]:
    """Name the best of each line and its steps, where lines cross, and what ran out of memory."""
    return (*_courses(lines), *_crossings(lines), *_failures(lines))


def _courses(lines: Sequence[Series]) -> Iterator[str]:
    for line in lines:
        sizes, values = line.values("throughput_ips")
        if not values:
            continue
        best = max(range(len(values)), key=values.__getitem__)
        gain = ""
        if sizes[0] == 1 and sizes[best] > 1:
            gain = f", {values[best] / values[0]:.2f} times that of batch 1"
        steps = " and ".join(_steps(line))
        falls = f"; it falls {steps}" if steps else ""
        most = f"{values[best]:.1f}/s at batch {sizes[best]}"
        yield f"{line.label}: most throughput {most}{gain}{falls}."


def _steps(line: Series) -> Iterator[str]:
    """Name the falls that neither confidence interval explains."""
    known = [(size, m) for size, m in line.measured if m.throughput_ips]
    for (_, before), (size, after) in pairwise(known):
        if _surely_faster(before, after):
            fall = 1.0 - (after.throughput_ips or 0.0) / (before.throughput_ips or 1.0)
            yield f"by {fall:.0%} at batch {size}"


def _surely_faster(one: Measurement, other: Measurement) -> bool:
    """Say whether the intervals lie apart, by at least what two runs on one box may differ."""
    least, _ = _interval(one)
    _, most = _interval(other)
    return least > most * (1.0 + _SAME)


def _interval(measurement: Measurement) -> tuple[float, float]:
    """Return what the throughput lies between, the value itself where that is not known."""
    value = measurement.throughput_ips or 0.0
    low, high = measurement.intervals.get("throughput_ips", (None, None))
    return (value if low is None else low, value if high is None else high)


def _crossings(lines: Sequence[Series]) -> Iterator[str]:
    """Name where another line of the same model surely leads than before."""
    for one, other in combinations(lines, 2):
        if one.model != other.model:
            continue
        ours, theirs = dict(one.measured), dict(other.measured)
        leader: Series | None = None
        for size in sorted(ours.keys() & theirs.keys()):
            if _surely_faster(ours[size], theirs[size]):
                leads, follows = one, other
            elif _surely_faster(theirs[size], ours[size]):
                leads, follows = other, one
            else:
                continue
            if leader is follows:
                yield f"From batch {size} on {leads.label} is faster than {follows.label}."
            leader = leads


def _failures(lines: Sequence[Series]) -> Iterator[str]:
    for line in lines:
        for size, failed in line.failed:
            yield f"{line.label}: batch {size} could not be measured ({failed.reason})."
