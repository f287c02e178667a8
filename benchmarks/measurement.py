"""Compare what is measured with a plain loop, and print what measuring costs beside its windows.

    python benchmarks/measurement.py --models inception-v2 squeezenet pp-ocr-detector --pairs 7

Ours and the loop run in turn, A B A B, with sessions of their own that stay loaded. A ratio is the
median over the pairs, ours / theirs; that of p99 stands with its interval, the second lowest to the
second highest of the pairs (0.875 for seven of them, by the sign test). Figures mean something on a
quiet machine only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from networks import workload

from autotuner import locations
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core import Failed, Measurement
from autotuner.core.config import Config
from autotuner.core.events import Event, TrialDone, TrialStarted, TuneDone
from autotuner.core.request import TuneRequest
from autotuner.host import topology
from autotuner.subject import Subject, resolve
from autotuner.tuning import Places, tune

LOOP = Path(__file__).with_name("plain_loop.py")
CONFIGS = (
    Config(intra_op_threads=1),
    Config(intra_op_threads=2),
    Config(batch_size=4, intra_op_threads=1),
    Config(batch_size=4, intra_op_threads=2),
    Config(workers=2, intra_op_threads=1),
    Config(batch_size=4, workers=2, intra_op_threads=1, affinity="compact"),
)


class PlainLoops:
    """The plain loop in as many processes as *config* has workers."""

    def __init__(self, subject: Subject, config: Config) -> None:
        self._batch_size = config.batch_size
        task = {
            "model": str(subject.info.path),
            "shapes": {tensor.name: tensor.sample_shape for tensor in subject.inputs.tensors},
            "batch_size": config.batch_size,
            "threads": config.intra_op_threads,
        }
        places = subject.topology.cpu_sets(config.affinity, config.workers, config.intra_op_threads)
        self._processes = [
            subprocess.Popen(
                [sys.executable, LOOP, json.dumps({**task, "cpus": sorted(cpus or ())})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for cpus in places
        ]
        for process in self._processes:
            assert process.stdout.readline() == "ready\n", "the plain loop says why it ended"

    def measure(self, seconds: float) -> tuple[float, float, float]:
        """Return inferences per second, p50 and p99 in ms."""
        for process in self._processes:
            process.stdin.write(f"{seconds}\n")
            process.stdin.flush()
        found = [json.loads(process.stdout.readline()) for process in self._processes]
        rate_ips = sum(len(times) * self._batch_size / taken_s for times, taken_s in found)
        latencies = np.concatenate([times for times, _ in found])
        return rate_ips, *np.percentile(latencies, [50, 99], method="inverted_cdf")

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.kill()
            process.communicate()


@contextmanager
def plain_loops(subject: Subject, config: Config) -> Iterator[PlainLoops]:
    """Run the plain loops and end them afterwards."""
    loops = PlainLoops(subject, config)
    try:
        yield loops
    finally:
        loops.close()


def compare(
    harness: Harness, subject: Subject, config: Config, *, pairs: int, seconds: float
) -> str:
    """Return a line with our figures, the medians, and the ratios to those of the plain loop."""
    window = Window(min_s=seconds, max_s=seconds)
    ours, theirs, disturbed = [], [], 0
    with plain_loops(subject, config) as loops:
        for _ in range(pairs):
            run = harness.measure(config, window, keep=True)
            if isinstance(run, Failed):
                return f"{config!s:<34} {run.reason}: {run.detail}"
            found = run.measurement(99.0, 0.95)
            disturbed += found.disturbed is not None
            ours.append((found.throughput_ips, found.p50_ms, found.p99_ms))
            theirs.append(loops.measure(seconds))
    harness.unload(config)
    figures = np.median(ours, axis=0)
    by_pair = np.array(ours) / np.array(theirs)
    ratios = np.median(by_pair, axis=0)
    low, *_, high = sorted(by_pair[:, 2])[1:-1]
    return (
        f"{config!s:<34} {figures[0]:9.1f}/s {figures[1]:8.2f} {figures[2]:8.2f} ms   "
        f"{ratios[0]:6.3f} {ratios[1]:6.3f} {ratios[2]:6.3f} ({low:.3f} to {high:.3f})   "
        f"{disturbed} of {pairs}"
    )


def compare_all(models: Sequence[str], cache: Path, *, pairs: int, seconds: float) -> None:
    """Print a line for every configuration of every model."""
    title = "ours: throughput, p50, p99"
    for model in models:
        subject = resolve(workload(model, cache), topology.read(), cache)
        print(f"\n{model:<34} {title:<33} ratios to a plain loop                    disturbed")
        with Harness(subject.info.path, subject.inputs, subject.topology) as harness:
            for config in CONFIGS:
                line = compare(harness, subject, config, pairs=pairs, seconds=seconds)
                print(line, flush=True)


def overhead(events: Iterable[Event]) -> Iterator[float]:
    """Yield each search trial's wall time less its window and the creation of its sessions, in s.

    It lasts until the next one begins, so the search's own thinking is part of it.
    """
    began, spent_s = None, 0.0
    for event in events:
        if isinstance(event, TrialStarted):
            if began is not None:
                yield time.monotonic() - began - spent_s
            began, spent_s = (time.monotonic(), 0.0) if event.phase == "search" else (None, 0.0)
        elif isinstance(event, TrialDone) and isinstance(event.outcome, Measurement):
            spent_s = (event.outcome.window_s or 0.0) + (event.outcome.setup_s or 0.0)
        elif isinstance(event, TuneDone):
            print(
                f"\ndefault run on {event.model}: {event.status}, {event.trials} trials in "
                f"{event.elapsed_s:.0f} s, {event.window_share:.0%} of it in windows"
            )


def tune_by_default(model: str, cache: Path, budget_ms: float) -> None:
    """Tune *model* as the command line does by default and print what that costs."""
    with tempfile.TemporaryDirectory() as folder:
        request = TuneRequest(workload=workload(model, cache), max_latency_ms=budget_ms)
        places = Places(
            profiles=Path(folder, "profiles"), storage=f"sqlite:///{folder}/s.db", cache=cache
        )
        costs = list(overhead(tune(request, places=places, cancelled=lambda: False)))
    print(f"overhead of a trial: median {median(costs):.2f} s, longest {max(costs):.2f} s")


def main(arguments: Iterable[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", nargs="+", default=["inception-v2", "squeezenet", "pp-ocr-detector"]
    )
    parser.add_argument("--pairs", type=int, default=7, help="at least 4")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--budget-ms", type=float, default=50.0, help="of the default run")
    options = parser.parse_args(arguments)
    cache = locations.make_folder(locations.cache_dir())
    compare_all(options.models, cache, pairs=options.pairs, seconds=options.seconds)
    tune_by_default(options.models[0], cache, options.budget_ms)


if __name__ == "__main__":
    main()
