"""Compare a tuned profile with the runtimes' automatic modes and with exhaustive search.

    python benchmarks/runtimes.py --models inception-v2 resnet-50 squeezenet mobilenet-v2

Images per second within one latency budget for the 99th percentile, all in one run: ONNX Runtime's
default, OpenVINO's `latency` and `throughput` hints through its own `benchmark_app`, the profile
that `tune` finds, and the best of a whole grid. An automatic mode that breaks the budget stands in
brackets and does not count. With --int8 INT8 takes part with random data: its speed counts, its
answers do not. Figures mean something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autotuner import locations, plan, venue
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import TuneDone
from autotuner.core.judgement import AccuracyRules
from autotuner.core.outcome import Failed
from autotuner.core.request import TuneRequest, Workload
from autotuner.guard import Guard, passed
from autotuner.model.variants import VariantStore
from autotuner.subject import Subject
from autotuner.tuning import Places, tune

GRID = {"batch_size": (1, 2, 4, 8, 16)}
_FIGURE = re.compile(r"(Throughput|99 percentile):\s+([\d.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """An automatic mode: images per second, and whether its p99 keeps the budget."""

    ips: float
    kept: bool

    def __str__(self) -> str:
        text = f"{self.ips:.1f}"
        return text if self.kept else f"({text})"


def hinted(about: Subject, hint: str, budget_ms: float, seconds: int) -> Mode:
    """Run OpenVINO's own benchmark with *hint*."""
    shapes = ",".join(
        f"{tensor.name}[{','.join(map(str, (1, *tensor.sample_shape)))}]"
        for tensor in about.inputs.tensors
    )
    command = [str(Path(sys.executable).with_name("benchmark_app")), "-m", str(about.info.path)]
    command += ["-d", "CPU", "-hint", hint, "-t", str(seconds), "-shape", shapes]
    command += ["-latency_percentile", "99"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures = {name: float(value) for name, value in _FIGURE.findall(said)}
    return Mode(ips=figures["Throughput"], kept=figures["99 percentile"] <= budget_ms)


def exhaustive(guard: Guard, about: Subject, budget_ms: float) -> Iterator[tuple[float, Config]]:
    """Yield throughput and configuration of all that keeps the budget in the grid."""
    window = Window(min_s=1.0, max_s=1.0, budget_ms=budget_ms)
    with venue.open_bench(about, 0, lambda: False, guard.graph_of) as bench:
        for settings in plan.search_space(about, GRID):
            config = Config.from_mapping(settings)
            run = bench.measure(config, window)
            if isinstance(run, Failed):
                continue
            found = run.measurement(99.0, 0.95)
            if found.p99_ms <= budget_ms:
                yield found.throughput_ips, config


def compare(model: str, budget_ms: float, *, int8: bool, seconds: int, folder: Path) -> str:
    """Return the line of *model*."""
    cache = locations.make_folder(locations.cache_dir())
    workload = Workload(model=model, accuracy=AccuracyRules(allow_uncalibrated=int8))
    about = venue.resolve(workload, cache)
    latency = hinted(about, "latency", budget_ms, seconds)
    throughput = hinted(about, "throughput", budget_ms, seconds)
    places = Places(profiles=folder, storage=f"sqlite:///{folder}/{model}.db", cache=cache)
    request = TuneRequest(workload=workload, max_latency_ms=budget_ms)
    (done,) = (
        event
        for event in tune(request, places=places, cancelled=lambda: False)
        if isinstance(event, TuneDone)
    )
    guard = Guard(
        subject=about,
        rules=workload.accuracy,
        store=VariantStore(cache),
        cancelled=lambda: False,
    )
    pairs = guard.wanted()
    for _ in guard.build(pairs):
        pass
    best_ips, best = max(
        exhaustive(guard, guard.offered(passed(pairs, done.judgements)), budget_ms),
        key=lambda found: found[0],
        default=(float("nan"), None),
    )
    default_ips = done.baseline.measurement.throughput_ips
    tuned_ips = done.winner.measurement.throughput_ips if done.proven else float("nan")
    automatic = [default_ips, *(mode.ips for mode in (latency, throughput) if mode.kept)]
    return (
        f"{model:<14} {default_ips:9.1f} {latency!s:>10} {throughput!s:>10} {tuned_ips:9.1f} "
        f"{tuned_ips / default_ips:8.2f} {tuned_ips / max(automatic):9.2f} "
        f"{best_ips:9.1f} {tuned_ips / best_ips:7.3f}   "
        f"{done.winner.config if done.winner else '-'}  |  {best}"
    )


def main() -> None:
    """Print a line for every model that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models",
        nargs="+",
        default=["inception-v2", "resnet-50", "squeezenet", "mobilenet-v2"],
    )
    parser.add_argument("--budget-ms", type=float, default=50.0)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of benchmark_app")
    parser.add_argument("--int8", action="store_true", help="with INT8, for its speed alone")
    options = parser.parse_args()
    print(
        f"{'':<14} {'ORT':>9} {'latency':>10} {'throughput':>10} {'':>9} {'tuned /':>8} "
        f"{'tuned /':>9} {'best of':>9} {'tuned /':>7}\n"
        f"{'network':<14} {'default':>9} {'hint':>10} {'hint':>10} {'tuned':>9} {'default':>8} "
        f"{'automatic':>9} {'the grid':>9} {'best':>7}   tuned | best configuration"
    )
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            line = compare(
                model,
                options.budget_ms,
                int8=options.int8,
                seconds=options.seconds,
                folder=Path(folder),
            )
            print(line, flush=True)


if __name__ == "__main__":
    main()
