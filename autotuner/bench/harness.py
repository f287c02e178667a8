"""The harness: measures configurations in worker processes and survives what they do."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from autotuner import backends
from autotuner.bench import loadtest
from autotuner.bench.disturbance import Background
from autotuner.bench.inference import infer
from autotuner.bench.pool import Cancelled, Limits, Ready, WorkerPool
from autotuner.bench.process import GivenUp, WorkerGone
from autotuner.bench.runner import Runner
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.surroundings import Surroundings
from autotuner.bench.telemetry import Telemetry
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import LoadGenVerdict
from autotuner.core.outcome import Failed
from autotuner.host.mps import Mps, MpsError
from autotuner.host.power import Switch
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec

__all__ = ["Cancelled", "Harness", "Limits"]

_REPEATS = 1

_Found = TypeVar("_Found")
_Run = TypeVar("_Run", SteadyRun, ServedRun, TimedBatches, LoadGenVerdict)


class Harness:
    """Measures configurations of one model on one input; a context manager.

    Workers outlive a trial. A configuration that was loaded stays loaded until it is unloaded.
    *graph_of* tells which graph a configuration runs, where that is not *model* itself.
    *telemetry* watches the machine, *switch* sets its power modes and *mps* how workers share a
    GPU; all end with the harness.
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
        mps: Mps | None = None,
    ) -> None:
        limits = limits or Limits()
        self._pool = WorkerPool(
            graph_of or (lambda _: model),
            inputs,
            topology,
            locate=locate,
            environment=lambda: os.environ if mps is None else mps.environment,
            cancelled=cancelled,
            limits=limits,
        )
        self._mps = mps
        self._surroundings = Surroundings(
            topology.cpus,
            lambda: [os.getpid(), *(worker.pid for worker in self._pool)],
            telemetry=telemetry,
            switch=switch,
        )
        self._runner = Runner(self._pool, self._surroundings, warm_up_s=limits.warm_up_s)

    def __enter__(self) -> Harness:
        self._surroundings.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._surroundings.__exit__, kind, error, trace)
            if self._mps is not None:
                stack.push(self._mps)
            stack.callback(self._pool.close)

    @property
    def clock_s(self) -> float:
        """The time of the kernel's monotonic clock."""
        return time.monotonic()

    @property
    def setup_s(self) -> float:
        """Time spent in starting workers and loading sessions so far."""
        return self._pool.setup_s

    @property
    def window_s(self) -> float:
        """Time spent in measuring windows so far."""
        return self._runner.window_s

    @property
    def free_mib(self) -> float:
        """How much memory a trial may take, in MiB."""
        return self._pool.free_mib

    @property
    def background(self) -> Background:
        """What is usual on this box; read once, before anything of ours runs."""
        return self._surroundings.background

    def load(self, config: Config) -> Generator[float, None, Failed | None]:
        """Load *config*, yielding the seconds so far; see :meth:`Bench.load`."""
        began = time.monotonic()
        try:
            self._prepare(config)
            for _ in self._pool.loading(config):
                yield time.monotonic() - began
        except (GivenUp, WorkerGone) as error:
            return _failed(error)
        finally:
            self._pool.kill_busy()
        return None

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
        run = self._trial(
            config, lambda ready: self._runner.steady(ready, window, earlier), keep=keep
        )
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
            config,
            lambda ready: self._runner.serve(ready, rate_ips, window, rng, earlier),
            keep=keep,
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
            lambda ready: self._runner.time_batches(ready, sizes, seconds_each, hopeless_ms),
            keep=keep,
        )

    def ask_loadgen(self, config: Config, test: loadtest.LoadTest) -> LoadGenVerdict | Failed:
        """Warm up until steady, then let MLPerf LoadGen, which must be installed, ask and judge."""
        return self._trial(config, lambda ready: self._runner.ask_loadgen(ready, test), keep=False)

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
        except (GivenUp, WorkerGone) as error:
            return _failed(error)
        finally:
            self._pool.kill_busy()

    def _ready(self, config: Config) -> Ready:
        """Return *config* loaded, the machine as it says."""
        self._prepare(config)
        return self._pool.load(config)

    def _prepare(self, config: Config) -> None:
        """Set the power mode of *config* and how its workers share a GPU; raises GivenUp."""
        self._share_gpu(by_mps=bool(config.mps))
        self._surroundings.prepare(config)

    def _share_gpu(self, *, by_mps: bool) -> None:
        """Switch MPS on or off; a process keeps to what there was when it began with CUDA."""
        if self._mps is None or self._mps.on == by_mps:
            return
        self._pool.close()
        try:
            self._mps.use(on=by_mps)
        except MpsError as error:
            raise GivenUp(Failed("unsupported", str(error))) from error

    def _until_undisturbed(self, ready: Ready, run: Callable[[Ready], _Run]) -> _Run:
        for _ in range(_REPEATS):
            outcome = run(ready)
            if outcome.disturbed is None:
                return outcome
        return run(ready)


def _failed(error: GivenUp | WorkerGone) -> Failed:
    """Return what *error* means for the trial."""
    return error.failed if isinstance(error, GivenUp) else error.worker.obituary()
