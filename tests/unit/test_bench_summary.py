from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.queueing import BatchTimes
from autotuner.bench.record import Slice
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.core.config import Config


def run(latencies_ms, **settings):
    """Return a run of these batches, each started as soon as the one before was done."""
    latencies = np.array(latencies_ms, dtype=float)
    fields = {"config": Config(), "window_s": 1.0, "setup_s": 0.5, **settings}
    return SteadyRun(batches=Slice(latencies, latencies / 1e3), **fields)


def test_the_figures_are_those_of_the_batches():
    """Order statistics, mean, spread and count of a series that can be checked by hand."""
    found = run(range(1, 101)).measurement(99.0, 0.95)
    assert (found.p50_ms, found.p90_ms, found.p95_ms, found.p99_ms) == (50, 90, 95, 99)
    assert (found.max_ms, found.mean_ms, found.n) == (100, 50.5, 100)
    assert found.cv == pytest.approx(np.std(np.arange(1, 101)) / 50.5)


def test_throughput_counts_every_sample_of_every_worker():
    """Two workers with batches of 4 every 10 ms are 800 inferences per second."""
    found = run([10.0] * 50, config=Config(batch_size=4, workers=2)).measurement(99.0, 0.95)
    assert found.throughput_ips == pytest.approx(800.0)


def test_throughput_counts_the_time_between_batches():
    """A batch that took 10 ms of a cycle of 20 ms comes 50 times a second."""
    batches = Slice(np.full(50, 10.0), np.full(50, 0.02))
    found = SteadyRun(config=Config(), batches=batches, window_s=1.0, setup_s=0.0)
    assert found.measurement(99.0, 0.95).throughput_ips == pytest.approx(50.0)


def test_every_figure_lies_within_its_interval():
    """An interval has a None where the sample cannot bound that side."""
    latencies = np.random.default_rng(1).lognormal(1.0, 0.3, 2000)
    found = run(latencies).measurement(99.0, 0.95)
    assert set(found.intervals) == {"p50_ms", "p90_ms", "p95_ms", "p99_ms", "throughput_ips"}
    for name, (low, high) in found.intervals.items():
        assert low <= found.metric(name) <= high
    few = run(latencies[:100]).measurement(99.0, 0.95)
    assert few.intervals["p99_ms"][1] is None
    assert few.intervals["p99_ms"][0] is not None


def test_an_unusual_percentile_is_reported_beside_the_usual_ones():
    """It has its interval too and is found by its name."""
    found = run(range(1, 1001)).measurement(99.9, 0.95)
    assert found.metric("p99.9_ms") == 999
    assert "p99.9_ms" in found.intervals
    assert found.p99_ms == 990


def test_a_usual_percentile_is_not_reported_twice():
    """What has a field of its own is not in the extras."""
    assert "p95_ms" not in run([1.0, 2.0]).measurement(95.0, 0.95).extra


def test_a_single_batch_is_a_measurement_without_intervals():
    """One slow batch may be all that a window saw."""
    found = run([20.0]).measurement(99.0, 0.95)
    assert (found.p50_ms, found.max_ms, found.cv, found.n) == (20.0, 20.0, 0.0, 1)
    assert found.intervals["p50_ms"] == (None, None)
    assert found.intervals["throughput_ips"] == (None, None)


def test_unknown_memory_stays_unknown_and_extras_are_kept():
    """Nothing is made up on the way to the measurement."""
    settings = {"extra": {"load_s": 0.25}, "disturbed": "other work"}
    found = run([1.0, 2.0], **settings).measurement(99.0, 0.95)
    assert found.memory_mib is None
    assert found.metric("load_s") == 0.25
    assert found.disturbed == "other work"
    assert (found.window_s, found.setup_s) == (1.0, 0.5)


def test_a_run_joined_to_an_earlier_one_has_the_batches_of_both():
    """Setup and memory are those of the earlier one, whose sessions were fresh."""
    first = run([1.0, 2.0], memory_mib=100.0, setup_s=3.0, window_s=1.0)
    joined = run([3.0], memory_mib=500.0, setup_s=0.1, window_s=2.0).joined(first)
    assert joined.batches.latencies_ms.tolist() == [1.0, 2.0, 3.0]
    assert (joined.memory_mib, joined.setup_s, joined.window_s) == (100.0, 3.0, 3.0)


def test_a_run_without_an_earlier_one_stays_as_it_is():
    """The first window of a configuration has nothing to be added to."""
    only = run([1.0])
    assert only.joined(None) is only


def test_energy_is_power_by_throughput():
    """Per inference, as uncertain as the throughput."""
    found = run([9.0, 10.0, 12.0, 11.0] * 25, power_w=5.0, clock_mhz=900.0).measurement(99.0, 0.95)
    assert found.energy_j == pytest.approx(5.0 / found.throughput_ips)
    low, high = found.intervals["energy_j"]
    assert low < found.energy_j < high
    assert (found.power_w, found.clock_mhz) == (5.0, 900.0)


def test_without_a_meter_there_is_no_energy():
    """Unknown is None."""
    found = run([10.0] * 50).measurement(99.0, 0.95)
    assert (found.power_w, found.energy_j, found.throttled) == (None, None, None)
    assert "energy_j" not in found.intervals


@pytest.mark.parametrize(("power_w", "net_j"), [(12.0, 0.08), (3.0, 0.0)])
def test_energy_is_told_gross_and_net(power_w, net_j):
    """Of 100 inferences a second, 4 W of idleness taken off; never less than nothing."""
    metered = run([10.0] * 50, power_w=power_w, extra={"idle_power_w": 4.0})
    found = metered.measurement(99.0, 0.95)
    assert found.energy_j == pytest.approx(power_w / 100.0)
    assert found.extra["energy_net_j"] == pytest.approx(net_j)
    assert found.extra["ips_per_w"] == pytest.approx(100.0 / power_w)


def test_without_idle_power_nothing_is_net_of_it():
    """And a meter that shows nothing gives no inferences for each watt."""
    found = run([10.0] * 50, power_w=0.0).measurement(99.0, 0.95)
    assert found.energy_j == 0.0
    assert "energy_net_j" not in found.extra
    assert "ips_per_w" not in found.extra


def test_power_of_two_runs_is_their_mean_by_time():
    """Three seconds at 4 W and one at 8 W are 5 W, of a rail too; throttling once counts."""
    rails = [{"power_w.GPU": watts, "load_s": watts} for watts in (4.0, 8.0)]
    earlier = run([10.0] * 9, window_s=3.0, power_w=4.0, throttled=True, extra=rails[0])
    later = run([10.0] * 3, window_s=1.0, power_w=8.0, throttled=False, extra=rails[1])
    both = later.joined(earlier)
    assert both.power_w == pytest.approx(5.0)
    assert both.extra == {"power_w.GPU": pytest.approx(5.0), "load_s": 4.0}
    assert both.throttled
    assert both.clock_mhz is None


def test_the_energy_of_requests_counts_those_that_were_answered():
    """The highest rate is another matter: that much power was not drawn for it."""
    batches = Slice(np.full(100, 10.0), np.full(100, 0.1))
    served = ServedRun(
        config=Config(),
        batches=batches,
        window_s=10.0,
        setup_s=0.1,
        power_w=5.0,
        rate_ips=10.0,
        highest_ips=80.0,
    )
    found = served.measurement(99.0, 0.95)
    assert found.throughput_ips == 80.0
    assert found.energy_j == pytest.approx(0.5)


@pytest.mark.parametrize(("idle_w", "expected"), [(2.0, 4.0), (None, 10.0)])
def test_the_power_of_a_rate_lies_between_idle_and_full_load(idle_w, expected):
    """A quarter of the capacity draws a quarter of the difference, if idle is known."""
    timed = TimedBatches(
        config=Config(),
        times=BatchTimes(ms={1: np.full(4, 10.0)}),
        window_s=1.0,
        setup_s=0.1,
        power_w=10.0,
        idle_w=idle_w,
    )
    assert timed.power_at_w(25.0, 100.0) == pytest.approx(expected)


def test_the_histogram_has_every_batch():
    """Its buckets reach from the shortest to the longest latency, and no batch is left out."""
    latencies = np.random.default_rng(2).lognormal(1.0, 0.3, 2000)
    found = run(latencies).measurement(99.0, 0.95).histogram
    assert (found.low_ms, found.high_ms) == (latencies.min(), latencies.max())
    assert sum(found.counts) == 2000
    median = found.low_ms * (found.high_ms / found.low_ms) ** (
        np.searchsorted(np.cumsum(found.counts), 1000) / len(found.counts)
    )
    assert median == pytest.approx(np.median(latencies), rel=0.06)


@pytest.mark.parametrize("latencies", [[7.0], [7.0] * 50])
def test_equal_latencies_are_one_bucket(latencies):
    """What does not vary has no width to divide."""
    found = run(latencies).measurement(99.0, 0.95).histogram
    assert (found.low_ms, found.high_ms, found.counts) == (7.0, 7.0, (len(latencies),))
