"""The harness: measures configurations in worker processes and survives what they do."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from autotuner import backends
from autotuner.bench import closed_loop, loadtest
from autotuner.bench.batching import Batching
from autotuner.bench.dispatch import Dispatcher
from autotuner.bench.disturbance import Background
from autotuner.bench.inference import infer
from autotuner.bench.load import poisson_arrivals
from autotuner.bench.messages import (
    Batches,
    FromWorker,
    Refused,
    Run,
    Stop,
    Stopped,
)
from autotuner.bench.pool import Cancelled, Limits, Ready, WorkerPool
from autotuner.bench.process import GivenUp, WorkerGone, took_too_long
from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import BatchRecord
from autotuner.bench.serving import DRAIN_S, batch_times, observe, warm_up
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.surroundings import Seen, Surroundings
from autotuner.bench.telemetry import Telemetry
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import LoadGenVerdict
from autotuner.core.outcome import Failed
from autotuner.host.activity import Activity
from autotuner.host.power import Switch
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec

__all__ = ["Cancelled", "Harness", "Limits"]

_REPEATS = 1
_LEAD_IN_S = 0.5

_Found = TypeVar("_Found")
_Run = TypeVar("_Run", SteadyRun, ServedRun, TimedBatches, LoadGenVerdict)


class Harness:
    """Measures configurations of one model on one input; a context manager.

    Workers outlive a trial. A configuration that was loaded stays loaded until it is unloaded.
    *graph_of* tells which graph a configuration runs, where that is not *model* itself.
    *telemetry* watches the machine and *switch* sets its power modes; both end with the harness.
    *cancelled* is asked many times a second; when it says yes, Cancelled is raised.

    Whatever is measured: a window that something else disturbed is repeated; when that does not
    help, its run comes back alone and says so. A worker that crashes, hangs or takes too much
    memory costs this trial alone and comes back as Failed. What was loaded for a trial is unloaded
    after it unless *keep* says otherwise.
    """

    def __init__(
        self,
        model: Path,
        inputs: InputSpec,
        topology: Topology,
        *,
        graph_of: Callable[[Config], Path] | None = None,
        locate: Callable[[str], str] = backends.locate,
        cancelled: Callable[[], bool] = lambda: False,
        limits: Limits | None = None,
        telemetry: Telemetry | None = None,
        switch: Switch | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._pool = WorkerPool(
            graph_of or (lambda _: model),
            inputs,
            topology,
            locate=locate,
            cancelled=cancelled,
            limits=self._limits,
        )
        self._surroundings = Surroundings(
            topology.cpus,
            lambda: [os.getpid(), *(worker.pid for worker in self._pool)],
            telemetry=telemetry,
            switch=switch,
        )
        self.window_s = 0.0
        """Time spent in measuring windows so far."""

    def __enter__(self) -> Harness:
        self._surroundings.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._pool.close()
        finally:
            self._surroundings.__exit__(kind, error, trace)

    @property
    def clock_s(self) -> float:
        """The time of the kernel's monotonic clock."""
        return time.monotonic()

    @property
    def setup_s(self) -> float:
        """Time spent in starting workers and loading sessions so far."""
        return self._pool.setup_s

    @property
    def free_mib(self) -> float:
        """How much memory a trial may take, in MiB."""
        return self._pool.free_mib

    def measure(
        self,
        config: Config,
        window: Window,
        *,
        earlier: SteadyRun | None = None,
        keep: bool = False,
    ) -> SteadyRun | Failed:
        """Run batches back to back, warm up until steady, measure for *window*.

        What an *earlier* run of the same configuration showed is added to this one, and the window
        judges both together.
        """
        run = self._trial(config, lambda ready: self._run(ready, window, earlier), keep=keep)
        return run if isinstance(run, Failed) or run.disturbed else run.joined(earlier)

    def serve(
        self,
        config: Config,
        rate_ips: float,
        window: Window,
        *,
        rng: np.random.Generator,
        earlier: ServedRun | None = None,
        keep: bool = False,
    ) -> ServedRun | Failed:
        """Let requests arrive at *rate_ips* as a Poisson process and measure their latencies.

        Waiting requests are batched, up to the configuration's batch size and queue delay. An
        *earlier* run at the same rate is added as in :meth:`measure`.
        """
        served = self._trial(
            config, lambda ready: self._serve(ready, rate_ips, window, rng, earlier), keep=keep
        )
        return served if isinstance(served, Failed) or served.disturbed else served.joined(earlier)

    def batch_times(
        self,
        config: Config,
        sizes: Iterable[int],
        *,
        seconds_each: float,
        hopeless_ms: float = math.inf,
        keep: bool = False,
    ) -> TimedBatches | Failed:
        """Warm up until steady, then measure batches of each of *sizes* with all workers busy.

        When every full batch takes longer than *hopeless_ms*, their times are all that is measured.
        """
        sizes = tuple(sizes)
        return self._trial(
            config,
            lambda ready: self._time_batches(ready, sizes, seconds_each, hopeless_ms),
            keep=keep,
        )

    def ask_loadgen(self, config: Config, test: loadtest.LoadTest) -> LoadGenVerdict | Failed:
        """Warm up until steady, then let MLPerf LoadGen, which must be installed, ask and judge."""
        return self._trial(config, lambda ready: self._ask_loadgen(ready, test), keep=False)

    def outputs(self, config: Config, inputs: InputSpec) -> list[tuple[Any, ...]] | Failed:
        """Return what the model answers to *inputs* under *config*, batch by batch.

        A batch's outputs are arrays in the model's order; the last batch is filled up with the
        first samples. There are at most some hundred batches. *config* stays loaded.
        """
        return self._guarded(lambda: infer(self._pool, self._pool.load(config), inputs))

    def unload(self, config: Config) -> None:
        """Drop the sessions of *config* if it is loaded."""
        self._pool.unload(config)

    def _trial(self, config: Config, run: Callable[[Ready], _Run], *, keep: bool) -> _Run | Failed:
        """Load *config* and *run* it, once more when it was disturbed."""
        outcome = self._guarded(lambda: self._until_undisturbed(self._ready(config), run))
        if not keep or isinstance(outcome, Failed):
            self._pool.unload(config)
        return outcome

    def _guarded(self, measure: Callable[[], _Found]) -> _Found | Failed:
        """Return what *measure* returns; what goes wrong with the workers becomes a Failed."""
        try:
            return measure()
        except GivenUp as given_up:
            return given_up.failed
        except WorkerGone as gone:
            return gone.worker.obituary()
        finally:
            self._pool.kill_busy()

    def _ready(self, config: Config) -> Ready:
        """Return *config* loaded, the machine in its power mode."""
        self._surroundings.prepare(config)
        return self._pool.load(config)

    def _until_undisturbed(self, ready: Ready, run: Callable[[Ready], _Run]) -> _Run:
        for _ in range(_REPEATS):
            outcome = run(ready)
            if outcome.disturbed is None:
                return outcome
        return run(ready)

    def _run(self, ready: Ready, window: Window, earlier: SteadyRun | None) -> SteadyRun:
        usual = self.background
        record = BatchRecord(ready.config.workers, time.monotonic_ns())
        for worker in ready.workers:
            worker.busy = True
            worker.send(Run(key=ready.key))

        def tick() -> int:
            self._collect(ready, record)
            return time.monotonic_ns()

        settled = closed_loop.warm_up(record, window, tick, most_s=self._limits.warm_up_s)
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
        stopped = self._stop(ready, lambda index, said: _take_batches(index, said, record))
        self.window_s += (end_ns - begin_ns) / 1e9
        return SteadyRun(
            batches=record.between(begin_ns, end_ns),
            window_s=(end_ns - begin_ns) / 1e9,
            **_circumstances(ready, stopped, seen, settled=bool(settled)),
        )

    def _serve(
        self,
        ready: Ready,
        rate_ips: float,
        window: Window,
        rng: np.random.Generator,
        earlier: ServedRun | None,
    ) -> ServedRun:
        usual = self.background
        _, settled = warm_up(ready, most_s=self._limits.warm_up_s, check=self._pool.check)
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

    def _time_batches(
        self, ready: Ready, sizes: Sequence[int], seconds_each: float, hopeless_ms: float
    ) -> TimedBatches:
        usual = self.background
        check, most_s = self._pool.check, self._limits.warm_up_s
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

    def _ask_loadgen(self, ready: Ready, test: loadtest.LoadTest) -> LoadGenVerdict:
        usual, check = self.background, self._pool.check
        warm_up(ready, most_s=self._limits.warm_up_s, check=check)
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
                _take_batches(index, worker.receive(), record)
        if time.monotonic_ns() - min(record.last_end_ns) > ready.stall_s * 1e9:
            raise took_too_long("to run a batch", ready.stall_s)

    @property
    def background(self) -> Background:
        """What is usual on this box; read once, before anything of ours runs."""
        return self._surroundings.background


def _take_batches(index: int, message: FromWorker, record: BatchRecord) -> None:
    if isinstance(message, Refused):
        raise GivenUp(message.failed)
    if isinstance(message, Batches):
        record.add(index, message.times_ns)


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
