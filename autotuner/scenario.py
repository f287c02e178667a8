"""How a configuration is measured under each scenario: for the search, and for the final round."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from typing import Protocol

import numpy as np

from autotuner import tiled
from autotuner.bench.batching import Batching
from autotuner.bench.bench import Bench
from autotuner.bench.loading import load
from autotuner.bench.queueing import at_rate, highest_rate, sizes_to_time
from autotuner.bench.stats import Latencies, batches_to_prove, judge, percentile
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.bench.window import Window
from autotuner.core.config import Config
from autotuner.core.events import Working
from autotuner.core.outcome import Failed, Measurement, Outcome
from autotuner.core.request import MAIN_PERCENTILES, Workload, latency_metric
from autotuner.standard import Standard

_BACK_OFF = 0.95
_MOST_BACK_OFFS = 10
_PATIENCE, _PATIENCE_S = 3, 10.0
_SECONDS_EACH = 0.3
_TRIAL_S = (0.8, 1.5)
_TURN_S = (1.0, 2.5)
_SERVER_TURN_S = (2.0, 4.0)


class Scenario(Protocol):
    """How load arrives while a configuration is measured."""

    proof_s: float
    """How long the final round may take."""

    def load(self, config: Config) -> Generator[Working, None, Failed | None]:
        """Load *config* where :meth:`trial` will need it; return why it could not be loaded."""

    def trial(self, config: Config) -> Outcome:
        """Measure *config* as well as the search needs it."""

    def turn(
        self, config: Config, known: Measurement, earlier: SteadyRun | None, *, keep: bool
    ) -> SteadyRun | Failed:
        """Measure *config* once more in the final round, adding to what *earlier* turns showed.

        *known* is what the search measured; *keep* leaves the sessions loaded.
        """


class ClosedLoop:
    """Every worker starts its next batch at once: singlestream, multistream and offline.

    With *tiles* the latencies are those of so many samples.
    """

    proof_s = 30.0

    def __init__(self, bench: Bench, standard: Standard, tiles: int | None = None) -> None:
        self._bench = bench
        self._standard = standard
        self._tiles = tiles

    def load(self, config: Config) -> Generator[Working, None, Failed | None]:
        """Load *config*."""
        return (yield from load(self._bench, config))

    def trial(self, config: Config) -> Outcome:
        """Measure until enough is known."""
        found = self._measure(config, self._standard.window(*_TRIAL_S, prove=False))
        return found if isinstance(found, Failed) else self._standard.measurement(found)

    def turn(
        self, config: Config, _known: Measurement, earlier: SteadyRun | None, *, keep: bool
    ) -> SteadyRun | Failed:
        """Measure for some seconds, less when that is enough."""
        window = self._standard.window(*_TURN_S, prove=True)
        return self._measure(config, window, earlier=earlier, keep=keep)

    def _measure(
        self,
        config: Config,
        window: Window,
        *,
        earlier: SteadyRun | None = None,
        keep: bool = False,
    ) -> SteadyRun | Failed:
        if self._tiles is None:
            return self._bench.measure(config, window, earlier=earlier, keep=keep)
        return tiled.measure(self._bench, config, window, self._tiles, earlier=earlier, keep=keep)


class Server:
    """Requests arrive as a Poisson process, at *rate_ips* or at the highest rate that is kept.

    The search predicts by simulation from measured batch times; the final round is real requests.
    """

    proof_s = 90.0

    def __init__(
        self, bench: Bench, standard: Standard, *, rate_ips: float | None, seed: int
    ) -> None:
        self._bench = bench
        self._standard = standard
        self._rate_ips = rate_ips
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._timed: dict[Config, TimedBatches] = {}
        self._tried: set[Config] = set()

    def load(self, config: Config) -> Generator[Working, None, Failed | None]:
        """Load *config* unless its batch times are known from another queue delay."""
        if self._is_timed(config):
            return None
        return (yield from load(self._bench, config))

    def trial(self, config: Config) -> Outcome:
        """Time batches and predict what requests would see at the rate given, else at the highest.

        The throughput is the highest rate of which at most half the requests that may break the
        budget do so: with that margin a proof is likely to succeed. A batch size whose full batches
        take longer than the budget counts as breaking it, at its capacity.
        """
        timed = self._time_batches(config)
        if isinstance(timed, Failed):
            return timed
        batching, workers, times = Batching.of(config), config.concurrency, timed.times
        q, budget_ms = self._standard.objective.latency_bound or (None, math.inf)
        full = times.ms[config.batch_size]
        if full.min() > budget_ms:
            capacity_ips = times.capacity_ips(batching, workers)
            return self._predicted(timed, capacity_ips, capacity_ips, full)
        highest_ips, latencies = self._rate_ips, full
        if q is not None:
            q = (100.0 + q) / 2.0
            best = highest_rate(times, batching, workers, budget_ms=budget_ms, q=q, seed=self._seed)
            highest_ips, latencies = best.rate_ips, best.latencies_ms
        assert highest_ips is not None, "without a budget a rate is given"
        if self._rate_ips is not None:
            latencies = at_rate(self._rate_ips, times, batching, workers, seed=self._seed)
        return self._predicted(timed, self._rate_ips or highest_ips, highest_ips, latencies)

    def turn(
        self, config: Config, known: Measurement, earlier: SteadyRun | None, *, keep: bool
    ) -> SteadyRun | Failed:
        """Serve at the rate given, else at the highest, backing off from it by steps of 5 %.

        It backs off when the budget is proven broken, and when it cannot be proven kept in some
        time and with thrice the requests that may suffice.
        """
        assert earlier is None or isinstance(earlier, ServedRun)
        if self._rate_ips is not None:
            return self._serve(config, self._rate_ips, known.throughput_ips, earlier, keep=keep)
        rate_ips = earlier.rate_ips if earlier else known.throughput_ips
        assert rate_ips is not None
        for _ in range(_MOST_BACK_OFFS):
            run = self._serve(config, rate_ips, rate_ips, earlier, keep=keep)
            if isinstance(run, Failed) or run.disturbed or not self._over(run):
                break
            rate_ips, earlier = rate_ips * _BACK_OFF, None
        return run

    def _over(self, run: ServedRun) -> bool:
        """Say whether the rate of *run* is too high to be proven."""
        bound = self._standard.objective.latency_bound
        assert bound is not None
        (q, budget_ms), latencies = bound, run.batches.latencies_ms
        if run.overloaded:
            return True
        verdict = judge(latencies, budget_ms, q, self._standard.confidence)
        enough = _PATIENCE * batches_to_prove(q, self._standard.confidence)
        long = len(latencies) >= enough and run.window_s >= _PATIENCE_S
        return verdict == "out" or (verdict is None and long)

    def _serve(
        self,
        config: Config,
        rate_ips: float,
        highest_ips: float | None,
        earlier: ServedRun | None,
        *,
        keep: bool,
    ) -> ServedRun | Failed:
        run = self._bench.serve(
            config,
            rate_ips,
            self._standard.window(*_SERVER_TURN_S, prove=True),
            rng=self._rng,
            earlier=earlier,
            keep=keep,
        )
        return run if isinstance(run, Failed) else replace(run, highest_ips=highest_ips)

    def _time_batches(self, config: Config) -> TimedBatches | Failed:
        """Return the batch times of *config*, measured anew when it was tried before.

        They do not depend on the queue delay, so that another delay needs no measurement.
        """
        kind = replace(config, max_queue_delay_ms=None)
        if self._is_timed(config):
            self._tried.add(config)
            return replace(self._timed[kind], config=config)
        sizes = sizes_to_time(config.batch_size)
        _, budget_ms = self._standard.objective.latency_bound or (None, math.inf)
        found = self._bench.batch_times(
            config, sizes, seconds_each=_SECONDS_EACH, hopeless_ms=budget_ms
        )
        if isinstance(found, TimedBatches) and found.disturbed is None:
            self._timed[kind] = found
            self._tried.add(config)
        return found

    def _is_timed(self, config: Config) -> bool:
        kind = replace(config, max_queue_delay_ms=None)
        return kind in self._timed and config not in self._tried

    def _predicted(
        self, timed: TimedBatches, rate_ips: float, highest_ips: float, latencies: Latencies
    ) -> Measurement:
        """Return what was simulated as a measurement; its count is that of the timed batches."""
        p50_ms, p90_ms, p95_ms, p99_ms = (percentile(latencies, q) for q in MAIN_PERCENTILES)
        q, unusual = self._standard.objective.percentile, {}
        if q not in MAIN_PERCENTILES:
            unusual[latency_metric(q)] = percentile(latencies, q)
        mean_ms = float(latencies.mean())
        config = timed.config
        capacity_ips = timed.times.capacity_ips(Batching.of(config), config.concurrency)
        power_w = timed.power_at_w(rate_ips, capacity_ips)
        return Measurement(
            throughput_ips=highest_ips,
            p50_ms=p50_ms,
            p90_ms=p90_ms,
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            max_ms=float(latencies.max()),
            mean_ms=mean_ms,
            cv=float(latencies.std()) / mean_ms,
            n=sum(map(len, timed.times.ms.values())),
            window_s=timed.window_s,
            memory_mib=timed.memory_mib,
            power_w=power_w,
            energy_j=None if power_w is None else power_w / rate_ips,
            clock_mhz=timed.clock_mhz,
            throttled=timed.throttled,
            setup_s=timed.setup_s,
            disturbed=timed.disturbed,
            extra={**unusual, **timed.extra, "offered_ips": rate_ips, "predicted": 1.0},
        )


def of(workload: Workload, bench: Bench, standard: Standard) -> Scenario:
    """Return how load arrives under *workload*."""
    if workload.scenario == "server":
        return Server(bench, standard, rate_ips=workload.rate_ips, seed=workload.seed)
    return ClosedLoop(bench, standard, workload.tiles)


def run_once(
    bench: Bench, workload: Workload, config: Config, window: Window, rate_ips: float | None
) -> Generator[Working, None, SteadyRun | Failed]:
    """Measure *config* for *window*: at *rate_ips* in the scenario server, else flat out."""
    if failed := (yield from load(bench, config)):
        return failed
    if workload.tiles is not None:
        return tiled.measure(bench, config, window, workload.tiles)
    if workload.scenario != "server":
        return bench.measure(config, window)
    assert rate_ips is not None
    return bench.serve(config, rate_ips, window, rng=np.random.default_rng(workload.seed))
