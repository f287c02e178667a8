"""Compare a tuned profile with the runtimes' automatic modes and with exhaustive search.

    python benchmarks/runtimes.py --models inception-v2 squeezenet pp-ocr-detector digits

Images per second within one latency budget for the 99th percentile: ONNX Runtime's default,
OpenVINO's `latency` and `throughput` hints through its own `benchmark_app`, the profile that `tune`
finds, and the best of a whole grid. The grid is measured in short windows, and the luckiest of many
is better than it is; so its best three, the default and the tuned configuration are measured again
in turn, A B C A B C, and the medians of that are printed. Each hint runs before and after, and its
better run counts. An automatic mode that breaks the budget stands in brackets and does not count.

INT8 takes part where there are real data to calibrate and judge it: in digits and PP-OCR. Figures
mean something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from networks import workload

from autotuner import locations, plan, venue
from autotuner.bench.bench import Bench
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import TuneDone
from autotuner.core.outcome import Failed
from autotuner.core.request import TuneRequest
from autotuner.guard import Guard, passed
from autotuner.model.variants import VariantStore
from autotuner.subject import Subject
from autotuner.tuning import Places, tune

GRID = {"batch_size": (1, 2, 4, 8, 16)}
GRID_WINDOW_S = 0.5
WINDOW_S = 1.0
ROUNDS = 7
BEST = 3
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


def better(*modes: Mode) -> Mode:
    """Return the better of several runs of one mode."""
    return max(modes, key=lambda mode: (mode.kept, mode.ips))


def exhaustive(bench: Bench, about: Subject, budget_ms: float) -> Iterator[tuple[float, Config]]:
    """Yield throughput and configuration of all that keeps the budget in the grid."""
    window = Window(min_s=GRID_WINDOW_S, max_s=GRID_WINDOW_S, budget_ms=budget_ms)
    for settings in plan.search_space(about, GRID):
        config = Config.from_mapping(settings)
        run = bench.measure(config, window)
        if isinstance(run, Failed):
            continue
        found = run.measurement(99.0, 0.95)
        if found.p99_ms <= budget_ms:
            yield found.throughput_ips, config


def in_turn(bench: Bench, configs: Sequence[Config]) -> dict[Config, list[float]]:
    """Return the images per second of each of *configs* in every round."""
    window = Window(min_s=WINDOW_S, max_s=WINDOW_S)
    rounds: dict[Config, list[float]] = {config: [] for config in configs}
    for _ in range(ROUNDS):
        for config, found in rounds.items():
            run = bench.measure(config, window, keep=True)
            if isinstance(run, Failed):
                sys.exit(f"{config} failed, which ran before: {run.detail}")
            found.append(run.measurement(99.0, 0.95).throughput_ips)
    return rounds


def compare(model: str, budget_ms: float, *, seconds: int, folder: Path) -> str:
    """Return the line of *model*."""
    cache = locations.make_folder(locations.cache_dir())
    load = workload(model, cache)
    about = venue.resolve(load, cache)
    hints = ("latency", "throughput")
    before = [hinted(about, hint, budget_ms, seconds) for hint in hints]
    places = Places(profiles=folder, storage=f"sqlite:///{folder}/{model}.db", cache=cache)
    request = TuneRequest(workload=load, max_latency_ms=budget_ms)
    events = list(tune(request, places=places, cancelled=lambda: False))
    done = next(event for event in events if isinstance(event, TuneDone))
    if done.winner is None or done.baseline is None or not done.proven:
        return f"{model:<18} {done.message}"
    guard = Guard(
        subject=about, rules=load.accuracy, store=VariantStore(cache), cancelled=lambda: False
    )
    pairs = guard.wanted()
    for _ in guard.build(pairs):
        pass
    offered = guard.offered(passed(pairs, done.judgements))
    with venue.open_bench(about, 0, lambda: False, guard.graph_of) as bench:
        grid = sorted(exhaustive(bench, offered, budget_ms), key=lambda found: -found[0])
        best_few = [config for _, config in grid[:BEST]]
        tuned, default = done.winner.config, done.baseline.config
        rounds = in_turn(bench, list(dict.fromkeys([default, tuned, *best_few])))
    ips = {config: median(found) for config, found in rounds.items()}
    best = max(best_few, key=lambda config: ips[config])
    after = [hinted(about, hint, budget_ms, seconds) for hint in hints]
    modes = [better(*runs) for runs in zip(before, after, strict=True)]
    automatic = max([ips[default], *(mode.ips for mode in modes if mode.kept)])
    to_best = median(ours / best for ours, best in zip(rounds[tuned], rounds[best], strict=True))
    return (
        f"{model:<18} {ips[default]:9.1f} {modes[0]!s:>10} {modes[1]!s:>10} {ips[tuned]:9.1f} "
        f"{ips[tuned] / ips[default]:8.2f} {ips[tuned] / automatic:9.2f} "
        f"{ips[best]:9.1f} {to_best:7.3f}   {tuned}  |  {best} of {len(grid)}"
    )


def main() -> None:
    """Print a line for every model that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models",
        nargs="+",
        default=["inception-v2", "squeezenet", "pp-ocr-detector", "pp-ocr-recogniser"],
    )
    parser.add_argument("--budget-ms", type=float, default=50.0)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of benchmark_app")
    options = parser.parse_args()
    print(
        f"{'':<18} {'ORT':>9} {'latency':>10} {'throughput':>10} {'':>9} {'tuned /':>8} "
        f"{'tuned /':>9} {'best of':>9} {'tuned /':>7}\n"
        f"{'network':<18} {'default':>9} {'hint':>10} {'hint':>10} {'tuned':>9} {'default':>8} "
        f"{'automatic':>9} {'the grid':>9} {'best':>7}   tuned | best of those within the budget"
    )
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            line = compare(model, options.budget_ms, seconds=options.seconds, folder=Path(folder))
            print(line, flush=True)


if __name__ == "__main__":
    main()
