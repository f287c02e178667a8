"""Whether ``open_profile`` reaches the throughput that its configuration is measured with.

Prints pairs of windows, measured and served in turn on the same box at nearly the same time, and
the median of their ratios. Usage: python benchmarks/serving.py PROFILE [--pairs 8] [--seconds 1.5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from autotuner import locations, store, venue
from autotuner.bench.harness import Harness
from autotuner.bench.window import Window
from autotuner.core.outcome import Failed
from autotuner.serve import ServingPool, opening

_BATCHES_IN_A_CALL = 30
_CALLERS = 2
"""So that no worker waits while another one has the last batch of a call."""


def main() -> None:
    """Compare both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("profile", help="a profile's name or file, or a model")
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each window")
    chosen = parser.parse_args()
    kept = store.ProfileStore(locations.state_dir() / "profiles")
    profile = opening.find(chosen.profile, kept)
    config = profile.winner.config
    subject = venue.resolve(profile.workload, locations.cache_dir())
    ratios = []
    with (
        ServingPool(opening.plan(profile, force=True)) as pool,
        Harness(subject.info.path, subject.inputs, subject.topology) as harness,
    ):
        samples = _BATCHES_IN_A_CALL * config.batch_size
        inputs = subject.inputs.load().batch(samples)
        window = Window(
            min_s=chosen.seconds, max_s=chosen.seconds, percentile=99.0, confidence=0.95
        )

        def calls(until_s: float) -> int:
            done = 0
            while time.perf_counter() < until_s:
                pool.run(inputs)
                done += samples
            return done

        def served() -> float:
            pool.run(inputs)
            began_s = time.perf_counter()
            with ThreadPoolExecutor(_CALLERS) as callers:
                done = sum(callers.map(calls, [began_s + chosen.seconds] * _CALLERS))
            return done / (time.perf_counter() - began_s)

        def measured() -> float:
            run = harness.measure(config, window, keep=True)
            if isinstance(run, Failed):
                raise SystemExit(f"{run.reason}: {run.detail}")
            return len(run.batches.latencies_ms) * config.batch_size / run.window_s

        print(f"{config}: measured/s, served/s, ratio")
        for number in range(chosen.pairs):
            pair = [served(), measured()] if number % 2 else [measured(), served()][::-1]
            ratios.append(pair[0] / pair[1])
            print(f"{pair[1]:10.1f} {pair[0]:10.1f} {ratios[-1]:8.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
