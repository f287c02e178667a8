"""Runs what is loaded, one window at a time, and tells what went with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotuner.bench import closed_loop, loadtest
from autotuner.bench.batching import Batching
from autotuner.bench.dispatch import Dispatcher
from autotuner.bench.disturbance import Background
from autotuner.bench.load import poisson_arrivals
from autotuner.bench.messages import Batches, FromWorker, Refused, Run, Stop, Stopped
from autotuner.bench.pool import Ready, WorkerPool
from autotuner.bench.process import GivenUp, took_too_long
from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import BatchRecord
from autotuner.bench.serving import DRAIN_S, batch_times, observe, warm_up
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.surroundings import Seen, Surroundings
from autotuner.bench.window import Window
from autotuner.core.events import LoadGenVerdict
from autotuner.host.activity import Activity

_LEAD_IN_S = 0.5


class Runner:
    """Runs configurations that are loaded in *pool*, in these *surroundings*.

    A warm-up may take *warm_up_s*. What goes wrong with the workers is raised as the pool does.
    """

    def __init__(self, pool: WorkerPool, surroundings: Surroundings, *, warm_up_s: float) -> None:
        self._pool = pool
        self._surroundings = surroundings
        self._warm_up_s = warm_up_s
        self.window_s = 0.0
        """Time spent in measuring windows so far."""

    def steady(self, ready: Ready, window: Window, earlier: SteadyRun | None) -> SteadyRun:
        """Run batches back to back; *window* judges them with those of an *earlier* run."""
        usual = self._surroundings.background
        record = BatchRecord(ready.config.concurrency, time.monotonic_ns())
        for worker in ready.workers:
            worker.busy = True
            worker.send(Run(key=ready.key))

        def tick() -> int:
            self._collect(ready, record)
            return time.monotonic_ns()

        settled = closed_loop.warm_up(record, window, tick, most_s=self._warm_up_s)
        begin_ns = record.began_ns if settled is None else time.monotonic_ns()
        before = self._surroundings.now()
        end_ns = time.monotonic_ns()
        if settled is not None:
            known = earlier.batches if earlier else None
            end_ns = closed_loop.wait_for_end(record, window, begin_ns, known, tick)
        # A moment too short to be disturbed, or to tell, is all that a hopeless trial lasts.
        seen = Seen()
        if settled is not None:
            seen = self._seen(before, begin_ns, end_ns, ready, usual)
        streams = ready.config.streams
        stopped = self._stop(ready, lambda index, said: _take(said, index * streams, record))
        self.window_s += (end_ns - begin_ns) / 1e9
        return SteadyRun(
            batches=record.between(begin_ns, end_ns),
            window_s=(end_ns - begin_ns) / 1e9,
            **_circumstances(ready, stopped, seen, settled=bool(settled)),
        )

    def serve(
        self,
        ready: Ready,
        rate_ips: float,
        window: Window,
        rng: np.random.Generator,
        earlier: ServedRun | None,
    ) -> ServedRun:
        """Let requests arrive at *rate_ips* at random; *window* judges as in :meth:`steady`."""
        usual = self._surroundings.background
        _, settled = warm_up(ready, most_s=self._warm_up_s, check=self._pool.check)
        before = self._surroundings.now()
        arrivals = poisson_arrivals(rate_ips, _LEAD_IN_S + window.max_s + DRAIN_S, rng)
        began_ns = time.monotonic_ns()
        dispatcher = Dispatcher(
            ready,
            Batching.of(ready.config),
            began_ns + arrivals,
            check=self._pool.check,
        )
        # The queue has to forget that it began empty.
        begin_ns = dispatcher.serve_until(began_ns + int(_LEAD_IN_S * 1e9))
        observed = observe(dispatcher, window, begin_ns, earlier.batches if earlier else None)
        seen = self._seen(before, begin_ns, observed.end_ns, ready, usual)
        stopped = self._stop(ready)
        window_s = (observed.end_ns - begin_ns) / 1e9
        self.window_s += window_s
        circumstances = _circumstances(ready, stopped, seen, settled=settled)
        circumstances["extra"] |= {
            "offered_ips": rate_ips,
            "unanswered": float(observed.unanswered),
            "mean_batch_size": float(np.mean([size for size, _ in dispatcher.batches])),
        }
        return ServedRun(
            batches=observed.requests,
            rate_ips=rate_ips,
            overloaded=observed.overloaded,
            window_s=window_s,
            **circumstances,
        )

    def time_batches(
        self, ready: Ready, sizes: Sequence[int], seconds_each: float, hopeless_ms: float
    ) -> TimedBatches:
        """Measure batches of each of *sizes*, of full ones only where they are hopeless."""
        usual = self._surroundings.background
        check, most_s = self._pool.check, self._warm_up_s
        before = self._surroundings.now()
        full, settled = warm_up(ready, most_s=most_s, check=check, hopeless_ms=hopeless_ms)
        if full.min() > hopeless_ms:
            times = BatchTimes(ms={ready.config.batch_size: full})
        else:
            before = self._surroundings.now()
            times = batch_times(ready, sizes, full, seconds_each=seconds_each, check=check)
        end_ns = time.monotonic_ns()
        begin_ns = int(before.at_s * 1e9)
        seen = self._seen(before, begin_ns, end_ns, ready, usual)
        stopped = self._stop(ready)
        window_s = (end_ns - begin_ns) / 1e9
        self.window_s += window_s
        return TimedBatches(
            times=times,
            window_s=window_s,
            **_circumstances(ready, stopped, seen, settled=settled),
        )

    def ask_loadgen(self, ready: Ready, test: loadtest.LoadTest) -> LoadGenVerdict:
        """Let MLPerf LoadGen ask and judge."""
        usual, check = self._surroundings.background, self._pool.check
        warm_up(ready, most_s=self._warm_up_s, check=check)
        before = self._surroundings.now()
        verdict = loadtest.run(ready, Batching.of(ready.config), test, check=check)
        end_ns = time.monotonic_ns()
        begin_ns = int(before.at_s * 1e9)
        seen = self._seen(before, begin_ns, end_ns, ready, usual)
        self._stop(ready)
        self.window_s += (end_ns - begin_ns) / 1e9
        # Whatever else happened can only have made it harder to be valid.
        return replace(verdict, disturbed=None if verdict.valid else seen.disturbed)

    def _seen(
        self, before: Activity, begin_ns: int, end_ns: int, ready: Ready, usual: Background
    ) -> Seen:
        return self._surroundings.since(before, begin_ns, end_ns, ready.config, usual=usual)

    def _stop(
        self,
        ready: Ready,
        other: Callable[[int, FromWorker], None] = lambda _index, _message: None,
    ) -> list[Stopped]:
        for worker in ready.workers:
            worker.send(Stop())
        return self._pool.answers(ready.workers, Stopped, ready.stall_s, "to finish", other)

    def _collect(self, ready: Ready, record: BatchRecord) -> None:
        """Take what the workers say within one tick.

        Waking once a tick instead of for every message leaves the CPUs to the workers.
        """
        self._pool.check()
        time.sleep(closed_loop.TICK_S)
        for index, worker in enumerate(ready.workers):
            while worker.connection.poll():
                _take(worker.receive(), index * ready.config.streams, record)
        if time.monotonic_ns() - min(record.last_end_ns) > ready.stall_s * 1e9:
            raise took_too_long("to run a batch", ready.stall_s)


def _take(message: FromWorker, first: int, record: BatchRecord) -> None:
    """Take what a worker says, whose streams have their places in *record* from *first* on."""
    if isinstance(message, Refused):
        raise GivenUp(message.failed)
    if isinstance(message, Batches):
        record.add(first + message.stream, message.times_ns)


def _circumstances(
    ready: Ready, stopped: Sequence[Stopped], seen: Seen, *, settled: bool
) -> dict[str, Any]:
    """Return what every kind of run tells besides its times."""
    peaks = [answer.peak_memory_mib for answer in stopped]
    return {
        "config": ready.config,
        "setup_s": ready.setup_s,
        "memory_mib": sum(peak for peak in peaks if peak) if None not in peaks else None,
        "power_w": seen.power_w,
        "clock_mhz": seen.clock_mhz,
        "throttled": seen.throttled,
        "disturbed": seen.disturbed,
        "extra": {
            **seen.extra,
            "process_start_s": max(worker.start_s or 0.0 for worker in ready.workers),
            "load_s": ready.load_s,
            "first_inference_s": ready.first_inference_s,
            "warm_up_settled": float(settled),
        },
    }
