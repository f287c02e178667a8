from __future__ import annotations

from dataclasses import replace

import numpy as np

from autotuner.core import Failed, Measurement
from autotuner.search.acquisition import improvement
from autotuner.search.evidence import Evidence
from autotuner.search.recommendation import promising, recommended, worth_repeating
from autotuner.search.surrogate import Belief


def belief(gain, excess, *, noise=0.03, sd=0.02):
    """Return a belief with one constraint over as many configurations as *gain* has."""
    gain, excess = np.asarray(gain, dtype=float), np.asarray([excess], dtype=float)
    spread = np.full(gain.shape, sd)
    sure = np.where(excess[0] <= -2 * sd, 0.99, np.where(excess[0] <= 0.0, 0.6, 0.02))
    return Belief(
        gain=gain,
        gain_sd=spread,
        excess=excess,
        excess_sd=spread[None, :],
        runs=np.ones_like(gain),
        feasible=sure,
        noise=noise,
    )


def evidence(*rows, running=()):
    """Return evidence of one measurement for each mention of a row."""
    return Evidence.gathered(((row, Measurement(p99_ms=1.0)) for row in rows), running)


def test_the_best_sure_configuration_is_recommended():
    """A faster one that may break the constraint is not."""
    believed = belief([1.0, 2.0, 3.0], [-0.5, -0.5, -0.01])
    assert list(recommended(believed, evidence(0, 1, 2))) == [1, 0]


def test_what_was_not_measured_is_never_recommended():
    """A prediction alone is no recommendation."""
    assert list(recommended(belief([1.0, 9.0], [-0.5, -0.5]), evidence(0))) == [0]


def test_one_measurement_needs_to_be_surer_than_many():
    """Noise has its say: the same probability is enough only after several measurements."""
    believed = replace(belief([1.0], [-0.5]), feasible=np.asarray([0.86]))
    assert len(recommended(believed, evidence(0))) == 0
    assert list(recommended(believed, evidence(0, 0, 0))) == [0]
    assert list(recommended(replace(believed, noise=0.001), evidence(0))) == [0]


def test_nothing_sure_means_no_recommendation():
    """None is an honest answer."""
    assert len(recommended(belief([1.0], [-0.01]), evidence(0))) == 0


def test_a_better_one_in_doubt_is_measured_again():
    """One more measurement goes where it may change the recommendation."""
    row, help_ = worth_repeating(belief([1.0, 2.0], [-0.5, -0.01]), evidence(0, 1))
    assert row == 1
    assert help_ > 0.0


def test_the_help_of_repeating_falls_with_every_measurement():
    """A configuration that stays in doubt is worth less and less."""
    believed = belief([1.0, 2.0], [-0.5, -0.01])
    helps = [worth_repeating(believed, evidence(0, *[1] * n))[1] for n in (1, 2, 4)]
    assert helps[0] > helps[1] > helps[2]


def test_the_recommendation_is_measured_three_times_where_noise_matters():
    """One lucky measurement is not enough, three are; without noise one is."""
    noisy = belief([1.0], [-0.5])
    assert worth_repeating(noisy, evidence(0)) == (0, 0.0)
    assert worth_repeating(noisy, evidence(0, 0, 0)) is None
    assert worth_repeating(belief([1.0], [-0.5], noise=0.001), evidence(0)) is None


def test_margin_to_the_constraint_counts_among_the_finalists():
    """Of two alike, the one further from the bound is proven sooner and comes first."""
    believed = belief([1.0, 1.001], [-0.5, -0.041])
    assert list(promising(believed, evidence(0, 1))) == [0, 1]


def test_what_was_tried_or_runs_promises_nothing_more():
    """New trials go to new configurations."""
    found = evidence(0, running=[1])
    promise = improvement(belief([1.0, 2.0, 1.0], [-0.5, -0.5, -0.5]), found)
    assert promise[0] == promise[1] == 0.0 < promise[2]


def test_doubt_prefers_what_is_less_known():
    """With the errors taken for larger than believed, the unknown promises more than the near."""
    believed = replace(
        belief([1.0, 1.0, 0.9], [-0.5, -0.5, -0.5]), gain_sd=np.asarray([0.02, 0.01, 0.06])
    )
    near, far = improvement(believed, evidence(0))[1:]
    assert near > far
    near, far = improvement(believed, evidence(0), doubt=2.0)[1:]
    assert far > near


def test_a_configuration_that_failed_once_counts_as_failed():
    """A crash is not forgotten because another run went well."""
    found = Evidence.gathered([(0, Measurement()), (0, Failed("crashed"))])
    assert dict(found.measured) == {}
    assert set(found.failed) == {0}


def calm_and_disturbed(*rows):
    """Return evidence of one measurement by row, undisturbed or not."""
    return Evidence.gathered(
        (row, Measurement(p99_ms=1.0, disturbed="a build" if disturbed else None))
        for row, disturbed in rows
    )


def test_what_was_never_seen_undisturbed_is_not_recommended():
    """The best of the sound ones is, and the disturbed one is measured again instead."""
    believed = belief([1.0, 2.0], [-0.5, -0.5])
    found = calm_and_disturbed((0, False), (1, True))
    assert list(recommended(believed, found)) == [0]
    assert worth_repeating(believed, found)[0] == 1


def test_a_box_that_is_never_quiet_gets_a_recommendation_all_the_same():
    """Where everything is disturbed, the best of it is the answer."""
    found = calm_and_disturbed((0, True), (1, True))
    assert list(recommended(belief([1.0, 2.0], [-0.5, -0.5]), found)) == [1, 0]


def test_a_disturbed_measurement_does_not_count_beside_a_sound_one():
    """What a neighbour did says nothing of the configuration."""
    found = calm_and_disturbed((0, True), (0, False), (0, True))
    assert [m.disturbed for m in found.measured[0]] == [None]
    assert list(found.counts) == [1.0]
