"""What stands out in the lines of a sweep, in words. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from autotuner.core.outcome import Measurement
from autotuner.report.series import Series

_SAME = 0.01
"""By how much two runs on one box differ anyway."""
_DEVIATIONS = 3.0
_FEWEST_SIZES = 8
_WORTH_SAYING = 0.03
_MEDIAN_TO_DEVIATION = 1.4826  # of a normal distribution
_TO_NEIGHBOURS = math.sqrt(1.5)  # a value and the mean of two neighbours differ by so much more


def remarks(lines: Sequence[Series]) -> tuple[str, ...]:
    """Name the fastest, the best of each line and its steps, and where lines cross.

    What could not be measured comes last.
    """
    return (*_lead(lines), *_courses(lines), *_crossings(lines), *_failures(lines))


def margin(*lines: Series) -> float:
    """Return by what share two measurements of these lines have to differ to mean something."""
    return _SAME + _DEVIATIONS * math.hypot(*map(scatter, lines))


def scatter(line: Series) -> float:
    """Return how far throughputs lie from between their neighbours, as a share of them.

    That is what changes from one window to the next, which the interval of a single one does not
    tell. It is zero where a line has too few sizes to tell it from the line's own course.
    """
    _, values = line.values("throughput_ips")
    if len(values) < _FEWEST_SIZES:
        return 0.0
    logs = [math.log(value) for value in values]
    off = [abs(b - (a + c) / 2.0) for a, b, c in zip(logs, logs[1:], logs[2:], strict=False)]
    return _MEDIAN_TO_DEVIATION * statistics.median(off) / _TO_NEIGHBOURS


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
        noise = scatter(line)
        unsure = f"; from size to size it scatters by {noise:.0%}" if noise > _WORTH_SAYING else ""
        most = f"{values[best]:.1f}/s at batch {sizes[best]}"
        yield f"{line.label}: most throughput {most}{gain}{falls}{unsure}."


def _steps(line: Series) -> Iterator[str]:
    """Name the falls that neither the confidence intervals nor the scatter explain."""
    known = [(size, m) for size, m in line.measured if m.throughput_ips]
    enough = margin(line, line)
    for (_, before), (size, after) in pairwise(known):
        if surely_faster(before, after, enough):
            fall = 1.0 - (after.throughput_ips or 0.0) / (before.throughput_ips or 1.0)
            yield f"by {fall:.0%} at batch {size}"


def surely_faster(one: Measurement, other: Measurement, margin: float) -> bool:
    """Say whether the intervals lie apart by more than *margin*, a share."""
    least, _ = _interval(one)
    _, most = _interval(other)
    return least > most * (1.0 + margin)


def _interval(measurement: Measurement) -> tuple[float, float]:
    """Return what the throughput lies between, the value itself where that is not known."""
    value = measurement.throughput_ips or 0.0
    low, high = measurement.intervals.get("throughput_ips", (None, None))
    return (value if low is None else low, value if high is None else high)


def _lead(lines: Sequence[Series]) -> Iterator[str]:
    """Name the fastest line of each model; another one takes over where it surely leads."""
    for model in dict.fromkeys(line.model for line in lines):
        own = {line.label: line for line in lines if line.model == model}
        rivals = {label: dict(line.measured) for label, line in own.items()}
        leads: list[tuple[int, str]] = []
        for size in sorted({size for found in rivals.values() for size in found}):
            there = {label: found[size] for label, found in rivals.items() if size in found}
            best = max(there, key=lambda label: there[label].throughput_ips or 0.0)
            so_far = leads[-1][1] if leads else best
            enough = margin(own[best], own[so_far])
            leads_on = so_far in there and not surely_faster(there[best], there[so_far], enough)
            if not leads or not leads_on:
                leads.append((size, best))
        if len(rivals) > 1 and leads:
            (_, first), *later = leads
            changes = "".join(f"; from batch {size} on {label}" for size, label in later)
            yield f"The fastest is {first}{changes}."


def _crossings(lines: Sequence[Series]) -> Iterator[str]:
    """Name where of two lines that differ in one thing another surely leads than before."""
    for one, other in combinations(lines, 2):
        differing = [place for place, (a, b) in enumerate(_paired(one, other)) if a != b]
        if one.model != other.model or len(differing) != 1:
            continue
        ours, theirs = dict(one.measured), dict(other.measured)
        enough = margin(one, other)
        leads: list[tuple[int, Series]] = []
        for size in sorted(ours.keys() & theirs.keys()):
            for leader, ahead, behind in ((one, ours, theirs), (other, theirs, ours)):
                changed = not leads or leads[-1][1] is not leader
                if changed and surely_faster(ahead[size], behind[size], enough):
                    leads.append((size, leader))
        if len(leads) > 1:
            yield _turns(leads, differing[0])


def _paired(one: Series, other: Series) -> Iterator[tuple[str, str]]:
    return zip(one.parts, other.parts, strict=True)


def _turns(leads: Sequence[tuple[int, Series]], place: int) -> str:
    """Say who is the faster one from where, by what they differ in."""
    (_, before), (size, after), *more = leads
    common = ", ".join([*after.parts[:place], *after.parts[place + 1 :]])
    where = f"With {common}: " if common else ""
    if not more:
        said = f"from batch {size} on {after.parts[place]} is faster than {before.parts[place]}"
    else:
        turns = ", ".join(f"{line.parts[place]} from batch {size}" for size, line in leads)
        said = f"the lead changes: {turns}"
    said = f"{where}{said}."
    return f"{said[0].upper()}{said[1:]}"


def _failures(lines: Sequence[Series]) -> Iterator[str]:
    for line in lines:
        for size, failed in line.failed:
            yield f"{line.label}: batch {size} could not be measured ({failed.reason})."
