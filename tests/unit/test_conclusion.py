from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from model_values import input_tensor, model_info

from autotuner.bench.record import Slice
from autotuner.bench.summary import SteadyRun
from autotuner.conclusion import Conclusion
from autotuner.core.config import Config
from autotuner.core.events import Candidate
from autotuner.core.fingerprint import Fingerprint
from autotuner.core.outcome import Failed, Measurement
from autotuner.core.request import TuneRequest, Workload
from autotuner.host.topology import Topology
from autotuner.model.inputs import InputSpec
from autotuner.proof import Contestant, Verdict
from autotuner.search.study import Trial
from autotuner.standard import Standard
from autotuner.subject import Subject

WHEN = "2025-01-01T00:00:00+00:00"
WORKLOAD = Workload(model="/models/m.onnx", seed=7)
BASELINE, FAST = Config(), Config(batch_size=4)
SUBJECT = Subject(
    info=model_info(x=("N", 3)),
    inputs=InputSpec(tensors=(input_tensor(),)),
    topology=Topology(cpus=(0, 1)),
    precisions={"onnxruntime-cpu": {"fp32": "fp32"}},
    fingerprint=Fingerprint(model_sha256="ab"),
    notes=(),
)


def contestant(config, milliseconds, *, known_ips=1.0):
    """Return a contestant whose every batch took so long, None for one that had no turn."""
    run = None
    if milliseconds is not None:
        times = np.full(400, milliseconds)
        run = SteadyRun(config=config, batches=Slice(times, times / 1e3), window_s=1.0, setup_s=0.1)
    known = Measurement(throughput_ips=known_ips, p99_ms=99.0, memory_mib=50.0)
    return Contestant(config=config, known=known, run=run)


def verdict(winner, *losers):
    """Return the verdict that *winner*, if any, is proven; the baseline is the last one."""
    contestants = (*([winner] if winner else []), *losers)
    return Verdict(winner=winner, baseline=contestants[-1], contestants=contestants)


def conclusion(**changed):
    """Return what is known at the end of a run, by default of one that was called off at once."""
    request = changed.pop(
        "request", TuneRequest(workload=WORKLOAD, max_latency_ms=10.0, max_trials=2)
    )
    config = {"batch_size": 4}
    fields = {
        "request": request,
        "standard": Standard(objective=request.objective, confidence=request.confidence),
        "subject": SUBJECT,
        "stopped_because": "2 trials were made",
        "trials": (
            Trial(number=0, config=config, why="seed", outcome=Measurement(throughput_ips=9.0)),
            Trial(number=1, config=config, why="seed", outcome=Failed("oom")),
        ),
        "known": {},
        "baseline": None,
        "recommended": None,
        "verdict": None,
        "judgements": (),
        "space_size": 77,
        "elapsed_s": 12.5,
        "window_share": 0.6,
    }
    return Conclusion(**fields | changed)


PROVEN = verdict(contestant(FAST, 5.0, known_ips=700.0), contestant(BASELINE, 2.0))
SLOW = verdict(None, contestant(FAST, 13.0), contestant(BASELINE, 12.0))
SEEN = {
    "baseline": Candidate(config=BASELINE, measurement=Measurement(throughput_ips=400.0)),
    "recommended": Candidate(config=FAST, measurement=Measurement(throughput_ips=600.0)),
}


def test_a_proven_winner_ends_the_run_well():
    """The figures are those of the final round, and the ratio is of the two of it."""
    done = conclusion(verdict=PROVEN).event("/p.yaml")
    assert (done.status, done.proven, done.profile) == ("ok", True, "/p.yaml")
    assert done.winner.config == FAST
    assert done.winner.measurement.throughput_ips == pytest.approx(800.0)
    assert done.baseline.measurement.throughput_ips == pytest.approx(500.0)
    assert done.speedup == pytest.approx(1.6)
    assert done.message == "Proven: p99_ms <= 10 with 95% confidence."


def test_the_profile_holds_the_evidence():
    """What the search saw stands beside what the final round showed, and what it is for."""
    profile = conclusion(verdict=PROVEN).profile(WHEN)
    assert (profile.status, profile.created) == ("proven", WHEN)
    assert profile.winner.config == FAST
    assert profile.winner.search_measurement.throughput_ips == 700.0
    assert profile.winner.measurement.memory_mib == 50.0
    assert profile.baseline.config == BASELINE
    assert profile.speedup == pytest.approx(1.6)
    assert profile.workload == WORKLOAD
    assert profile.fingerprint == SUBJECT.fingerprint
    assert profile.model.sha256 == SUBJECT.info.sha256


def test_a_front_that_was_asked_for_stands_in_the_profile():
    """As the search measured it, for other budgets; without it there is none."""
    measured = Measurement(throughput_ips=9.0, p99_ms=4.0)
    point = Trial(number=0, config={"batch_size": 4}, why="seed", outcome=measured)
    (kept,) = conclusion(verdict=PROVEN, front=(point,)).profile(WHEN).front
    assert (kept.config, kept.measurement) == (FAST, measured)
    assert conclusion(verdict=PROVEN).profile(WHEN).front == ()


def test_the_profile_tells_how_the_search_went():
    """Trials that failed are counted among them."""
    search = conclusion(verdict=PROVEN).profile(WHEN).search
    assert (search.trials, search.failed, search.space_size) == (2, 1, 77)
    assert (search.seed, search.stopped_because) == (7, "2 trials were made")


def test_where_nothing_is_proven_the_closest_is_shown_and_nothing_is_kept():
    """With what would help."""
    ended = conclusion(verdict=SLOW)
    done = ended.event(None)
    assert ended.profile(WHEN) is None
    assert (done.status, done.proven, done.profile, done.speedup) == (
        "infeasible",
        False,
        None,
        None,
    )
    assert done.winner.config == BASELINE
    assert "--max-latency 13ms would be kept" in done.message


def test_the_closest_may_be_one_that_only_the_search_saw():
    """It need not have been in the final round."""
    known = {Config(batch_size=2): Measurement(p99_ms=10.5, throughput_ips=1.0)}
    done = conclusion(verdict=SLOW, known=known).event(None)
    assert done.winner.config == Config(batch_size=2)


def test_the_final_round_corrects_what_the_search_saw():
    """A lucky measurement of the search does not make a configuration the closest."""
    known = {FAST: Measurement(p99_ms=9.0, throughput_ips=1.0)}
    done = conclusion(verdict=SLOW, known=known).event(None)
    assert done.winner.config == BASELINE


def test_an_interrupted_run_keeps_the_best_so_far():
    """As such: nothing of it is proven."""
    ended = conclusion(**SEEN, stopped_because="it was called off")
    done, profile = ended.event("/p.yaml"), ended.profile(WHEN)
    assert (done.status, done.proven) == ("interrupted", False)
    assert done.winner == SEEN["recommended"]
    assert done.speedup == pytest.approx(1.5)
    assert profile.status == "interrupted"
    assert profile.winner.measurement.throughput_ips == 600.0
    assert "run it again to go on" in done.message


def test_a_run_that_saw_nothing_keeps_nothing():
    """There is no profile without a winner, and none without a baseline to compare it with."""
    assert conclusion().profile(WHEN) is None
    assert conclusion(recommended=SEEN["recommended"]).profile(WHEN) is None
    done = conclusion().event(None)
    assert (done.winner, done.baseline, done.speedup) == (None, None, None)


def test_an_interrupted_run_without_a_winner_shows_the_closest():
    """It is shown, but not kept."""
    known = {FAST: Measurement(p99_ms=12.0, throughput_ips=1.0)}
    ended = conclusion(known=known, baseline=SEEN["baseline"])
    assert ended.event(None).winner.config == FAST
    assert ended.profile(WHEN) is None


def test_a_baseline_that_wins_has_the_ratio_one():
    """Tuning that finds nothing better says so."""
    winner = contestant(BASELINE, 2.0)
    done = conclusion(verdict=verdict(winner)).event("/p.yaml")
    assert done.winner.config == done.baseline.config == BASELINE
    assert done.speedup == 1.0


def test_without_constraints_the_message_names_the_objective():
    """There is no bound to prove."""
    request = TuneRequest(workload=WORKLOAD, goal="latency")
    done = conclusion(request=request, verdict=PROVEN).event(None)
    assert done.message == "Proven: minimize p99_ms with 95% confidence."


TUNED = Config(batch_size=4, provider="openvino-cpu")
OPENVINO = replace(
    SUBJECT,
    precisions={**SUBJECT.precisions, "openvino-cpu": {"fp32": "fp32", "bf16": "fp32"}},
    usual=replace(BASELINE, mps=False),
)
OWN_DEFAULT = Config(provider="openvino-cpu", precision="bf16")
WON = verdict(contestant(TUNED, 5.0, known_ips=700.0), contestant(BASELINE, 2.0))


def test_the_winner_is_compared_with_its_own_providers_default_too():
    """By what the search measured of both, as the final round had no turn for that default."""
    seen = {OWN_DEFAULT: Measurement(throughput_ips=560.0), TUNED: Measurement(throughput_ips=1.0)}
    ended = conclusion(subject=OPENVINO, verdict=WON, known=seen)
    done, profile = ended.event(None), ended.profile(WHEN)
    assert done.provider_default.config == profile.provider_default.config == OWN_DEFAULT
    assert profile.provider_default.measurement.throughput_ips == 560.0
    assert done.provider_speedup == profile.provider_speedup == pytest.approx(1.25)


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": WON},
        {"verdict": PROVEN, "known": {BASELINE: Measurement(throughput_ips=1.0)}},
        {"verdict": verdict(None, contestant(TUNED, 13.0), contestant(BASELINE, 12.0))},
        {},
    ],
    ids=["not measured", "the baseline", "no winner", "called off"],
)
def test_there_is_no_providers_default_without_news(changed):
    """None is what is not known."""
    done = conclusion(subject=OPENVINO, **changed).event(None)
    assert (done.provider_default, done.provider_speedup) == (None, None)
