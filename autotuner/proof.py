"""The final round: baseline and finalists measured again in turn until one is proven the winner."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from autotuner.bench.bench import Bench
from autotuner.bench.summary import SteadyRun
from autotuner.bench.window import PRECISION
from autotuner.core.config import Config
from autotuner.core.events import TrialDone, TrialStarted
from autotuner.core.objective import Objective
from autotuner.core.outcome import Failed, Measurement
from autotuner.scenario import Scenario
from autotuner.standard import Standard

_AT_ONCE = 3
_FEWEST_TURNS = 2
_MOST_REPEATS = 2
_BASELINE_PRECISION = 0.03


@dataclass(slots=True, kw_only=True)
class Contestant:
    """A configuration in the final round; *known* is what was measured of it before."""

    config: Config
    known: Measurement
    run: SteadyRun | None = None
    failed: Failed | None = None
    turns: int = 0
    repeats: int = 0
    _judged: tuple[SteadyRun, Measurement, Literal["in", "out"] | None] | None = None

    def measurement(self, standard: Standard) -> Measurement:
        """Return what the final round shows so far, else what was known.

        Memory is that of the search, where nothing else was loaded.
        """
        return self.known if self.run is None else self._judge(self.run, standard)[0]

    def verdict(self, standard: Standard) -> Literal["in", "out"] | None:
        """Say whether every constraint is proven kept, is broken, or is undecided yet."""
        if self.failed is not None:
            return "out"
        return None if self.run is None else self._judge(self.run, standard)[1]

    def take(self, found: SteadyRun | Failed, standard: Standard) -> None:
        """Take what a turn showed; a disturbed one is repeated, but not for ever."""
        if isinstance(found, Failed):
            self.failed = found
        elif lacking := standard.lacking(self._figures(found, standard)):
            self.failed = lacking
        elif found.disturbed is not None and self.repeats < _MOST_REPEATS:
            self.repeats += 1
        else:
            # A disturbed run comes back alone; its mark stays with all that follows.
            disturbed = found.disturbed or (self.run.disturbed if self.run else None)
            joined = found.joined(self.run) if found.disturbed else found
            self.run = replace(joined, disturbed=disturbed)
            self.turns += 1

    @property
    def disturbed(self) -> bool:
        """Whether something else shaped what the final round saw of it."""
        return self.run is not None and self.run.disturbed is not None

    def _figures(self, run: SteadyRun, standard: Standard) -> Measurement:
        return replace(standard.measurement(run), memory_mib=self.known.memory_mib)

    def _judge(
        self, run: SteadyRun, standard: Standard
    ) -> tuple[Measurement, Literal["in", "out"] | None]:
        # Once for every run: it may have hundreds of thousands of batches.
        if self._judged is None or self._judged[0] is not run:
            measured = self._figures(run, standard)
            proven = self._judged is not None and self._judged[2] == "in"
            verdict = standard.verdict(run, measured)
            # What is proven stays proven: the rule allows for being asked again and again.
            self._judged = (run, measured, "in" if proven and verdict is None else verdict)
        return self._judged[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How the final round ended; *winner* is None when no configuration could be proven."""

    winner: Contestant | None
    baseline: Contestant
    contestants: tuple[Contestant, ...]


def prove(
    bench: Bench,
    scenario: Scenario,
    standard: Standard,
    baseline: Contestant,
    finalists: Sequence[Contestant],
    *,
    max_seconds: float,
    grace_s: float = 0.0,
    better_s: float = 0.0,
) -> Generator[TrialStarted | TrialDone, None, Verdict]:
    """Measure *baseline* and the best three of *finalists* in turn until the winner is decided.

    A disturbed turn does not count and is repeated. One that stays disturbed is marked, and wins
    only on a box where nothing could be proven undisturbed. A finalist that breaks a constraint
    makes room for the next one. The winner is proven and no rival that is still in may beat it by
    more than the precision of the search; when time is up, the best proven one wins. While no
    finalist is proven, there are *grace_s* seconds more, and each that is still in takes its turns:
    one that is slower but far from its bounds is proven soon. While one that may beat the proven
    ones is undecided, there are *better_s* seconds more, for its turns alone. The baseline may win
    too.
    """
    contestants = (*finalists, baseline)
    keep = _fits(contestants, bench.free_mib)
    began_s = bench.clock_s

    def seconds_left() -> float:
        most_s = max_seconds
        if not any(c.verdict(standard) == "in" for c in finalists):
            most_s += grace_s
        elif _awaited(finalists, standard):
            most_s += better_s
        return max(0.0, most_s - (bench.clock_s - began_s))

    def next_round() -> list[Contestant]:
        late = bench.clock_s - began_s >= max_seconds
        awaited = _awaited(finalists, standard) if late else []
        return awaited or _next_round(contestants, baseline, standard)

    while (turn := next_round()) and seconds_left() > 0:
        for contestant in turn:
            if seconds_left() <= 0:
                break
            yield TrialStarted(phase="proof", config=contestant.config, why="final round")
            found = scenario.turn(contestant.config, contestant.known, contestant.run, keep=keep)
            contestant.take(found, standard)
            yield TrialDone(
                phase="proof",
                config=contestant.config,
                outcome=contestant.failed or contestant.measurement(standard),
                seconds_left=seconds_left(),
            )
    for contestant in contestants:
        bench.unload(contestant.config)
    proven = [c for c in contestants if c.verdict(standard) == "in"]
    proven = [c for c in proven if not c.disturbed] or proven
    return Verdict(
        winner=_best(proven, standard) if proven else None,
        baseline=baseline,
        contestants=contestants,
    )


def _awaited(finalists: Sequence[Contestant], standard: Standard) -> list[Contestant]:
    """Return the undecided ones that may still be better than all that are proven."""
    undecided = [c for c in finalists if c.verdict(standard) is None]
    proven = [c for c in finalists if c.verdict(standard) == "in"]
    if not proven:
        return undecided
    best = _best(proven, standard)
    return [c for c in undecided if _may_beat(c, best, standard)]


def _next_round(
    contestants: Sequence[Contestant], baseline: Contestant, standard: Standard
) -> list[Contestant]:
    """Return whom to measure next, nobody when the winner is decided."""
    alive = [c for c in contestants if c is not baseline and c.verdict(standard) != "out"]
    alive = alive[:_AT_ONCE]
    if baseline.verdict(standard) != "out":
        alive.append(baseline)
    if not alive:
        return [baseline] if baseline.turns < _FEWEST_TURNS and baseline.failed is None else []
    leader = _best(alive, standard)
    open_ones = [
        c
        for c in alive
        if c.turns < _FEWEST_TURNS
        or (c is leader and c.verdict(standard) != "in")
        or (c is not leader and _may_beat(c, leader, standard))
    ]
    if open_ones and leader not in open_ones:
        open_ones.insert(0, leader)  # rivals are compared under the same conditions
    if baseline.failed is None and baseline not in open_ones and not _precise(baseline, standard):
        open_ones.append(baseline)
    return open_ones


def _best(contestants: Sequence[Contestant], standard: Standard) -> Contestant:
    best = contestants[0]
    for contestant in contestants[1:]:
        if standard.objective.better(contestant.measurement(standard), best.measurement(standard)):
            best = contestant
    return best


def _may_beat(rival: Contestant, leader: Contestant, standard: Standard) -> bool:
    """Say whether *rival* could still be better than *leader* by more than the precision."""
    objective = standard.objective
    hopeful = _side(rival.measurement(standard), objective, hopeful=True)
    doubtful = _side(leader.measurement(standard), objective, hopeful=False)
    if hopeful is None or doubtful is None:
        return True
    if objective.direction == "maximize":
        return hopeful > doubtful * (1.0 + 2 * PRECISION)
    return hopeful < doubtful * (1.0 - 2 * PRECISION)


def _side(measurement: Measurement, objective: Objective, *, hopeful: bool) -> float | None:
    """Return the better or the worse end of the objective's interval."""
    low, high = measurement.intervals.get(objective.metric, (None, None))
    return high if hopeful == (objective.direction == "maximize") else low


def _precise(contestant: Contestant, standard: Standard) -> bool:
    measurement = contestant.measurement(standard)
    low, high = measurement.intervals.get("throughput_ips", (None, None))
    if contestant.turns < _FEWEST_TURNS or low is None or high is None:
        return False
    assert measurement.throughput_ips is not None
    return (high - low) / 2.0 <= _BASELINE_PRECISION * measurement.throughput_ips


def _fits(contestants: Sequence[Contestant], free_mib: float) -> bool:
    """Say whether all sessions may stay loaded, which makes the turns short."""
    needs = [c.known.memory_mib for c in contestants]
    known = [need for need in needs if need is not None]
    return len(known) == len(needs) and sum(known) < free_mib / 2
