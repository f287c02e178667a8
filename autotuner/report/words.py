"""What stands out in the lines of a sweep, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from autotuner.core.outcome import Measurement
from autotuner.report.series import Series


def remarks(lines: Sequence[Series]) -> tuple[str, ...]:
    """Name the best of each line, its steps, where lines cross, and what ran out of memory."""
    return (*_bests(lines), *_steps(lines), *_crossings(lines), *_failures(lines))


def _bests(lines: Sequence[Series]) -> Iterator[str]:
    for line in lines:
        sizes, values = line.values("throughput_ips")
        if values:
            best = max(range(len(values)), key=values.__getitem__)
            gain = ""
            if sizes[0] == 1 and sizes[best] > 1:
                gain = f", {values[best] / values[0]:.2f} times that of batch 1"
            most = f"{values[best]:.1f}/s at batch {sizes[best]}"
            yield f"{line.label}: most throughput {most}{gain}."


def _steps(lines: Sequence[Series]) -> Iterator[str]:
    """Name the falls that neither confidence interval explains."""
    for line in lines:
        known = [(size, m) for size, m in line.measured if m.throughput_ips]
        for (_, before), (size, after) in pairwise(known):
            _, most = _interval(after)
            least, _ = _interval(before)
            if most < least:
                fall = 1.0 - (after.throughput_ips or 0.0) / (before.throughput_ips or 1.0)
                yield f"{line.label}: throughput falls by {fall:.0%} at batch {size}."


def _interval(measurement: Measurement) -> tuple[float, float]:
    """Return what the throughput lies between, the value itself where that is not known."""
    value = measurement.throughput_ips or 0.0
    low, high = measurement.intervals.get("throughput_ips", (None, None))
    return (value if low is None else low, value if high is None else high)


def _crossings(lines: Sequence[Series]) -> Iterator[str]:
    for one, other in combinations(lines, 2):
        if one.model != other.model:
            continue
        ours = dict(zip(*one.values("throughput_ips"), strict=True))
        theirs = dict(zip(*other.values("throughput_ips"), strict=True))
        both = sorted(ours.keys() & theirs.keys())
        for before, after in pairwise(both):
            led, leads = ours[before] > theirs[before], ours[after] > theirs[after]
            if led != leads:
                winner, loser = (one, other) if leads else (other, one)
                yield f"From batch {after} on {winner.label} is faster than {loser.label}."


def _failures(lines: Sequence[Series]) -> Iterator[str]:
    for line in lines:
        for size, failed in line.failed:
            yield f"{line.label}: batch {size} could not be measured ({failed.reason})."
