"""What a model answers, as it is needed to judge how accurate it is."""

from __future__ import annotations

from typing import Any

from autotuner.bench.messages import FromWorker, Infer, Inferred, Outputs
from autotuner.bench.pool import Ready, WorkerPool
from autotuner.model.inputs import InputSpec

_MOST_RUNS = 256


def infer(pool: WorkerPool, ready: Ready, inputs: InputSpec) -> list[tuple[Any, ...]]:
    """Let the first worker of *ready* answer *inputs* and return the outputs of each batch.

    Raises what the pool raises.
    """
    worker, *_ = ready.workers
    found: list[tuple[Any, ...]] = []
    worker.busy = True
    worker.send(Infer(key=ready.key, inputs=inputs, most_runs=_MOST_RUNS))

    def take(_index: int, message: FromWorker) -> None:
        if isinstance(message, Outputs):
            found.append(message.arrays)

    pool.answers([worker], Inferred, ready.stall_s * _MOST_RUNS, "to answer the samples", take)
    return found
