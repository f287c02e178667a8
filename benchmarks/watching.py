"""Whether watching changes what is measured: throughput with and without the terminal interface.

    python benchmarks/watching.py [--model squeezenet] [--pairs 7] [--seconds 20]

One configuration that keeps every CPU busy is measured in pairs, once with the terminal interface
attached in a pseudo terminal of 120x40 and once without, each first in turn. Printed are the
throughputs, and the median of their ratios with its confidence interval. Leave the machine alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from terminal import Watched

from autotuner import client
from autotuner.core.config import Config
from autotuner.core.events import Ending, MeasureDone
from autotuner.core.request import MeasureRequest, Workload

SIZE = "120x40"
SETTLING_S = 4.0
SMALLEST_SERIES = 6
"""With fewer pairs no pair of order statistics bounds the median at 95 %."""


@contextmanager
def attached(state: Path) -> Iterator[None]:
    """Keep the terminal interface open, and read what it writes."""
    watched = Watched([sys.executable, "-m", "tui", f"--state={state}"], SIZE)
    if watched.read_for(30.0, until=b"quit") is None:
        raise RuntimeError("The interface was not painted; run `autotune tui` to see why.")
    watched.read_for(SETTLING_S)
    left = threading.Event()
    reader = threading.Thread(target=_drain, args=(watched, left))
    reader.start()
    try:
        yield
    finally:
        left.set()
        reader.join()
        watched.close()


def _drain(watched: Watched, left: threading.Event) -> None:
    while not left.is_set():
        watched.read_for(0.5)


def throughput_ips(daemon: client.Client, request: MeasureRequest) -> float:
    """Measure *request* and return its throughput; raises RuntimeError when there is none."""
    event = None
    for event in daemon.events(daemon.submit(request)):
        if isinstance(event, Ending):
            break
    if not isinstance(event, MeasureDone) or (rate := event.outcome.throughput_ips) is None:
        raise RuntimeError(f"Nothing was measured: {event}")
    return rate


def main() -> None:
    """Measure the pairs and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="squeezenet")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=20.0)
    chosen = parser.parse_args()
    config = Config(workers=len(os.sched_getaffinity(0)), intra_op_threads=1)
    workload = Workload(model=chosen.model)
    request = MeasureRequest(workload=workload, config=config, seconds=chosen.seconds)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOTUNE_STATE_DIR"] = folder
        with client.connected(Path(folder)) as daemon:
            throughput_ips(daemon, request)  # the first run warms the machine up
            for pair in range(chosen.pairs):
                found = {}
                for watched in (pair % 2 == 0, pair % 2 == 1):
                    with attached(Path(folder)) if watched else nullcontext():
                        found[watched] = throughput_ips(daemon, request)
                ratios.append(found[True] / found[False])
                print(
                    f"watched {found[True]:9.2f}/s   alone {found[False]:9.2f}/s   "
                    f"ratio {ratios[-1]:.4f}",
                    flush=True,
                )
    print(f"median ratio {statistics.median(ratios):.4f}", end="")
    if len(ratios) >= SMALLEST_SERIES:
        rank = 0 if len(ratios) < 9 else 1  # of order statistics, exact for the median
        low, high = sorted(ratios)[rank], sorted(ratios)[-1 - rank]
        print(f", between {low:.4f} and {high:.4f} with at least 95 % confidence", end="")
    print(f" ({len(ratios)} pairs)")


if __name__ == "__main__":
    main()
