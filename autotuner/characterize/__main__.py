"""Time layers or parts of a model: order and answers go over the file descriptor given."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from autotuner import backends
from autotuner.backends.base import BackendFailure, Session
from autotuner.backends.layers import layer_profiler
from autotuner.characterize.ceilings import measure_ceilings
from autotuner.characterize.messages import Machine, More, Order, Round, SplitOrder
from autotuner.characterize.parts import run_parts
from autotuner.child import tie_to_parent
from autotuner.core.layer_profile import Counters
from autotuner.core.outcome import Failed
from autotuner.host import perf

_ROUND_S = 0.3
_LEAST_RUNS = 8


def main() -> None:
    """Serve one order until the other side hangs up."""
    tie_to_parent()
    connection = Connection(int(sys.argv[1]))
    order: Order | SplitOrder = connection.recv()
    try:
        if isinstance(order, SplitOrder):
            connection.send(run_parts(order))
        else:
            _serve(connection, order)
    except (EOFError, ConnectionError):
        return
    except BackendFailure as failure:
        connection.send(Failed(failure.reason, failure.detail))
    except MemoryError:
        connection.send(Failed("oom", "timing the layers needs more memory"))


def _serve(connection: Connection, order: Order) -> None:
    if order.cpus is not None:
        os.sched_setaffinity(0, order.cpus)  # before any session, whose threads inherit it
    backend = backends.load(backends.locate(order.config.provider))
    profiler = layer_profiler(order.config.provider)
    backend.start()
    feeds = order.inputs.load().batch(order.config.batch_size)
    on_cpu = order.config.provider.endswith("-cpu")
    # From outside a GPU would be judged by how fast its inputs are copied.
    ceilings = measure_ceilings(backend, order.config) if on_cpu else None
    session = backend.open(order.model, order.config, {n: a.shape for n, a in feeds.items()})
    session.run(feeds)
    counted: Counters | str = "the model does not run on the CPU"
    if on_cpu:
        counted = perf.count_while(lambda: session.run(feeds), os.getpid())
    connection.send(Machine(ceilings=ceilings, counted=counted))
    while isinstance(connection.recv(), More):
        runs = profiler.runs(order.model, order.config, feeds, seconds=_ROUND_S, least=_LEAST_RUNS)
        connection.send(Round(plain_s=tuple(_plain(session, feeds)), runs=tuple(runs)))


def _plain(session: Session, feeds: Mapping[str, Any]) -> list[float]:
    times: list[float] = []
    while len(times) < _LEAST_RUNS or sum(times) < _ROUND_S:
        began = time.perf_counter()
        session.run(feeds)
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
