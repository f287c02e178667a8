"""The verb ``record``: what can be typed after it, and the request that it spells."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from autotuner.cli import daemon_options
from autotuner.cli.readers import positive, read
from autotuner.cli.workload_options import add_workload, workload
from autotuner.core import quantity
from autotuner.core.request import RecordRequest

HELP: Mapping[str, str] = {
    "record": "measure a whole grid on this box and keep it, to be replayed anywhere",
}


def request(options: argparse.Namespace) -> RecordRequest:
    """Return the request that the *options* spell."""
    chosen = {
        "batch_size": options.batch_sizes,
        "workers": options.workers,
        "intra_op_threads": options.threads,
        "affinity": options.affinity,
        "provider": options.providers,
    }
    return RecordRequest(
        workload=workload(options),
        out=str(Path(options.out).absolute()),
        dimensions={name: values for name, values in chosen.items() if values is not None},
        seconds=options.seconds,
    )


def _add_record(verb: argparse.ArgumentParser) -> None:
    add_workload(verb)
    verb.add_argument("--out", required=True, metavar="FILE", help="where the recording goes")
    verb.add_argument("--batch-sizes", "--batch-size", type=read(quantity.integers), metavar="N")
    verb.add_argument("--workers", "--worker", type=read(quantity.integers), metavar="N")
    verb.add_argument("--threads", "--thread", type=read(quantity.integers), metavar="N")
    verb.add_argument("--affinity", "--affinities", type=read(quantity.words), metavar="A")
    verb.add_argument("--providers", "--provider", type=read(quantity.words), metavar="P")
    verb.add_argument(
        "--seconds",
        type=positive,
        default=1.0,
        help="length of the window of each configuration (default 1)",
    )
    daemon_options.add_detaching(verb)


OPTIONS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {"record": _add_record}
