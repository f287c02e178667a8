"""The verb ``capacity``: how many instances fit, and how many boxes a task needs."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from autotuner import client, locations
from autotuner.cli import endings, jobs
from autotuner.cli.progress import follow
from autotuner.cli.sweep_options import capacity_request
from autotuner.cli.tables import known
from autotuner.core.capacity import SHARE_OF_MEMORY, Fit, Task, fits
from autotuner.core.encoding import encode
from autotuner.core.events import CharacterizeDone
from autotuner.core.sweep import Sweep
from autotuner.core.wording import counted


def run(chosen: argparse.Namespace) -> int:
    """Measure what instances take, as far as it is not known, and say what fits."""
    task = None
    if chosen.seconds_per_item is not None:
        task = Task(
            cameras=chosen.cameras,
            images=chosen.images_per_item,
            tiles=chosen.tiles,
            item_s=chosen.seconds_per_item,
        )
    console = Console(stderr=chosen.json, highlight=False)
    with client.connected(locations.state_dir()) as daemon:
        job = daemon.submit(capacity_request(chosen), chosen.priority)
        if chosen.detach:
            return jobs.detach(job, as_json=chosen.json)
        ending = follow(daemon, job, console)
    if not isinstance(ending, CharacterizeDone) or ending.interrupted:
        return endings.conclude(ending, console, as_json=chosen.json, debug=chosen.debug)
    found = fits(ending.sweep, chosen.memory)
    if chosen.json:
        boxes = [None if task is None else task.boxes(fit) for fit in found]
        rows = [{**encode(f), "boxes": n} for f, n in zip(found, boxes, strict=True)]
        print(json.dumps({"status": "ok", "memory_mib": chosen.memory, "fits": rows}, indent=2))
    else:
        _show(ending.sweep, found, chosen.memory, task, console)
    return endings.OK


def _show(
    sweep: Sweep, found: tuple[Fit, ...], memory_mib: float, task: Task | None, console: Console
) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("model", "configuration", "an instance", "shared", "fit", "most measured"):
        table.add_column(title)
    if task is not None:
        table.add_column("boxes")
    for fit in found:
        row = [
            fit.model,
            str(fit.config),
            f"{fit.instance_mib:.0f} MiB",
            f"{fit.shared_mib:.0f} MiB",
            str(fit.instances),
            f"{known(fit.throughput_ips, '{:.1f}/s')} with {fit.measured_workers}",
        ]
        table.add_row(*row, *([] if task is None else [known(task.boxes(fit), "{}")]))
    if sweep.simulated:
        console.print(f"Simulated: nothing was measured on a real {sweep.box}.")
    console.print(table)
    console.print(f"Filled to {SHARE_OF_MEMORY:.0%} of {memory_mib:.0f} MiB.")
    needed = [(n, fit) for fit in found if task is not None and (n := task.boxes(fit)) is not None]
    if task is not None and needed:
        boxes, fit = min(needed, key=lambda pair: (pair[0], -(pair[1].throughput_ips or 0.0)))
        console.print(
            f"{task.rate_ips:g} inferences/s need {counted(boxes, 'box', 'boxes')} like this "
            f"one: {fit.model}, {fit.config}, {fit.measured_workers} of them in each."
        )
