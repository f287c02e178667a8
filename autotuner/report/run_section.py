"""The part of a report that tells of a tuning run."""

from __future__ import annotations

from collections.abc import Iterator

from autotuner.core.outcome import Measurement
from autotuner.core.profile import Evidence, Profile
from autotuner.core.tuning_run import TuningRun
from autotuner.core.wording import counted
from autotuner.report import run_figures
from autotuner.report.metrics import METRICS
from autotuner.report.page import Section, Table
from autotuner.report.series import value


def run_section(run: TuningRun, measured: Table) -> Section:
    """Return the section of *run*; *measured* is the table of everything that was measured."""
    return Section(
        title=f"Tuning {run.model} on {run.measured.box}",
        remarks=tuple(_remarks(run)),
        drawings=tuple(run_figures.of_run(run)),
        tables=(_comparison(run.profile), measured),
    )


def _remarks(run: TuningRun) -> Iterator[str]:
    profile, search = run.profile, run.profile.search
    stands = "proven" if profile.status == "proven" else f"not proven: {profile.status}"
    yield f"Wanted: {profile.objective}, with {profile.confidence:.0%} confidence; {stands}."
    ratio = f", {profile.speedup:.2f} times the baseline's throughput" if profile.speedup else ""
    yield f"Winner: {profile.winner.config}{ratio}."
    failed = f", {search.failed} of them failed" if search.failed else ""
    yield (
        f"{counted(search.trials, 'trial')} of {counted(search.space_size, 'configuration')}"
        f"{failed}, in "
        f"{search.elapsed_s:.0f} s; the search ended because {search.stopped_because}."
    )
    if profile.judgement is not None:
        yield f"Accuracy: {profile.judgement}."
    disturbed = [
        m.disturbed for _, m in run.measured.measured(run.model) if m.disturbed is not None
    ]
    if disturbed:
        yield f"Disturbed measurements: {len(disturbed)}, the last one because {disturbed[-1]}."


def _comparison(profile: Profile) -> Table:
    sides = (("baseline", profile.baseline), ("winner", profile.winner))
    rows = [{"": "configuration", **{name: str(side.config) for name, side in sides}}]
    for metric, (words, unit) in METRICS.items():
        found = {name: _shown(side, metric, unit) for name, side in sides}
        if any(found.values()):
            rows.append({"": words, **found})
    batches = {name: str(side.measurement.n or "") for name, side in sides}
    rows.append({"": "batches", **batches})
    return Table(
        caption="Baseline and winner in the final round, intervals in brackets.", rows=tuple(rows)
    )


def _shown(side: Evidence, metric: str, unit: str) -> str:
    found = value(side.measurement, metric)
    return "" if found is None else f"{_number(found)} {unit}{_interval(side.measurement, metric)}"


def _interval(measurement: Measurement, metric: str) -> str:
    low, high = measurement.intervals.get(metric, (None, None))
    if low is None and high is None:
        return ""
    return f" ({_number(low)} to {_number(high)})"


def _number(found: float | None) -> str:
    return "?" if found is None else f"{found:.4g}"
