"""A plain loop over ONNX Runtime, to compare with: what anybody would write, without autotuner.

    python benchmarks/plain_loop.py '{"model": ..., "shapes": {...}, "batch_size": 4, ...}'

It says ``ready`` when the model is loaded. For every number of seconds on standard input it warms
up, runs batches that long and answers with their latencies in ms and the time taken in s, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
import onnxruntime

WARM_UP_S = 1.0


def main() -> None:
    """Answer until standard input ends."""
    task = json.loads(sys.argv[1])
    if task["cpus"]:
        os.sched_setaffinity(0, task["cpus"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = task["threads"]
    session = onnxruntime.InferenceSession(
        task["model"], options, providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(0)
    feeds = {
        name: rng.standard_normal((task["batch_size"], *shape), np.float32)
        for name, shape in task["shapes"].items()
    }
    print("ready", flush=True)
    for line in sys.stdin:
        run(session, feeds, WARM_UP_S)  # it stood still while the other one was measured
        print(json.dumps(run(session, feeds, float(line))), flush=True)


def run(
    session: onnxruntime.InferenceSession, feeds: dict[str, np.ndarray], seconds: float
) -> tuple[list[float], float]:
    """Run batches for *seconds*; return the latency of each in ms and the time taken in s."""
    latencies = []
    began = before = time.perf_counter()
    while before - began < seconds:
        session.run(None, feeds)
        after = time.perf_counter()
        latencies.append((after - before) * 1e3)
        before = after
    return latencies, before - began


if __name__ == "__main__":
    main()
