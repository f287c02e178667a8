from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from model_values import input_tensor, model_info

from autotuner import plan, scenario
from autotuner.bench.batching import Batching
from autotuner.bench.load import poisson_arrivals
from autotuner.bench.queueing import BatchTimes, simulate
from autotuner.bench.record import Slice
from autotuner.bench.summary import ServedRun, SteadyRun, TimedBatches
from autotuner.core.config import BASELINE, Config
from autotuner.core.errors import InputError, SpaceError
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed
from autotuner.core.request import MeasureRequest, TuneRequest, Workload
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec
from autotuner.standard import Standard
from autotuner.subject import Subject

BUDGET_MS = 60.0
STANDARD = Standard(
    objective=Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=BUDGET_MS)]),
    confidence=0.95,
)
SERVED = Config(batch_size=4, workers=2, max_queue_delay_ms=2.0)


class Device:
    """Stands for the harness: batches take 6 ms and 1 ms for each sample, when served *slower*."""

    def __init__(self, *, slower=1.0, failed=None):
        self._slower = slower
        self._failed = failed
        self.timed = []
        self.rates = []

    def batch_times(self, config, sizes, *, seconds_each, hopeless_ms):  # noqa: ARG002
        """Return the batch times as they are."""
        self.timed.append(config)
        times = BatchTimes(ms={size: np.full(50, 6.0 + size) for size in sizes})
        return self._failed or TimedBatches(config=config, times=times, window_s=1.0, setup_s=0.1)

    def serve(self, config, rate_ips, window, *, rng, earlier=None, keep=False):  # noqa: ARG002
        """Return what a simulation of the slower device shows in the longest window."""
        self.rates.append(rate_ips)
        due_ns = poisson_arrivals(rate_ips, window.max_s, rng)
        batching = Batching.of(config)
        latencies = simulate(
            due_ns.tolist(),
            batching,
            config.workers,
            lambda size: int((6.0 + size) * self._slower * 1e6),
        )
        run = ServedRun(
            config=config,
            batches=Slice(latencies, np.diff(due_ns, prepend=0) / 1e9),
            window_s=window.max_s,
            setup_s=0.1,
            rate_ips=rate_ips,
        )
        return self._failed or run.joined(earlier)


def server(device, *, rate_ips=None, standard=STANDARD):
    """Return the scenario ``server`` on *device*."""
    workload = Workload(scenario="server", rate_ips=rate_ips)
    return scenario.of(workload, device, standard)


def final_turns(tested, config, known):
    """Return the run after as many turns of the final round as the proof needs, 30 at most."""
    run = None
    for _ in range(30):
        run = tested.turn(config, known, run, keep=True)
        if STANDARD.verdict(run, STANDARD.measurement(run)) == "in":
            break
    return run


def subject(arrives, *, batch="N", cpus=2):
    """Return a model with this *batch* axis on a machine with so many CPUs."""
    return Subject(
        info=model_info(x=(batch, 3)),
        inputs=InputSpec(tensors=(input_tensor(),)),
        topology=Topology(cpus=tuple(range(cpus))),
        precisions={"onnxruntime-cpu": {"fp32": "fp32"}},
        fingerprint=Fingerprint(scenario=arrives),
        notes=(),
    )


def test_the_search_predicts_the_highest_rate_and_says_so():
    """The throughput is that rate, the latencies are those of requests at it, with a margin."""
    found = server(Device()).trial(SERVED)
    assert found.extra["predicted"] == 1.0
    assert found.extra["offered_ips"] == found.throughput_ips
    assert 2 * 4e3 / 10.0 * 0.5 < found.throughput_ips < 2 * 4e3 / 10.0
    assert found.p50_ms < found.p99_ms < BUDGET_MS


def test_with_a_rate_latencies_are_those_at_it_and_throughput_is_the_headroom():
    """The best configuration is the one that keeps the budget with the most to spare."""
    highest = server(Device()).trial(SERVED)
    at_hundred = server(Device(), rate_ips=100.0).trial(SERVED)
    assert at_hundred.throughput_ips == highest.throughput_ips
    assert at_hundred.extra["offered_ips"] == 100.0
    assert at_hundred.p99_ms < highest.p99_ms


def test_a_rate_beyond_the_capacity_breaks_the_budget():
    """What the queue does without end needs no real run to be seen."""
    found = server(Device(), rate_ips=2000.0).trial(SERVED)
    assert not STANDARD.objective.feasible(found)


def test_a_batch_that_takes_longer_than_the_budget_breaks_it():
    """However few requests come: it would as soon as it fills."""
    found = server(Device()).trial(replace(SERVED, batch_size=64))
    assert found.p99_ms == 70.0
    assert not STANDARD.objective.feasible(found)


def test_another_queue_delay_needs_no_measurement_but_a_repeat_does():
    """Batch times do not depend on the delay; measuring again is to see the noise."""
    device = Device()
    tested = server(device)
    tested.trial(SERVED)
    tested.trial(replace(SERVED, max_queue_delay_ms=5.0))
    assert device.timed == [SERVED]
    tested.trial(SERVED)
    assert device.timed == [SERVED, SERVED]


def test_a_rate_that_was_asked_for_is_what_the_final_round_serves():
    """It is proven there, or not at all; the headroom stays a prediction."""
    device = Device()
    tested = server(device, rate_ips=100.0)
    known = tested.trial(SERVED)
    run = final_turns(tested, SERVED, known)
    assert set(device.rates) == {100.0}
    found = STANDARD.measurement(run)
    assert found.throughput_ips == known.throughput_ips
    assert STANDARD.verdict(run, found) == "in"


def test_the_final_round_confirms_the_highest_rate():
    """Where the prediction holds, it is proven as it is or a few steps below."""
    tested = server(Device())
    known = tested.trial(SERVED)
    run = final_turns(tested, SERVED, known)
    found = STANDARD.measurement(run)
    assert STANDARD.verdict(run, found) == "in"
    assert 0.8 * known.throughput_ips <= found.throughput_ips <= known.throughput_ips


def test_the_final_round_backs_off_from_a_rate_that_real_requests_do_not_bear():
    """A device that is slower under real load is found out, and the rate it bears is proven."""
    device = Device(slower=1.25)
    tested = server(device)
    known = tested.trial(SERVED)
    run = final_turns(tested, SERVED, known)
    found = STANDARD.measurement(run)
    assert STANDARD.verdict(run, found) == "in"
    assert found.throughput_ips == run.rate_ips < 0.9 * known.throughput_ips
    assert device.rates == sorted(device.rates, reverse=True)


@pytest.mark.parametrize("rate_ips", [None, 100.0])
def test_a_failure_passes_through(rate_ips):
    """The search and the final round deal with it."""
    failed = Failed("crashed", "a worker was ended by SIGSEGV")
    known = server(Device()).trial(SERVED)
    tested = server(Device(failed=failed), rate_ips=rate_ips)
    assert tested.trial(SERVED) == failed
    assert tested.turn(SERVED, known, None, keep=False) == failed


def test_requests_that_pile_up_keep_no_constraint():
    """Whatever latencies were seen before, the queue has no end."""
    latencies = np.random.default_rng(0).uniform(1.0, 2.0, 1000)
    run = ServedRun(
        config=SERVED,
        batches=Slice(latencies, latencies / 1e3),
        window_s=1.0,
        setup_s=0.1,
        rate_ips=10.0,
    )
    assert STANDARD.verdict(run, STANDARD.measurement(run)) == "in"
    piled_up = replace(run, overloaded=True)
    assert STANDARD.verdict(piled_up, STANDARD.measurement(run)) == "out"
    assert piled_up.joined(run).overloaded
    assert run.joined(piled_up).overloaded


def test_other_scenarios_run_batches_back_to_back():
    """They differ in the search space and the constraints only."""

    class Flat:
        def measure(self, config, window, *, earlier=None, keep=False):  # noqa: ARG002
            times = np.linspace(1.0, 2.0, 400)[np.random.default_rng(1).permutation(400)]
            run = SteadyRun(
                config=config, batches=Slice(times, times / 1e3), window_s=1.0, setup_s=0.0
            )
            return run.joined(earlier)

    for name in ("multistream", "singlestream", "offline"):
        tested = scenario.of(Workload(scenario=name), Flat(), STANDARD)
        known = tested.trial(BASELINE)
        assert known.n == 400
        run = tested.turn(BASELINE, known, None, keep=False)
        assert len(tested.turn(BASELINE, known, run, keep=False).batches.latencies_ms) == 800


def test_only_requests_that_queue_have_a_queue_delay():
    """In the other scenarios there is no such dimension and no such word in a configuration."""
    for name in ("multistream", "singlestream", "offline"):
        assert "max_queue_delay_ms" not in plan.search_space(subject(name), {}).names
        assert "queue" not in str(subject(name).baseline)
    space = plan.search_space(subject("server"), {}, budget_ms=20.0)
    assert space["max_queue_delay_ms"].values == (0.0, 1.0, 2.0, 5.0, 10.0)
    assert str(subject("server").baseline).endswith("queue delay 0 ms")
    assert {n: subject("server").baseline.to_mapping()[n] for n in space.names} in space


def test_a_batch_of_one_waits_for_nobody():
    """A delay without company would be lost time."""
    space = plan.search_space(subject("server"), {}, budget_ms=20.0)
    delays = {c["max_queue_delay_ms"] for c in space if c["batch_size"] == 1}
    assert delays == {0.0}


def test_the_first_trials_of_a_server_do_not_delay():
    """They lie in the space, as every seed must."""
    space = plan.search_space(subject("server"), {}, budget_ms=20.0)
    seeds = plan.seeds(space, subject("server"))
    assert seeds
    assert all(seed in space and seed["max_queue_delay_ms"] == 0.0 for seed in seeds)


def test_a_single_stream_has_one_request_at_a_time():
    """One worker and batches of one; who asks for more is told."""
    space = plan.search_space(subject("singlestream"), {})
    assert space["workers"].values == space["batch_size"].values == (1,)
    for name in ("workers", "batch_size"):
        with pytest.raises(SpaceError, match=f"singlestream {name} is 1"):
            plan.search_space(subject("singlestream"), {name: (1, 2)})
    assert plan.search_space(subject("singlestream", batch=4), {})["batch_size"].values == (4,)


def test_requests_need_a_model_that_takes_any_number_of_them():
    """A fixed batch cannot be formed from what happens to wait."""
    with pytest.raises(SpaceError, match="free batch axis"):
        plan.search_space(subject("server", batch=4), {})


def test_a_queue_delay_elsewhere_is_refused():
    """It would be ignored."""
    with pytest.raises(SpaceError, match="server only"):
        plan.check(SERVED, subject("multistream"))
    plan.check(SERVED, subject("server"))


@pytest.mark.parametrize(
    ("workload", "settings", "said"),
    [
        ({"scenario": "offline"}, {"max_latency_ms": 50.0}, "latency does not count"),
        ({"scenario": "offline"}, {"goal": "latency"}, "latency does not count"),
        ({"scenario": "server"}, {"goal": "latency"}, "--rate 100"),
        ({"scenario": "server"}, {}, "--max-latency 50ms"),
    ],
)
def test_a_tuning_request_that_does_not_fit_its_scenario_is_refused(workload, settings, said):
    """The message says what to leave out or to give."""
    with pytest.raises(InputError, match=said):
        TuneRequest(workload=Workload(**workload), **settings)


def test_offline_needs_no_budget():
    """Throughput is all that counts."""
    request = TuneRequest(workload=Workload(scenario="offline"))
    assert request.objective == Objective.maximize("throughput_ips")


@pytest.mark.parametrize("rate_ips", [0.0, -1.0, math.nan])
def test_a_rate_is_above_zero(rate_ips):
    """Nobody would come."""
    with pytest.raises(InputError, match="above zero"):
        Workload(scenario="server", rate_ips=rate_ips)


def test_a_rate_belongs_to_the_scenario_server():
    """Elsewhere it would be ignored."""
    with pytest.raises(InputError, match="--scenario server"):
        Workload(rate_ips=10.0)


def test_measuring_requests_needs_their_rate():
    """There is no budget to find a highest one for."""
    with pytest.raises(InputError, match="--rate 100"):
        MeasureRequest(workload=Workload(scenario="server"))
