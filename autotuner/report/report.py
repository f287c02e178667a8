"""A report of everything that was found: its page and the files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autotuner.core.errors import InputError
from autotuner.core.layer_profile import LayerProfile
from autotuner.core.partition import Partition
from autotuner.core.sweep import Sweep
from autotuner.report import figures, rows
from autotuner.report.page import Section, page
from autotuner.report.series import series
from autotuner.report.words import remarks

Finding = Sweep | LayerProfile | Partition


def files(title: str, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Return the content of each file of the report, by its name.

    Raises InputError when there is nothing to report, MachineError when what draws is missing.
    """
    sections = list(_sections(findings))
    if not sections:
        raise InputError("There is nothing to report: no file holds a measurement.")
    simulated = any(finding.simulated for finding in findings)
    content = {"report.html": page(title, sections, simulated=simulated).encode()}
    for number, section in enumerate(sections):
        for drawing in section.drawings:
            stem = f"{number + 1}-{drawing.name}"
            content[f"{stem}.svg"] = drawing.svg.encode()
            content[f"{stem}.png"] = drawing.png
    sweeps = [finding for finding in findings if isinstance(finding, Sweep)]
    if table := rows.rows(sweeps):
        content["measurements.csv"] = rows.as_csv(table).encode()
        content["measurements.parquet"] = rows.as_parquet(table)
    return content


def _sections(findings: Sequence[Finding]) -> Iterator[Section]:
    sweeps = [finding for finding in findings if isinstance(finding, Sweep)]
    if drawings := tuple(figures.of_models(sweeps)):
        yield Section(title="Models beside each other", drawings=drawings)
    models = dict.fromkeys(point.model for sweep in sweeps for point in sweep.points)
    for model in models:
        own = [_only(sweep, model) for sweep in sweeps]
        yield Section(
            title=f"{model} on {', '.join(dict.fromkeys(sweep.box for sweep in own))}",
            remarks=remarks(series(own)),
            drawings=tuple(figures.of_sweeps(own)),
            rows=rows.rows(own),
        )
    for finding in findings:
        if isinstance(finding, LayerProfile):
            yield _layers(finding)
        elif isinstance(finding, Partition):
            yield _cuts(finding)


def _only(sweep: Sweep, model: str) -> Sweep:
    return Sweep(
        tool_version=sweep.tool_version,
        created=sweep.created,
        box=sweep.box,
        simulated=sweep.simulated,
        models=tuple(size for size in sweep.models if size.model == model),
        points=tuple(point for point in sweep.points if point.model == model),
    )


def _layers(profile: LayerProfile) -> Section:
    return Section(
        title=f"The layers of {profile.model}: {profile.config}, {profile.device}",
        remarks=(
            f"A batch takes {profile.plain_ms:.3f} ms, timed {profile.overhead:+.1%}.",
            f"Each layer's share is known to ±{profile.margin:.2%}.",
        ),
        drawings=tuple(figures.of_layers(profile)),
        rows=[
            {
                "layer": layer.nodes[0] if layer.nodes else layer.name,
                "operator": layer.operator,
                "time_us": layer.time_us,
                "share": layer.share,
                "flops": layer.flops,
                "moved_bytes": layer.moved_bytes,
                "gflops_s": layer.gflops_s,
            }
            for layer in profile.layers
        ],
    )


def _cuts(found: Partition) -> Section:
    return Section(
        title=f"Where to cut {found.model}",
        remarks=(
            f"Best by {found.goal}: after {found.best.after}, {found.best.total_ms:.1f} ms.",
            f"The device alone takes {found.device_only.total_ms:.1f} ms.",
            f"The server alone takes {found.server_only.total_ms:.1f} ms.",
        ),
        drawings=tuple(figures.of_partition(found)),
        rows=[
            {
                "after": cut.after,
                "sent_bytes": cut.sent_bytes,
                "device_ms": cut.device_ms,
                "transfer_ms": cut.transfer_ms,
                "server_ms": cut.server_ms,
                "total_ms": cut.total_ms,
                "energy_j": cut.energy_j,
            }
            for cut in found.cuts
        ],
    )
