"""Compare two workers that are bound to CPUs of their own with two that are not.

    python benchmarks/affinity.py --models inception-v2 mobilenet-v2

Each worker has one thread. Every way takes its turn, round after round, on sessions that stay
loaded. A ratio is the median over the rounds, to the workers of the same round that are not bound,
with its interval, the second lowest to the second highest (0.875 for seven rounds, by the sign
test). `its own` is OpenVINO as it comes, which pins its threads by itself; everywhere else that is
switched off. Figures mean something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from autotuner import backends, locations
from autotuner.backends.openvino import OpenVino
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core import Failed
from autotuner.core.config import Config
from autotuner.core.request import Workload
from autotuner.host import topology
from autotuner.host.topology import Topology
from autotuner.subject import resolve

PROVIDERS = ("openvino-cpu", "onnxruntime-cpu")
WORKERS, THREADS = 2, 1
ITS_OWN = "its own"


class SelfPinning(OpenVino):
    """OpenVINO as it comes: every process pins its threads, from the machine's first CPU on."""

    def _properties(self, device: str, config: Config) -> dict[str, Any]:
        return {**super()._properties(device, config), "ENABLE_CPU_PINNING": True}


def ways(machine: Topology) -> Iterator[tuple[str, str]]:
    """Yield provider and affinity, the workers that are not bound first."""
    for provider in PROVIDERS:
        for affinity in machine.affinities():
            if machine.binds(affinity, WORKERS, THREADS):
                yield provider, affinity
        if provider == "openvino-cpu":
            yield provider, ITS_OWN


def compare(model: str, cache: Path, *, rounds: int, seconds: float) -> Iterator[str]:
    """Yield a line for each way to run *model*."""
    machine = topology.read()
    subject = resolve(Workload(model=model), machine, cache)
    window = Window(min_s=seconds, max_s=seconds)
    found: dict[tuple[str, str], list[float]] = {way: [] for way in ways(machine)}
    with ExitStack() as opened:
        usual, own = (
            opened.enter_context(
                Harness(subject.info.path, subject.inputs, subject.topology, locate=locate)
            )
            for locate in (backends.locate, lambda _: f"{Path(__file__).stem}:SelfPinning")
        )
        for _ in range(rounds):
            for (provider, affinity), rates in found.items():
                bound = "none" if affinity == ITS_OWN else affinity
                config = Config(
                    workers=WORKERS, intra_op_threads=THREADS, provider=provider, affinity=bound
                )
                harness = own if affinity == ITS_OWN else usual
                run = harness.measure(config, window, keep=True)
                if isinstance(run, Failed):
                    raise SystemExit(f"{provider}, {affinity}: {run.detail}")
                rates.append(run.measurement(99.0, 0.95).throughput_ips)
    for (provider, affinity), rates in found.items():
        unbound = found[provider, "none"]
        ratios = sorted(rate / base for rate, base in zip(rates, unbound, strict=True))
        text = f"{median(ratios):.3f} ({ratios[1]:.3f} to {ratios[-2]:.3f})"
        yield (
            f"{model:<14} {provider:<16} {affinity:<8} {median(rates):8.1f}/s   "
            f"{'' if affinity == 'none' else text}".rstrip()
        )


def main() -> None:
    """Print the lines of every model that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["inception-v2", "mobilenet-v2"])
    parser.add_argument("--rounds", type=int, default=7, help="at least 4")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    options = parser.parse_args()
    # Workers import the backend of this file.
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    cache = locations.make_folder(locations.cache_dir())
    print(f"{'network':<14} {'provider':<16} {'affinity':<8} {'images':>8}     to unbound workers")
    for model in options.models:
        for line in compare(model, cache, rounds=options.rounds, seconds=options.seconds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
