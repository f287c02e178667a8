"""The bench of a device that is not there: nothing is run, and its clock costs no time."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from autotuner.backends.simulated import Behaviour, Device
from autotuner.backends.simulated.behaviour import DEVIATES
from autotuner.bench import closed_loop, virtual_serving
from autotuner.bench.batch_stream import BatchStream
from autotuner.bench.disturbance import Background
from autotuner.bench.loadtest import LoadTest
from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import BatchRecord
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.virtual_box import VirtualBox
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.errors import MachineError
from autotuner.core.events import LoadGenVerdict
from autotuner.core.outcome import Failed

_COLD, _COLD_S = 0.3, 0.1
"""Right after loading, batches take so much longer, and how fast that passes."""
_BATCHES_EACH = (4, 200)

_Run = TypeVar("_Run", SteadyRun, ServedRun, TimedBatches)


class VirtualHarness:
    """Measures configurations on *device* as the harness does on a box; see :class:`Bench`.

    Equal *seed*s draw equal times. *cancelled* is asked as often as the harness does.
    """

    def __init__(
        self, device: Device, *, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._box = VirtualBox(device, cancelled)
        self._rng = np.random.default_rng(seed)
        self.window_s = 0.0
        """Virtual time spent in measuring windows so far."""

    def __enter__(self) -> VirtualHarness:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing has to be ended."""

    @property
    def clock_s(self) -> float:
        """The virtual time, from 0 on."""
        return self._box.now_ns / 1e9

    @property
    def setup_s(self) -> float:
        """Virtual time spent in starting workers and loading sessions so far."""
        return self._box.setup_s

    @property
    def free_mib(self) -> float:
        """What the device has, less what is loaded."""
        return self._box.free_mib

    @property
    def background(self) -> Background:
        """Nothing: nobody else is there."""
        return Background()

    def load(self, config: Config) -> Generator[float, None, Failed | None]:
        """Load *config*, which takes virtual time alone."""
        yield from ()
        ready = self._box.load(config)
        return ready if isinstance(ready, Failed) else None

    def measure(
        self,
        config: Config,
        window: Window,
        *,
        earlier: SteadyRun | None = None,
        keep: bool = False,
    ) -> SteadyRun | Failed:
        """Draw batches as if they ran back to back; see :meth:`Bench.measure`."""
        run = self._trial(
            config, lambda ready: self._run(config, ready, window, earlier), keep=keep
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
        """Simulate requests event by event; see :meth:`Bench.serve`."""
        run = self._trial(
            config,
            lambda ready: self._serve(config, ready, rate_ips, window, rng, earlier),
            keep=keep,
        )
        return run if isinstance(run, Failed) or run.disturbed else run.joined(earlier)

    def batch_times(
        self,
        config: Config,
        sizes: Iterable[int],
        *,
        seconds_each: float,
        hopeless_ms: float = math.inf,
        keep: bool = False,
    ) -> TimedBatches | Failed:
        """Draw batches of each of *sizes*; see :meth:`Bench.batch_times`."""
        sizes = tuple(sizes)
        return self._trial(
            config,
            lambda ready: self._time_batches(config, ready, sizes, seconds_each, hopeless_ms),
            keep=keep,
        )

    def ask_loadgen(self, _config: Config, _test: LoadTest) -> LoadGenVerdict | Failed:
        """Raise MachineError: LoadGen asks in real time."""
        raise MachineError(
            f"MLPerf LoadGen measures in real time and {self._box.name} is simulated; "
            "leave --loadgen out."
        )

    def unload(self, config: Config) -> None:
        """Forget *config*."""
        self._box.unload(config)

    def _trial(
        self,
        config: Config,
        run: Callable[[Behaviour], _Run],
        *,
        keep: bool,
    ) -> _Run | Failed:
        """Load *config* and *run* it, once more when it was disturbed."""
        ready = self._box.load(config)
        if isinstance(ready, Failed):
            return ready
        outcome = run(ready)
        if outcome.disturbed is not None:
            outcome = run(ready)
        if not keep:
            self.unload(config)
        return outcome

    def _run(
        self, config: Config, ready: Behaviour, window: Window, earlier: SteadyRun | None
    ) -> SteadyRun:
        self._box.begin_window()
        record = BatchRecord(config.concurrency, self._box.now_ns)
        stream = BatchStream(
            ready.quantiles_ms(config.batch_size),
            ready.correlation,
            workers=config.concurrency,
            began_ns=self._box.now_ns,
            rng=self._rng,
        )

        def tick() -> int:
            cold = _COLD * math.exp((record.began_ns - self._box.now_ns) / 1e9 / _COLD_S)
            slowdown = (1.0 + cold) / self._box.clock
            self._box.spend(ready, closed_loop.TICK_S, share=1.0)
            for worker, batches in enumerate(stream.until(self._box.now_ns, slowdown)):
                record.add(worker, batches)
            return self._box.now_ns

        settled = closed_loop.warm_up(record, window, tick, most_s=closed_loop.WARM_UP_S)
        begin_ns, end_ns = record.began_ns, self._box.now_ns
        if settled is not None:
            begin_ns = self._box.now_ns
            self._box.begin_window()
            seen = earlier.batches if earlier else None
            end_ns = closed_loop.wait_for_end(record, window, begin_ns, seen, tick)
        self.window_s += (end_ns - begin_ns) / 1e9
        return SteadyRun(
            batches=record.between(begin_ns, end_ns),
            window_s=(end_ns - begin_ns) / 1e9,
            **self._box.circumstances(config, ready, settled=bool(settled)),
        )

    def _serve(
        self,
        config: Config,
        ready: Behaviour,
        rate_ips: float,
        window: Window,
        rng: np.random.Generator,
        earlier: ServedRun | None,
    ) -> ServedRun:
        served = virtual_serving.serve(
            config,
            rate_ips,
            window,
            lambda size: ready.quantiles_ms(size) / self._box.clock,
            earlier.batches if earlier else None,
            rng,
        )
        self._box.begin_window()
        self._box.spend(ready, served.window_s, share=served.busy_share)
        self.window_s += served.window_s
        circumstances = self._box.circumstances(config, ready, settled=True)
        circumstances["extra"] |= {
            "offered_ips": rate_ips,
            "unanswered": float(served.unanswered),
            "mean_batch_size": served.mean_batch_size,
        }
        return ServedRun(
            batches=served.requests,
            rate_ips=rate_ips,
            overloaded=served.overloaded,
            window_s=served.window_s,
            **circumstances,
        )

    def _time_batches(
        self,
        config: Config,
        ready: Behaviour,
        sizes: Iterable[int],
        seconds_each: float,
        hopeless_ms: float,
    ) -> TimedBatches:
        self._box.begin_window()
        began_s = self.clock_s
        fewest, most = _BATCHES_EACH

        def timed(size: int, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
            quantiles = ready.quantiles_ms(size) / self._box.clock
            ms = np.interp(self._rng.standard_normal(count), DEVIATES, quantiles)
            self._box.spend(ready, float(ms.sum()) / 1e3 / config.concurrency, share=1.0)
            return ms

        full = timed(config.batch_size, 2 * fewest * config.concurrency)
        if full.min() > hopeless_ms:
            times = BatchTimes(ms={config.batch_size: full})
        else:
            wanted = int(seconds_each * 1e3 / float(np.median(full)))
            count = min(most, max(fewest, wanted)) * config.concurrency
            times = BatchTimes(ms={size: timed(size, count) for size in sizes})
        window_s = self.clock_s - began_s
        self.window_s += window_s
        return TimedBatches(
            times=times,
            window_s=window_s,
            idle_w=ready.power_w(0.0),
            **self._box.circumstances(config, ready, settled=True),
        )
