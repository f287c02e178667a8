from __future__ import annotations

import numpy as np
import pytest

from autotuner.bench.record import Slice
from autotuner.bench.summary import SteadyRun
from autotuner.core.config import Config
from autotuner.core.events import TrialDone, TrialStarted
from autotuner.core.objective import Constraint, Objective
from autotuner.core.outcome import Failed, Measurement
from autotuner.proof import Contestant, prove
from autotuner.scenario import ClosedLoop
from autotuner.standard import Standard

BUDGET_MS = 10.0
MOST_S = 30.0
STANDARD = Standard(
    objective=Objective.maximize("throughput_ips", [Constraint("p99_ms", at_most=BUDGET_MS)]),
    confidence=0.95,
)
BASELINE = Config()
BATCHES = 400


class Device:
    """Stands for the harness: every configuration has its distribution of batch times.

    *median_ms* is by configuration, and so is *power_w*; *slow* is the share of batches that take
    three times as long. Each turn takes a second of *clock_s*.
    """

    def __init__(self, median_ms, *, slow=None, disturbed=(), power_w=None):
        self._median_ms = median_ms
        self._power_w = power_w or {}
        self._slow = slow or {}
        self._disturbed = list(disturbed)
        self._rng = np.random.default_rng(0)
        self.clock_s = 0.0
        self.free_mib = 1000.0
        self.loaded = set()
        self.turns = []

    def measure(self, config, _window, *, earlier=None, keep=False):
        """Return a second of batches after those of *earlier*."""
        self.clock_s += 1.0
        self.turns.append(config)
        self.loaded |= {config} if keep else set()
        if isinstance(self._median_ms[config], Failed):
            return self._median_ms[config]
        times = self._median_ms[config] * self._rng.uniform(0.98, 1.02, BATCHES)
        times[self._rng.random(BATCHES) < self._slow.get(config, 0.0)] *= 3.0
        run = SteadyRun(
            config=config,
            batches=Slice(times, times / 1e3),
            window_s=1.0,
            setup_s=0.1,
            power_w=self._power_w.get(config),
            disturbed="other processes" if config in self._disturbed else None,
        )
        if config in self._disturbed:
            self._disturbed.remove(config)
        return run.joined(earlier)

    def unload(self, config):
        """Forget *config*."""
        self.loaded.discard(config)


@pytest.fixture
def final_round():
    """Hold a final round on a device; return the verdict and the events.

    *known* is the throughput that the search saw, by configuration; the best first.
    """

    def hold(
        device,
        known,
        *,
        standard=STANDARD,
        max_seconds=MOST_S,
        grace_s=0.0,
        better_s=0.0,
        **figures,
    ):
        contestants = {
            config: Contestant(
                config=config,
                known=Measurement(throughput_ips=ips, p99_ms=5.0, memory_mib=1.0, **figures),
            )
            for config, ips in known.items()
        }
        baseline = contestants.pop(BASELINE)
        events = []
        steps = prove(
            device,
            ClosedLoop(device, standard),
            standard,
            baseline,
            [*contestants.values()],
            max_seconds=max_seconds,
            grace_s=grace_s,
            better_s=better_s,
        )
        while True:
            try:
                events.append(next(steps))
            except StopIteration as end:
                return end.value, events

    return hold


def batch(size):
    """Return a configuration with this batch size."""
    return Config(batch_size=size)


def test_the_true_best_wins_whatever_the_search_thought(final_round):
    """What the search saw only decides who takes part."""
    times = {BASELINE: 1.0, batch(2): 1.8, batch(4): 3.0, batch(8): 7.5}
    known = {batch(8): 3000.0, batch(2): 2000.0, batch(4): 1000.0, BASELINE: 1000.0}
    verdict, _ = final_round(Device(times), known)
    assert verdict.winner.config == batch(4)
    assert verdict.winner.verdict(STANDARD) == "in"
    assert verdict.baseline.config == BASELINE


def test_a_winner_that_breaks_the_budget_makes_room_for_the_next(final_round):
    """The throughput of one that is too slow for 1 in 20 batches does not count."""
    times = {BASELINE: 1.0, batch(2): 1.6, batch(4): 2.8, batch(8): 5.0, batch(16): 9.0}
    slow = {batch(16): 0.05, batch(8): 0.05, batch(4): 0.0}
    known = {batch(16): 1800.0, batch(8): 1600.0, batch(4): 1400.0, batch(2): 1.0, BASELINE: 1.0}
    verdict, _ = final_round(Device(times, slow=slow), known)
    assert verdict.winner.config == batch(4)
    verdicts = {c.config: c.verdict(STANDARD) for c in verdict.contestants}
    assert verdicts[batch(16)] == verdicts[batch(8)] == "out"


def test_the_next_in_line_is_measured_only_when_there_is_room(final_round):
    """Three at a time are enough to find the best."""
    times = {BASELINE: 1.0, **{batch(size): 0.5 * size for size in (2, 3, 4, 5)}}
    known = {batch(size): 10.0 - size for size in (2, 3, 4, 5)} | {BASELINE: 1.0}
    device = Device(times)
    final_round(device, known)
    assert batch(4) in device.turns
    assert batch(5) not in device.turns


def test_the_baseline_may_win(final_round):
    """Tuning that makes nothing faster is told honestly."""
    verdict, _ = final_round(
        Device({BASELINE: 1.0, batch(2): 3.0}), {batch(2): 2000.0, BASELINE: 900.0}
    )
    assert verdict.winner is verdict.baseline


def test_without_finalists_the_baseline_alone_is_judged(final_round):
    """The search may have found nothing that keeps the budget."""
    verdict, _ = final_round(Device({BASELINE: 1.0}), {BASELINE: 900.0})
    assert verdict.winner is verdict.baseline


def test_where_all_break_the_budget_nobody_wins(final_round):
    """And it is over at once, not when the time is up."""
    device = Device({BASELINE: 11.0, batch(2): 12.0})
    verdict, _ = final_round(device, {batch(2): 2000.0, BASELINE: 900.0})
    assert verdict.winner is None
    assert device.clock_s < MOST_S / 2


def test_a_finalist_that_fails_is_out(final_round):
    """The others go on; its failure is told as a trial's."""
    device = Device({BASELINE: 1.0, batch(2): 1.5, batch(4): Failed("oom", "too big")})
    verdict, events = final_round(device, {batch(4): 9.0, batch(2): 8.0, BASELINE: 1.0})
    assert verdict.winner.config == batch(2)
    outcomes = [e.outcome for e in events if isinstance(e, TrialDone) and e.config == batch(4)]
    assert outcomes == [Failed("oom", "too big")]


def test_a_turn_whose_power_is_not_known_is_out(final_round):
    """A meter may go meanwhile; the others are judged, and the trial names what is missing."""
    frugal = Standard(objective=Objective.minimize("energy_j"), confidence=0.95)
    device = Device({BASELINE: 1.0, batch(2): 1.5, batch(4): 2.0}, power_w={batch(2): 5.0})
    known = {batch(4): 9.0, batch(2): 8.0, BASELINE: 1.0}
    verdict, events = final_round(device, known, standard=frugal, energy_j=0.1)
    assert verdict.winner.config == batch(2)
    (outcome,) = [e.outcome for e in events if isinstance(e, TrialDone) and e.config == batch(4)]
    assert "energy_j was not measured throughout" in outcome.detail


def test_a_baseline_that_fails_does_not_stop_the_others(final_round):
    """Its figures are those of before."""
    device = Device({BASELINE: Failed("crashed"), batch(2): 1.5})
    verdict, _ = final_round(device, {batch(2): 8.0, BASELINE: 7.0})
    assert verdict.winner.config == batch(2)
    assert verdict.baseline.measurement(STANDARD).throughput_ips == 7.0


def test_nothing_is_proven_without_time(final_round):
    """A winner is never declared on what the search saw."""
    device = Device({BASELINE: 1.0, batch(2): 1.5})
    verdict, events = final_round(device, {batch(2): 8.0, BASELINE: 1.0}, max_seconds=0.0)
    assert verdict.winner is None
    assert events == []


def test_when_time_is_up_the_best_proven_one_wins(final_round):
    """The rest had no turn and cannot win."""
    device = Device({BASELINE: 1.0, batch(2): 1.5, batch(4): 2.0})
    known = {batch(2): 8.0, batch(4): 7.0, BASELINE: 1.0}
    verdict, events = final_round(device, known, max_seconds=1.0)
    assert device.turns == [batch(2)]
    assert verdict.winner.config == batch(2)
    assert events[-1].seconds_left == 0.0


def test_grace_is_for_those_that_are_not_proven_yet(final_round):
    """Where time costs nothing a slow proof is waited for, and nothing else is."""
    slow = {BASELINE: 1.0, batch(4): 3.5}
    known = {batch(4): 1000.0, BASELINE: 900.0}
    device = Device(slow, slow={batch(4): 0.005})
    assert final_round(device, known, max_seconds=2.0)[0].winner.config == BASELINE
    device = Device(slow, slow={batch(4): 0.005})
    verdict, _ = final_round(device, known, max_seconds=2.0, grace_s=60.0)
    assert verdict.winner.config == batch(4)
    assert 2.0 < device.clock_s < 62.0


def test_when_it_is_late_a_slower_one_may_be_proven(final_round):
    """The leader stays undecided at its bound, and would have all turns for itself."""
    times = {BASELINE: 5.0, batch(2): 3.4, batch(4): 3.5}
    slow = {batch(4): 0.01, batch(2): 0.004}
    known = {batch(4): 1143.0, batch(2): 588.0, BASELINE: 200.0}
    alone, _ = final_round(Device(times, slow=slow), known, max_seconds=20.0)
    assert {c.config: c.verdict(STANDARD) for c in alone.contestants}[batch(2)] is None
    verdict, _ = final_round(Device(times, slow=slow), known, max_seconds=20.0, grace_s=60.0)
    assert verdict.winner.config == batch(2)


def test_a_better_one_is_waited_for_a_while_when_a_slower_one_is_proven(final_round):
    """Near its bound it needs more batches than the others, which have no turns meanwhile."""
    times = {BASELINE: 5.0, batch(2): 1.9, batch(4): 3.5}
    known = {batch(4): 1143.0, batch(2): 1052.0, BASELINE: 200.0}
    slow = {batch(4): 0.005}
    early, _ = final_round(Device(times, slow=slow), known, max_seconds=8.0)
    assert early.winner.config == batch(2)
    device = Device(times, slow=slow)
    verdict, _ = final_round(device, known, max_seconds=8.0, better_s=40.0)
    assert verdict.winner.config == batch(4)
    assert set(device.turns[9:]) == {batch(4)}
    assert device.clock_s < 48.0


def test_one_that_stays_undecided_does_not_take_all_the_time(final_round):
    """What is proven wins when the seconds for the better one are over."""
    times = {BASELINE: 5.0, batch(2): 1.9, batch(4): 3.5}
    known = {batch(4): 1143.0, batch(2): 1052.0, BASELINE: 200.0}
    device = Device(times, slow={batch(4): 0.01})
    verdict, _ = final_round(device, known, max_seconds=8.0, grace_s=60.0, better_s=5.0)
    assert verdict.winner.config == batch(2)
    assert device.clock_s <= 14.0


def test_equals_do_not_run_for_ever(final_round):
    """Two that differ by less than the precision need not be told apart."""
    device = Device({BASELINE: 2.0, batch(2): 2.0, batch(4): 3.99})
    verdict, _ = final_round(device, {batch(4): 1001.0, batch(2): 1000.0, BASELINE: 500.0})
    assert verdict.winner.config in {batch(2), batch(4)}
    assert device.clock_s <= 8.0


def test_a_tail_that_one_turn_cannot_settle_gets_more_turns(final_round):
    """With 0.5 % of the batches over the budget, 400 do not prove that at most 1 % are."""
    device = Device({BASELINE: 1.0, batch(4): 3.5}, slow={batch(4): 0.005})
    verdict, _ = final_round(device, {batch(4): 1000.0, BASELINE: 900.0})
    assert verdict.winner.config == batch(4)
    assert device.turns.count(batch(4)) > 2


def test_a_disturbed_turn_is_repeated(final_round):
    """What else the box did must not decide who wins."""
    device = Device({BASELINE: 1.0, batch(2): 1.5}, disturbed=[batch(2)])
    verdict, _ = final_round(device, {batch(2): 8.0, BASELINE: 1.0})
    assert verdict.winner.run.disturbed is None
    assert device.turns.count(batch(2)) == 3


def test_a_box_that_is_never_quiet_still_gets_an_answer(final_round):
    """It is told as disturbed, and does not take all the time there is."""
    always = [batch(2)] * 100 + [BASELINE] * 100
    device = Device({BASELINE: 1.0, batch(2): 1.5}, disturbed=always)
    verdict, _ = final_round(device, {batch(2): 8.0, BASELINE: 1.0})
    assert verdict.winner.config == batch(2)
    assert verdict.winner.measurement(STANDARD).disturbed == "other processes"
    assert device.clock_s < MOST_S


def test_a_disturbed_one_never_beats_one_that_was_proven_undisturbed(final_round):
    """However fast it looks: nobody saw it alone."""
    device = Device({BASELINE: 1.0, batch(2): 1.5, batch(4): 2.0}, disturbed=[batch(4)] * 100)
    verdict, _ = final_round(device, {batch(4): 2000.0, batch(2): 1300.0, BASELINE: 900.0})
    assert verdict.winner.config == batch(2)


def test_other_constraints_are_judged_by_the_figures(final_round):
    """Memory is that of the search, where nothing else was loaded."""
    bounds = [Constraint("p99_ms", at_most=BUDGET_MS), Constraint("memory_mib", at_most=0.5)]
    tight = Standard(objective=Objective.maximize("throughput_ips", bounds), confidence=0.95)
    known = {batch(2): 8.0, BASELINE: 1.0}
    verdict, _ = final_round(Device({BASELINE: 1.0, batch(2): 1.5}), known, standard=tight)
    assert verdict.winner is None


def test_the_fastest_wins_where_latency_is_what_counts(final_round):
    """A lower value is the better one then."""
    quick = Standard(objective=Objective.minimize("p99_ms"), confidence=0.95)
    device = Device({BASELINE: 3.0, batch(2): 2.0, batch(4): 2.6})
    verdict, _ = final_round(device, {batch(4): 9.0, batch(2): 1.0, BASELINE: 1.0}, standard=quick)
    assert verdict.winner.config == batch(2)


def test_the_baseline_is_known_as_precisely_as_it_is_compared(final_round):
    """The ratio is of two figures of the same round, the baseline in two turns at least."""
    device = Device({BASELINE: 1.0, batch(4): 2.0})
    verdict, _ = final_round(device, {batch(4): 2000.0, BASELINE: 900.0})
    assert device.turns.count(BASELINE) >= 2
    ratio = (
        verdict.winner.measurement(STANDARD).throughput_ips
        / verdict.baseline.measurement(STANDARD).throughput_ips
    )
    assert ratio == pytest.approx(2.0, rel=0.02)


def test_every_turn_is_told_and_nothing_stays_loaded(final_round):
    """A start and an end each, in the phase ``proof``."""
    device = Device({BASELINE: 1.0, batch(2): 1.5})
    _, events = final_round(device, {batch(2): 8.0, BASELINE: 1.0})
    assert [type(event) for event in events] == [TrialStarted, TrialDone] * len(device.turns)
    assert [event.config for event in events[::2]] == device.turns
    assert {event.phase for event in events} == {"proof"}
    assert device.loaded == set()
