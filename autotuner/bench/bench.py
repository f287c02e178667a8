"""The seam between those who want a number and whatever measures: a box, or a device not there."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Protocol

import numpy as np

from autotuner.bench.disturbance import Background
from autotuner.bench.loadtest import LoadTest
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import LoadGenVerdict
from autotuner.core.outcome import Failed


class Bench(Protocol):
    """Measures configurations of one model on one input; a context manager.

    What was loaded for a trial is unloaded after it unless *keep* says otherwise. All raise
    Cancelled when the measurement is called off.
    """

    @property
    def clock_s(self) -> float:
        """The time on the clock that counts here; it has no particular beginning."""

    @property
    def setup_s(self) -> float:
        """Time spent in starting workers and loading sessions so far."""

    @property
    def window_s(self) -> float:
        """Time spent in measuring windows so far."""

    @property
    def free_mib(self) -> float:
        """How much memory a trial may take, in MiB."""

    @property
    def background(self) -> Background:
        """What is usual here while nothing of ours runs."""

    def __enter__(self) -> Bench: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def load(self, config: Config) -> Generator[float, None, Failed | None]:
        """Load *config*, which stays loaded for what is measured of it next.

        Yields the seconds so far, many times each, and returns why it could not be loaded.
        """

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

    def ask_loadgen(self, config: Config, test: LoadTest) -> LoadGenVerdict | Failed:
        """Warm up until steady, then let MLPerf LoadGen ask and judge.

        Raises MachineError where it cannot: it is not installed, or time is not real.
        """

    def unload(self, config: Config) -> None:
        """Drop the sessions of *config* if it is loaded."""
