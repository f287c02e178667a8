"""A report of everything that was found: its page and the files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from autotuner.core.config import BASELINE
from autotuner.core.errors import InputError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.core.sweep import ACCURACY_KEPT, Sweep
from autotuner.core.tuning_run import TuningRun
from autotuner.report import layer_figures, model_summary, rows, sweep_figures
from autotuner.report.page import Section, Table, page
from autotuner.report.run_section import run_section
from autotuner.report.series import series
from autotuner.report.words import remarks

Finding = Sweep | LayerProfile | Partition | TuningRun

SHOWN = (
    "box",
    "protocol",
    *BASELINE.to_mapping(),
    "throughput_ips",
    "min_ms",
    "p50_ms",
    "p99_ms",
    "memory_mib",
    "cpu_utilisation_percent",
    "gpu_utilisation_percent",
    "clock_mhz",
    "power_w",
    "energy_j",
    "process_start_s",
    "load_s",
    "first_inference_s",
    ACCURACY_KEPT,
    "disturbed",
    "failed",
)
"""The columns that a page has room for; the files have all."""


def files(title: str, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Return the content of each file of the report, by its name.

    Raises InputError when there is nothing to report, MachineError when what draws is missing.
    """
    sections = list(_sections(findings))
    if not sections:
        raise InputError("There is nothing to report: no file holds a measurement.")
    simulated = any(finding.simulated for finding in findings)
    content = {"report.html": page(title, _lead(findings), sections, simulated=simulated).encode()}
    for number, section in enumerate(sections):
        for drawing in section.drawings:
            stem = f"{number + 1}-{drawing.name}"
            content[f"{stem}.svg"] = drawing.svg.encode()
            content[f"{stem}.png"] = drawing.png
    if table := rows.of_sweeps(_sweeps(findings)):
        content["measurements.csv"] = rows.as_csv(table).encode()
        content["measurements.parquet"] = rows.as_parquet(table)
    return content


def shown(sweeps: Sequence[Sweep]) -> Table:
    """Return the measurements of *sweeps* as a page shows them."""
    found = rows.of_sweeps(sweeps)
    return Table(
        caption="Every measurement; measurements.csv has more columns.",
        rows=tuple({name: row.get(name) for name in SHOWN} for row in found),
    )


def _sweeps(findings: Sequence[Finding]) -> list[Sweep]:
    """Return every measurement among *findings*, those of tuning runs too."""
    found = []
    for finding in findings:
        if isinstance(finding, Sweep):
            found.append(finding)
        elif isinstance(finding, TuningRun):
            found.append(finding.measured)
    return found


def _lead(findings: Sequence[Finding]) -> str:
    """Say where and by what rule the measurements were made."""
    sweeps = _sweeps(findings)
    words = [
        f"{sweep.box}, {sweep.created}, edge-autotune {sweep.tool_version}, "
        f"protocol {sweep.protocol}"
        for sweep in sweeps
    ]
    boxes = [finding.device for finding in findings if isinstance(finding, LayerProfile)]
    return "; ".join(dict.fromkeys([*words, *boxes])) + "." if words or boxes else ""


def _sections(findings: Sequence[Finding]) -> Iterator[Section]:
    for finding in findings:
        if isinstance(finding, TuningRun):
            yield run_section(finding, shown([finding.measured]))
    sweeps = [finding for finding in findings if isinstance(finding, Sweep)]
    if drawings := tuple(sweep_figures.of_models(sweeps)):
        yield Section(
            title="Models beside each other", drawings=drawings, tables=(_models(sweeps),)
        )
    models = dict.fromkeys(point.model for sweep in sweeps for point in sweep.points)
    for model in models:
        own = [_only(sweep, model) for sweep in sweeps]
        own = [sweep for sweep in own if sweep.points]
        yield Section(
            title=f"{model} on {', '.join(dict.fromkeys(sweep.box for sweep in own))}",
            remarks=remarks(series(own)),
            drawings=tuple(sweep_figures.of_sweeps(own)),
            tables=(shown(own),),
        )
    for finding in findings:
        if isinstance(finding, LayerProfile):
            yield _layers(finding)
        elif isinstance(finding, Partition):
            yield _cuts(finding)


def _only(sweep: Sweep, model: str) -> Sweep:
    return replace(
        sweep,
        models=tuple(size for size in sweep.models if size.model == model),
        points=tuple(point for point in sweep.points if point.model == model),
    )


def _models(sweeps: Sequence[Sweep]) -> Table:
    return Table(
        caption="Each model at its fastest in each precision.",
        rows=tuple(
            {
                "model": model.name,
                "box": model.box,
                "precision": model.config.precision,
                "accuracy": model.accuracy,
                "parameters": model.parameters or None,
                "flops": model.flops or None,
                "throughput_ips": model.throughput_ips,
                "configuration": str(model.config),
            }
            for model in model_summary.summaries(sweeps)
        ),
    )


def _layers(profile: LayerProfile) -> Section:
    return Section(
        title=f"The layers of {profile.model}: {profile.config}, {profile.device}",
        remarks=(
            f"A batch takes {profile.plain_ms:.3f} ms, {profile.overhead:.1%} more while timed.",
            f"Each layer's share is known to ±{profile.margin:.2%}.",
            *filter(None, [profile.counted]),
        ),
        drawings=tuple(layer_figures.of_layers(profile)),
        tables=(Table(caption="Every layer, in order.", rows=tuple(rows.of_layers(profile))),),
    )


def _cuts(found: Partition) -> Section:
    return Section(
        title=f"Where to cut {found.model}",
        remarks=(
            f"Best by {found.goal}: after {found.best.after}, {found.best.total_ms:.1f} ms.",
            f"The device alone takes {found.device_only.total_ms:.1f} ms.",
            f"The server alone takes {found.server_only.total_ms:.1f} ms.",
            *map(str, found.checks),
        ),
        drawings=tuple(layer_figures.of_partition(found)),
        tables=(Table(caption="Every cut.", rows=tuple(rows.of_partition(found))),),
    )
