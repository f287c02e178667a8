"""What stands out in the lines of a sweep, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from autotuner.core.outcome import Measurement
from autotuner.report.series import Series

_SAME = 0.01


def remarks(lines: Sequence[Series]) -> tuple[str, ...]:
    """Name the fastest, the best of each line and its steps, and where lines cross.

    What could not be measured comes last.
    """
    return (*_lead(lines), *_courses(lines), *_crossings(lines), *_failures(lines))


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


def _lead(lines: Sequence[Series]) -> Iterator[str]:
    """Name the fastest line of each model; another one takes over where it surely leads."""
    for model in dict.fromkeys(line.model for line in lines):
        rivals = {line.label: dict(line.measured) for line in lines if line.model == model}
        leads: list[tuple[int, str]] = []
        for size in sorted({size for found in rivals.values() for size in found}):
            there = {label: found[size] for label, found in rivals.items() if size in found}
            best = max(there, key=lambda label: there[label].throughput_ips or 0.0)
            leader = there.get(leads[-1][1]) if leads else None
            if leader is None or _surely_faster(there[best], leader):
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
        leads: list[tuple[int, Series]] = []
        for size in sorted(ours.keys() & theirs.keys()):
            for leader, ahead, behind in ((one, ours, theirs), (other, theirs, ours)):
                changed = not leads or leads[-1][1] is not leader
                if changed and _surely_faster(ahead[size], behind[size]):
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
