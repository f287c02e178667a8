"""What can be typed after ``tune``, and after the verbs that tune several models."""

from __future__ import annotations

import argparse
from pathlib import Path

from autotuner.cli import daemon_options
from autotuner.cli.parser import add_output
from autotuner.cli.readers import (
    delays,
    number,
    positive,
    power,
    read,
    switches,
    threads,
    whole,
)
from autotuner.cli.workload_options import add_workload, workload
from autotuner.core import quantity
from autotuner.core.request import DEFAULT_SEARCH_SECONDS, TuneRequest


def add_tune(verb: argparse.ArgumentParser, *, models: str = "?") -> None:
    """Give *verb* all that says how to tune; *models* is argparse's number of models."""
    add_workload(verb, models=models)
    goal = verb.add_argument_group("what is wanted")
    goal.add_argument(
        "--max-latency",
        type=read(quantity.milliseconds),
        metavar="TIME",
        help="latency budget of a batch (of a request with --scenario server): 500us, 50ms, 0.05s",
    )
    goal.add_argument(
        "--percentile",
        type=number,
        default=99.0,
        metavar="Q",
        help="the percentile of the latency that must keep the budget (default 99)",
    )
    goal.add_argument(
        "--objective",
        choices=("throughput", "latency", "energy"),
        default="throughput",
        help="maximise throughput (default), minimise that latency, or the energy of an inference",
    )
    goal.add_argument(
        "--min-throughput", type=positive, metavar="IPS", help="at least so many inferences/s"
    )
    goal.add_argument(
        "--max-memory",
        type=read(quantity.mebibytes),
        metavar="SIZE",
        help="peak memory of all workers together: 512MiB, 4GiB",
    )
    goal.add_argument(
        "--max-power",
        type=read(power),
        action="append",
        default=[],
        metavar="[RAIL=]POWER",
        help="mean power of the device, or of one of its supply rails: 15W, GPU=6W",
    )
    goal.add_argument(
        "--confidence",
        type=number,
        default=0.95,
        metavar="P",
        help="with which the budget must be proven (default 0.95)",
    )
    space = verb.add_argument_group(
        "the search space: a value pins a dimension, a list 1,2,4 or a range 1..32 narrows it"
    )
    space.add_argument("--batch-sizes", "--batch-size", type=read(quantity.integers), metavar="N")
    space.add_argument("--workers", "--worker", type=read(quantity.integers), metavar="N")
    space.add_argument(
        "--threads",
        "--thread",
        type=read(threads),
        metavar="N",
        help="intra-op threads of each worker; `default` leaves them to the runtime",
    )
    space.add_argument(
        "--affinity",
        "--affinities",
        type=read(quantity.words),
        metavar="A",
        help="none, compact, spread",
    )
    space.add_argument("--providers", "--provider", type=read(quantity.words), metavar="P")
    space.add_argument("--precisions", "--precision", type=read(quantity.words), metavar="P")
    space.add_argument("--power-modes", "--power-mode", type=read(quantity.words), metavar="M")
    space.add_argument(
        "--dvfs", action="store_true", help="search clock frequencies besides the power modes"
    )
    space.add_argument(
        "--allow-reboot-modes",
        action="store_true",
        help="name the power modes that need a reboot; they are never tried",
    )
    space.add_argument(
        "--mps",
        type=read(switches),
        metavar="on|off",
        help="whether workers share an NVIDIA GPU by CUDA's Multi-Process Service",
    )
    space.add_argument(
        "--streams",
        "--stream",
        type=read(quantity.integers),
        metavar="N",
        help="batches that one worker runs side by side on an NVIDIA GPU",
    )
    space.add_argument(
        "--max-queue-delays",
        "--max-queue-delay",
        type=read(delays),
        metavar="TIME",
        help="how long a request may wait for its batch to fill: 0,2ms,5ms (scenario server)",
    )
    search = verb.add_argument_group("the search")
    search.add_argument("--trials", type=whole, metavar="N", help="at most so many trials")
    search.add_argument(
        "--time",
        type=read(quantity.seconds),
        default=DEFAULT_SEARCH_SECONDS,
        metavar="TIME",
        help=f"time for the search, the final proof comes on top "
        f"(default {DEFAULT_SEARCH_SECONDS:g}s)",
    )
    search.add_argument(
        "--first",
        action="store_true",
        help="stop at the first configuration that is proven within the constraints",
    )
    search.add_argument("--sampler", choices=("auto", "tpe", "gp", "random"), default="auto")
    search.add_argument(
        "--storage",
        metavar="URL",
        help="where trials are kept (default SQLite in the state folder); equal boxes share their "
        "work at one postgresql://...",
    )
    search.add_argument("--fresh", action="store_true", help="ignore what earlier runs measured")
    search.add_argument(
        "--pareto",
        action="store_true",
        help="keep the front of throughput against latency in the profile",
    )
    search.add_argument("--dry-run", action="store_true", help="print the search space and stop")
    daemon_options.add_detaching(verb)
    add_output(verb)
    verb.add_argument("--out", metavar="DIR", help="put an extra copy of the profile there")
    verb.add_argument("--plain", action="store_true", help="line mode, also on a terminal")


def tune_request(options: argparse.Namespace) -> TuneRequest:
    """Return the tuning request that the *options* spell, without a model where they name more."""
    chosen = {
        "batch_size": options.batch_sizes,
        "workers": options.workers,
        "intra_op_threads": options.threads,
        "affinity": options.affinity,
        "provider": options.providers,
        "precision": options.precisions,
        "power_mode": options.power_modes,
        "max_queue_delay_ms": options.max_queue_delays,
        "mps": options.mps,
        "streams": options.streams,
    }
    return TuneRequest(
        workload=workload(options),
        goal=options.objective,
        max_latency_ms=options.max_latency,
        percentile=options.percentile,
        min_throughput_ips=options.min_throughput,
        max_memory_mib=options.max_memory,
        max_power_w=dict(options.max_power),
        dvfs=options.dvfs,
        allow_reboot_modes=options.allow_reboot_modes,
        confidence=options.confidence,
        max_trials=options.trials,
        max_seconds=options.time,
        first=options.first,
        dimensions={name: values for name, values in chosen.items() if values is not None},
        sampler=options.sampler,
        storage=options.storage,
        fresh=options.fresh,
        pareto=options.pareto,
        out=str(Path(options.out).absolute()) if options.out else None,
        dry_run=options.dry_run,
    )
